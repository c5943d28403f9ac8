//! Claims and settlements: how the store and those who deliver talk about one attempt.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::delivery::Attempt;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::Seq;

/// The right to attempt one delivery. At most one is live for a delivery at any time.
///
/// It lasts until it is settled or released; the death of the process ends it. (A store that
/// several processes share would add a lease here. This one is owned by one process, whose death
/// is the end of all its attempts, so that no slow clock can make two attempts overlap.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The endpoint's number.
    pub endpoint: u32,
    /// The event.
    pub seq: Seq,
    /// Tells this claim from every other one.
    pub generation: u64,
}

/// A delivery to attempt now.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The right to do so.
    pub token: Token,
    /// Where to.
    pub endpoint: Arc<Endpoint>,
    /// What.
    pub event: Arc<Event>,
    /// The number of this attempt, from 1. It rises when an attempt is settled, never by a claim,
    /// so that a crash burns none of the policy's retries.
    pub attempt: u32,
    /// Failed attempts before it in this round, for the policy.
    pub failures: u32,
    /// Since when it could be attempted: since its event was received, or its retry was due.
    pub due: Timestamp,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered.
    Delivered,
    /// Try again when `after` has passed since the attempt's end.
    Retry {
        /// The delay.
        after: Duration,
    },
    /// Give up: a dead letter.
    Dead,
    /// The endpoint is gone, and this delivery with it.
    Gone,
}

/// What an attempt means for its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// It is paused, for the reason given.
    Pause(String),
    /// It is removed, for the reason given.
    Remove(String),
}

/// An attempt, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What was tried and what came back.
    pub attempt: Attempt,
    /// What follows for the delivery.
    pub outcome: Outcome,
    /// What follows for the endpoint.
    pub effect: Effect,
}
