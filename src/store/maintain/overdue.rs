//! Deliveries that have waited for too long become dead letters, as if their policy had given up.

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::super::record::{AttemptRecord, Transition};
use crate::delivery::{Attempt, Status};
use crate::id::Seq;
use crate::store::projection::queue::Then;

/// Deliveries that end under one lock.
const PER_STEP: usize = 256;

/// What `delivery show` tells of them.
const REASON: &str =
    "not attempted: it had waited for longer than retention.waiting_max_age allows";

impl<B: Backend> Log<B> {
    /// Ends every delivery whose event is older than deliveries may wait; says how many.
    pub(super) fn end_overdue(&self) -> Result<u64, StoreError> {
        let Some(age) = self.options.retention.waiting_max_age else {
            return Ok(0);
        };
        let cut = self.first_received_from(self.ago(age))?;
        let numbers: Vec<u32> = {
            let shared = self.shared();
            let entries = shared.state.entries();
            entries.map(|entry| entry.endpoint.number).collect()
        };
        let mut ended = 0;
        for number in numbers {
            loop {
                let step = self.end_some(number, cut);
                ended += step as u64;
                // What is settled waits in memory until it is written.
                self.save_settlements()?;
                if step < PER_STEP || self.is_ending() {
                    break;
                }
            }
        }
        if ended > 0 {
            tracing::warn!(
                deliveries = ended,
                "deliveries have waited for longer than retention.waiting_max_age allows; they are dead letters now"
            );
        }
        Ok(ended)
    }

    fn end_some(&self, number: u32, cut: Seq) -> usize {
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        let Some(entry) = shared.state.entry(number) else {
            return 0;
        };
        let is_waiting = |status| matches!(status, Status::Pending | Status::Waiting);
        let seqs = entry.queue.queued_below(cut, PER_STEP, is_waiting);
        let attempts = |seq| {
            let status = entry.queue.status(seq);
            let waiting = status.and_then(|(_, waiting)| waiting);
            waiting.map_or(0, |waiting| waiting.attempts)
        };
        let records: Vec<_> = seqs
            .into_iter()
            .map(|seq| AttemptRecord {
                endpoint: number,
                seq,
                attempt: Attempt {
                    number: attempts(seq) + 1,
                    started_at: now,
                    ended_at: now,
                    status: None,
                    error: Some(REASON.to_owned()),
                    response_excerpt: None,
                },
                then: Then::Dead,
            })
            .collect();
        let count = records.len();
        for record in records {
            let attempt = Transition::Attempt(Box::new(record));
            self.record(&mut shared, now, attempt, false);
        }
        count
    }
}
