//! What a clock that is set does to what waits.

use super::State;
use crate::clock::Timestamp;

impl State {
    /// The clock was set by `by_ms`, and every due time with it: what waits goes on waiting for
    /// what was left of its delay, so that no jump floods a receiver or stalls a retry.
    pub fn follow_a_clock_that_was_set(&mut self, by_ms: i64) {
        self.latest = self.latest.moved(by_ms);
        for entry in self.entries.values_mut() {
            entry.queue.follow_a_clock_that_was_set(by_ms);
            entry.timer = entry.timer.map(|due| due.moved(by_ms));
        }
        let timers = std::mem::take(&mut self.timers).into_iter();
        self.timers = timers
            .map(|(due, number)| (due.moved(by_ms), number))
            .collect();
    }

    /// The clock was set back unnoticed, as while no process ran: every due time is looked at.
    pub fn forgive_a_clock_that_went_back(&mut self, now: Timestamp) {
        self.latest = now;
        for entry in self.entries.values_mut() {
            entry.queue.forgive_a_clock_that_went_back(now);
        }
        self.refresh_all(now);
    }

    pub(super) fn refresh_all(&mut self, now: Timestamp) {
        let numbers: Vec<u32> = self.entries.keys().copied().collect();
        for number in numbers {
            self.refresh(number, now);
        }
    }
}
