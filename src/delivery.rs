//! Deliveries and attempts: one event on its way to one endpoint, and each try.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeliveryStatus")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Due, and its turn has not come: never attempted, or put back since its last attempt.
    Pending,
    /// An attempt failed; the next one is due at a set time.
    Waiting,
    /// An attempt is under way.
    InFlight,
    /// Answered with success.
    Delivered,
    /// Given up: every attempt that the policy allows has failed.
    Dead,
    /// Its endpoint was removed before it was delivered, or an operator discarded it.
    Removed,
    /// The endpoint's filter does not select the event, so it was never queued.
    Filtered,
}

impl Status {
    /// The name in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Removed => "removed",
            Self::Filtered => "filtered",
        }
    }
}

/// What came back from one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1; never used twice for one delivery, except that an attempt that was in flight at a
    /// crash is repeated under its own number.
    pub number: u32,
    /// When the request left, by the broker's clock.
    pub started_at: Timestamp,
    /// When the answer was complete or the attempt was given up, by the broker's clock.
    pub ended_at: Timestamp,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// What went wrong, in words, if no usable answer came.
    pub error: Option<String>,
    /// The start of the answer's body, at most 4 KiB.
    pub response_excerpt: Option<String>,
}

impl Attempt {
    /// How long it took, by the broker's clock: nothing at all where that is manual.
    pub fn duration(&self) -> Duration {
        self.ended_at.since(self.started_at)
    }
}
