//! What the store is asked to change, and what it answers to an event.

use crate::endpoint::{EndpointSettings, EndpointState};
use crate::id::{EventId, Seq};

/// Where an event stands after `append`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its id; of the first one, if it is a duplicate.
    pub id: EventId,
    /// Its position; of the first one, if it is a duplicate.
    pub seq: Seq,
    /// Whether its idempotency key was used before, within the window.
    pub duplicate: bool,
}

/// A change of the registry.
#[derive(Clone, Debug)]
pub enum EndpointCommand {
    /// Makes an endpoint, in the given state; it receives events from now on.
    Add(Box<EndpointSettings>, EndpointState),
    /// Replaces an endpoint's settings. Events that are queued already stay queued.
    Update(u32, Box<EndpointSettings>),
    /// Pauses, resumes or removes an endpoint, with the reason if it is not the operator's wish.
    SetState(u32, EndpointState, Option<String>),
}
