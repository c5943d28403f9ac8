//! Moving a manual clock, so that everything that was due by then has happened.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;

/// What an advance came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Advanced {
    /// The clock now.
    pub now: Timestamp,
    /// Attempts that are still under way: their receivers hang, and their deadlines are later.
    pub in_flight: usize,
}

/// The clock cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceError {
    /// It is not a manual one.
    #[error("this server's clock is not a manual one; start it with --clock manual to move it")]
    NotManual,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Moves the manual clock of a running broker. See [`Advance::advance`].
pub struct Advance {}

impl Advance {
    /// Moves the clock by `by`, in steps: at each moment at which something is due, everything
    /// due is attempted and settled before the clock moves on. An attempt whose receiver hangs for
    /// longer than `patience` of real time is waited for no more until its own deadline.
    pub async fn advance(
        &self,
        by: Duration,
        patience: Duration,
    ) -> Result<Advanced, AdvanceError> {
        let _ = (by, patience);
        unimplemented!()
    }
}
