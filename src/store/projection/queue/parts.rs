//! What a queue holds and says.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A delivery that has been attempted, or put back by the operator, and is due at a set time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Failed attempts in a row, of this round.
    pub failures: u32,
    /// Attempts in all, over every round.
    pub attempts: u32,
    /// When the next attempt may leave.
    pub due: Timestamp,
    /// The delay that led to `due`: it is never waited for longer than that.
    pub delay: Duration,
}

/// An attempt under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Tells this claim from every other one of this process.
    pub generation: u64,
    /// Failed attempts before it, in this round.
    pub failures: u32,
    /// Attempts before it, over every round.
    pub attempts: u32,
    /// When it was due, unless it is the first.
    pub due: Option<Timestamp>,
}

/// When a queue has something to attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Now.
    Now,
    /// Not before this moment.
    At(Timestamp),
    /// Not until something changes.
    Blocked,
}

/// How many deliveries have ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Answered with success, and not put back since.
    pub delivered: u64,
    /// Given up, not put back since, and not expired.
    pub dead: u64,
    /// Ended because the endpoint was removed, or because an operator discarded it; one that had been
    /// put back by then counts here, however its earlier round had ended.
    pub removed: u64,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// Delivered.
    Delivered,
    /// Another attempt.
    Waiting(Waiting),
    /// Given up.
    Dead,
    /// The endpoint is gone, or an operator has discarded the delivery.
    Removed,
}

/// Which of the two kinds of work an independent queue takes next; they alternate, so that a
/// flood of retries starves no new event, nor the other way round (HOT-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// One that has failed before.
    Retry,
    /// One that has not been attempted.
    Fresh,
}
