//! Events: what came in, as it is kept in the log.

use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::id::{EventId, Seq};

/// How an event's body becomes the body of an outbound request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The body is one JSON value, the event's `data`; the endpoint's profile wraps it.
    Data,
    /// The body is somebody else's request and goes out byte for byte.
    Relayed,
}

/// The source of events about endpoints and deliveries themselves.
pub const OPERATIONS_SOURCE: &str = "redeliver";

/// The source of what the alerts tell.
pub const ALERTS_SOURCE: &str = "alerts";

/// An event on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The source's name: `api` for `POST /v1/events`, else the configured one.
    pub source: Arc<str>,
    /// The event's type, such as `survey_response`.
    pub kind: Arc<str>,
    /// What the event is about, if the sender said.
    pub subject: Option<String>,
    /// When it happened, by the sender; absent means when it was received.
    pub time: Option<Timestamp>,
    /// The body's media type.
    pub content_type: Arc<str>,
    /// How the body goes out again.
    pub form: Form,
    /// The body's bytes, exactly as received.
    pub body: Bytes,
    /// A second thing to filter by, where a vendor's filter is not by type: the activity status
    /// of eSputnik (ESP-06).
    pub status: Option<Arc<str>>,
    /// Makes the event idempotent within its source for the duplicate window.
    pub idempotency_key: Option<String>,
}

impl NewEvent {
    /// Whether it is about an endpoint or a delivery: an endpoint gets it only if it names it.
    pub fn is_operational(&self) -> bool {
        &*self.source == OPERATIONS_SOURCE
    }

    /// The source, if it is redeliver's own. Anybody may send an event of any type; of these
    /// sources there is none but what redeliver itself has noticed.
    pub fn own_source(&self) -> Option<&'static str> {
        let own = [OPERATIONS_SOURCE, ALERTS_SOURCE];
        own.into_iter().find(|source| *self.source == **source)
    }
}

/// An event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id; the sequence number is part of it.
    pub id: EventId,
    /// Where it stands in the log, from 1.
    pub seq: Seq,
    /// When it was received, by the broker's clock.
    pub received_at: Timestamp,
    /// What came in.
    pub content: NewEvent,
}

impl Event {
    /// When it happened: the sender's time, else when it was received.
    pub fn time(&self) -> Timestamp {
        self.content.time.unwrap_or(self.received_at)
    }
}
