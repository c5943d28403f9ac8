//! HTTP in: connections, limits, and what comes in as an event.
//!
//! | file | what is in it |
//! |---|---|
//! | [`server`] | the accept loop: bounded connections, header time-out, drain |
//! | [`body`] | reading a request's body, within its size and its time |
//! | [`problem`] | every answer that is an error (RFC 9457) |
//! | [`json`] | a JSON object, read once, its members kept as they were written |
//! | [`media`] | media types |
//! | [`checks`] | the rules for an event's attributes, all mistakes at once |
//! | [`read`] | an event as it was read, in whichever form it came |
//! | [`native`], [`cloudevents`] | the two forms of an event |
//! | [`events`] | `POST /v1/events` |

pub mod body;
pub mod checks;
pub mod cloudevents;
pub mod events;
pub mod json;
pub mod media;
pub mod native;
pub mod problem;
pub mod read;
pub mod server;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tokio::sync::watch;

use crate::config::{Limits, NATIVE_SOURCE};
use crate::store::Store;

use self::body::BodyLimits;

/// What ingest needs.
#[derive(Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    body: BodyLimits,
    draining: watch::Receiver<bool>,
    // Kept so that an event shares them instead of holding its own.
    source: Arc<str>,
    json: Arc<str>,
}

impl Ingest {
    /// Ingest into `store`, until `draining` turns true.
    pub fn new(store: Arc<dyn Store>, limits: &Limits, draining: watch::Receiver<bool>) -> Self {
        Self {
            store,
            body: BodyLimits::from(limits),
            draining,
            source: NATIVE_SOURCE.into(),
            json: media::JSON.into(),
        }
    }
}

/// The routes of ingest.
pub fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/v1/events", post(events::post))
        .with_state(ingest)
}
