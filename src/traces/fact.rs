//! What is told where it happens, and taken along to be made into spans elsewhere. An event's body
//! is not among it: what waits here is bounded by its number, so it has to be small.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::id::EventId;
use crate::inbound::observer::{Answered, Taken};
use crate::store::{Claim, Outcome, Settlement};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A request that was to bring events was answered.
    Request(Answered),
    /// An event came that no request brought.
    Came(Taken),
    /// An attempt has ended.
    Attempt(Attempt),
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was to be delivered.
    pub event: EventId,
    /// Its source.
    pub source: Arc<str>,
    /// Its type.
    pub kind: Arc<str>,
    /// Where to.
    pub endpoint: Arc<Endpoint>,
    /// Which attempt, from 1.
    pub number: u32,
    /// When it began, by the broker's clock.
    pub started_at: Timestamp,
    /// How long it took, in the machine's own time.
    pub took: Duration,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// What went wrong, if no usable answer came. No secret is in it: it is shown everywhere.
    pub error: Option<String>,
    /// What follows for the delivery.
    pub outcome: Outcome,
}

impl Attempt {
    /// That of `claim`.
    pub fn of(claim: &Claim, settlement: &Settlement, took: Duration) -> Self {
        let attempt = &settlement.attempt;
        Self {
            event: claim.event.id,
            source: claim.event.content.source.clone(),
            kind: claim.event.content.kind.clone(),
            endpoint: claim.endpoint.clone(),
            number: attempt.number,
            started_at: attempt.started_at,
            took,
            status: attempt.status,
            error: attempt.error.clone(),
            outcome: settlement.outcome,
        }
    }
}

impl Fact {
    /// How many places it takes as long as it waits: one for itself, and one for each event of a
    /// list, be it a duplicate, which is no span.
    pub fn places(&self) -> usize {
        match self {
            Self::Request(request) => request.taken.len().max(1),
            Self::Came(_) | Self::Attempt(_) => 1,
        }
    }

    /// How many spans it is.
    pub fn spans(&self) -> u64 {
        match self {
            Self::Request(request) => 1 + roots_of(request).len() as u64,
            Self::Came(_) | Self::Attempt(_) => 1,
        }
    }
}

/// The event that a request brought, if it brought just that one: then it is how its trace begins.
pub fn sole(request: &Answered) -> Option<&Taken> {
    match &*request.taken {
        [taken] if !taken.is_duplicate => Some(taken),
        _ => None,
    }
}

/// The events of a request that begin their traces by themselves: there are several, or none of
/// them is new.
pub fn roots_of(request: &Answered) -> Vec<&Taken> {
    match sole(request) {
        Some(_) => Vec::new(),
        None => request.taken.iter().filter(|it| !it.is_duplicate).collect(),
    }
}
