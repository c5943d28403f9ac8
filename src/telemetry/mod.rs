//! What is known of a running broker: told to it by the rooms below, where it happens, and asked
//! for by those above. Nothing that is delivered depends on it, and it is gone with the process.
//!
//! | file | what is in it |
//! |---|---|
//! | [`activity`], [`past`] | what came in and was attempted over the last hour, day and week |

pub mod activity;
pub mod past;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::deliver::Observer as ObservesDelivery;
use crate::store::{self, Claim, Outcome, Settlement, Written};

use activity::Activity;

/// What is known of one broker.
#[derive(Debug)]
pub struct Telemetry {
    /// When it was started, by its own clock.
    pub started_at: Timestamp,
    /// What happened over time.
    pub activity: Activity,
}

impl Telemetry {
    /// Of a broker that was started at `started_at`.
    pub fn new(started_at: Timestamp) -> Self {
        Self {
            started_at,
            activity: Activity::default(),
        }
    }
}

impl store::Observer for Telemetry {
    fn written(&self, group: Written<'_>) {
        // A group has one time.
        if let Some(event) = group.events.first() {
            let events = group.events.len() as u64;
            self.activity.ingested(events, event.received_at);
        }
    }
}

impl ObservesDelivery for Telemetry {
    fn began(&self, _: &Claim, _: Duration) {}

    fn ended(&self, claim: &Claim, settlement: &Settlement, _: Duration) {
        let delivered = settlement.outcome == Outcome::Delivered;
        let at = settlement.attempt.ended_at;
        self.activity.attempted(&claim.endpoint, delivered, at);
    }
}
