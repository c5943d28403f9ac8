//! Everything that waits for a retry, due now: what an operator wants behind an outage.

use crate::delivery::Status;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::{Reopened, ReplayRecord, Transition};

/// Deliveries under one lock.
const PER_STEP: usize = 1_024;

/// Deliveries in one record.
const PER_RECORD: usize = 256;

impl<B: Backend> Log<B> {
    /// See [`Store::retry_waiting`](crate::store::Store::retry_waiting).
    pub(in crate::store) fn retry_what_waits(&self, number: u32) -> Result<u64, StoreError> {
        // What fails meanwhile waits behind its own delay: each is put back once, oldest first.
        let last = *self.tail.borrow();
        let (mut from, mut count) = (1, 0);
        loop {
            let (retried, next) = self.retry_some(number, from, last);
            if retried > 0 {
                count += retried;
                self.save_settlements()?;
            }
            match next {
                Some(next) => from = next,
                None => return Ok(count),
            }
        }
    }

    /// How many of a step's were put back, and where the next step begins.
    fn retry_some(&self, endpoint: u32, from: Seq, last: Seq) -> (u64, Option<Seq>) {
        let mut shared = self.shared();
        let at = self.now(&mut shared);
        let Some(entry) = shared.state.entry(endpoint) else {
            return (0, None);
        };
        if entry.endpoint.state == EndpointState::Removed {
            return (0, None);
        }
        let seqs = entry.queue.waiting_from(from, last, PER_STEP);
        let next = seqs.get(PER_STEP - 1).map(|seq| seq + 1);
        let waits = |seq: Seq| match entry.queue.status(seq) {
            Some((Status::Waiting, Some(waiting))) if waiting.due > at => Some(Reopened {
                seq,
                attempts: waiting.attempts,
                was_dead: false,
            }),
            _ => None,
        };
        let reopened: Vec<Reopened> = seqs.into_iter().filter_map(waits).collect();
        for deliveries in reopened.chunks(PER_RECORD) {
            let record = ReplayRecord {
                endpoint,
                at,
                deliveries: deliveries.to_vec(),
            };
            self.record(&mut shared, at, Transition::Replay(Box::new(record)), true);
        }
        (reopened.len() as u64, next)
    }
}
