//! HTTP in: connections, limits, and what comes in as an event.
//!
//! | file | what is in it |
//! |---|---|
//! | [`server`] | the accept loop: bounded connections, header time-out, drain |
//! | `seats`, `connection`, `wire` | who may have a connection; what happens on it; its bytes, written in time |
//! | `head`, `framing`, `refusal` | a head's bounds; requests that two readers could understand differently; heads that never become a request |
//! | [`body`], `patience` | reading a request's body, within its size, its time and the memory for all of them |
//! | [`unread`] | what is left of a body when its request has been answered |
//! | [`problem`] | every answer that is an error (RFC 9457) |
//! | [`json`] | a JSON object, read once, its members kept as they were written |
//! | [`media`] | media types |
//! | [`checks`] | the rules for an event's attributes, all mistakes at once |
//! | [`read`] | an event as it was read, in whichever form it came |
//! | [`native`], [`cloudevents`] | the two forms of an event |
//! | `accept` | from an event that was read to its place on disk |
//! | [`observer`] | who is told of it |
//! | [`events`] | `POST /v1/events` |
//! | [`zebline`] | `POST /v1/accounts/{license}/events` |
//! | [`relay`], [`tally`] | `GET, POST /in/{source}`; what came in through each source and what was refused |
//! | [`browser`] | requests that a web page has made a browser send |

mod accept;
pub mod body;
pub mod browser;
pub mod checks;
pub mod cloudevents;
mod connection;
pub mod events;
mod framing;
mod head;
pub mod json;
pub mod media;
pub mod native;
pub mod observer;
mod patience;
pub mod problem;
pub mod read;
mod refusal;
pub mod relay;
mod seats;
pub mod server;
pub mod tally;
pub mod unread;
mod wire;
pub mod zebline;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, post};
use tokio::sync::watch;

use crate::clock::RealClock;
use crate::config::NATIVE_SOURCE;
use crate::store::Store;

use self::body::Bodies;
use self::observer::Observer;
use self::relay::Relay;

/// What ingest needs.
#[derive(Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    bodies: Bodies,
    draining: watch::Receiver<bool>,
    relay: Arc<Relay>,
    observer: Option<Arc<dyn Observer>>,
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
            // Without sources nobody asks it what time it is.
            relay: Arc::new(Relay::new(Vec::new(), Arc::new(RealClock), true)),
            observer: None,
            source: NATIVE_SOURCE.into(),
            json: media::JSON.into(),
        }
    }

    /// With sources of others, which authenticate by themselves.
    #[must_use]
    pub fn with_relay(mut self, relay: Relay) -> Self {
        self.relay = Arc::new(relay);
        self
    }

    /// Also tells `observer`, if there is one, of events that no request brings.
    #[must_use]
    pub fn with_observer(mut self, observer: Option<Arc<dyn Observer>>) -> Self {
        self.observer = observer;
        self
    }

    /// The sources of others.
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }
}

/// The routes of ingest.
pub fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/v1/events", post(events::post))
        .route("/in/{source}", any(relay::handle))
        .with_state(ingest)
}
