//! Deliveries that have waited for too long become dead letters, as if their policy had given up.

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use crate::delivery::{GivenUp, Status};
use crate::id::Seq;

/// Deliveries that end under one lock.
const PER_STEP: usize = 256;

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
                let step = self.end_some(number, cut)?;
                ended += step as u64;
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

    fn end_some(&self, number: u32, cut: Seq) -> Result<usize, StoreError> {
        let is_waiting = |status| matches!(status, Status::Pending | Status::Waiting);
        self.give_up_some(number, GivenUp::Waited, None, |queue| {
            queue.queued_below(cut, PER_STEP, is_waiting)
        })
    }
}
