//! How large the log is.

use super::StoreError;
use super::backend::Backend;
use super::log::Log;
use crate::clock::Timestamp;
use crate::id::Seq;

/// How large the log is, and what is left for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events in the log.
    pub events: u64,
    /// The position of the oldest one.
    pub first_seq: Option<Seq>,
    /// The position of the newest one that is on disk.
    pub last_seq: Option<Seq>,
    /// When the oldest one was received.
    pub oldest_at: Option<Timestamp>,
    /// Bytes that the store takes.
    pub used_bytes: u64,
    /// Bytes left on its disk, where that is known.
    pub free_bytes: Option<u64>,
}

impl<B: Backend> Log<B> {
    /// See [`Store::figures`](super::Store::figures).
    pub(super) fn measure(&self) -> Result<Figures, StoreError> {
        let last = *self.tail.borrow();
        let last_seq = (last > 0).then_some(last);
        // One that cannot be read must not hide the rest.
        let oldest = last_seq.and_then(|_| self.read_event(1).ok().flatten());
        Ok(Figures {
            events: last,
            first_seq: last_seq.map(|_| 1),
            last_seq,
            oldest_at: oldest.map(|event| event.received_at),
            used_bytes: self.backend.used_bytes(),
            free_bytes: self.backend.free_bytes(),
        })
    }
}
