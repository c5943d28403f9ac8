//! An event as it was read, before it is known whose it is.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;

use super::problem::Problem;
use crate::clock::Timestamp;
use crate::event::Form;
use crate::vendor::esputnik;

/// An event as it was read, in whichever form it came.
#[derive(Debug)]
pub struct Read {
    /// Its type.
    pub kind: Arc<str>,
    /// What it is about.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The media type of its body, where that is not JSON.
    pub content_type: Option<String>,
    /// How the body goes out again.
    pub form: Form,
    /// Its body.
    pub body: Bytes,
    /// Its activity status.
    pub status: Option<Arc<str>>,
    /// What makes it idempotent.
    pub idempotency_key: Option<String>,
}

/// The activity status in `json`. Looked for where the name occurs or may be hidden by an escape,
/// so that other events are not read a second time.
pub(super) fn status_of(json: &str) -> Option<Arc<str>> {
    if json.contains("activityStatus") || json.contains("\\u") {
        esputnik::activity_status(json.as_bytes()).map(Into::into)
    } else {
        None
    }
}

/// The most events of one request: as many as go into a commit group.
pub const EVENTS_MAX: usize = 1000;

/// 413: more events than go into the log at once.
pub fn too_many() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("there are more than {EVENTS_MAX} events in one request; send fewer"),
    )
}
