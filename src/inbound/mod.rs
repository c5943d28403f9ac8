//! HTTP in: connections, limits, and what comes in as an event.
//!
//! | file | what is in it |
//! |---|---|
//! | [`server`] | the accept loop: bounded connections, header time-out, drain |
//! | `seats`, `connection`, `wire` | who may have a connection; what happens on it; its bytes, written in time |
//! | `head`, `framing`, `refusal` | a head's bounds; requests that two readers could understand differently; heads that never become a request |
//! | [`body`], `patience` | reading a request's body, within its size, its time and the memory for all of them |
//! | [`problem`] | every answer that is an error (RFC 9457) |
//! | [`json`] | a JSON object, read once, its members kept as they were written |
//! | [`media`] | media types |
//! | [`checks`] | the rules for an event's attributes, all mistakes at once |
//! | [`read`] | an event as it was read, in whichever form it came |
//! | [`native`], [`cloudevents`] | the two forms of an event |
//! | [`events`] | `POST /v1/events` |
//! | [`zebline`] | `POST /v1/accounts/{license}/events` |

pub mod body;
pub mod checks;
pub mod cloudevents;
mod connection;
pub mod events;
mod framing;
mod head;
pub mod json;
pub mod media;
pub mod native;
mod patience;
pub mod problem;
pub mod read;
mod refusal;
mod seats;
pub mod server;
mod wire;
pub mod zebline;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tokio::sync::watch;

use crate::config::NATIVE_SOURCE;
use crate::store::Store;

use self::body::Bodies;

/// What ingest needs.
#[derive(Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    bodies: Bodies,
    draining: watch::Receiver<bool>,
    // Kept so that an event shares them instead of holding its own.
    source: Arc<str>,
    json: Arc<str>,
}

impl Ingest {
    /// Ingest into `store`, until `draining` turns true.
    pub fn new(store: Arc<dyn Store>, bodies: Bodies, draining: watch::Receiver<bool>) -> Self {
        Self {
            store,
            bodies,
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
