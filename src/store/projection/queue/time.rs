//! What a clock that is set does to a queue.

use super::Queue;
use crate::clock::Timestamp;

impl Queue {
    /// The clock was set by `by_ms`: what waits goes on waiting for what was left.
    pub fn follow_a_clock_that_was_set(&mut self, by_ms: i64) {
        self.waiting.follow_a_clock_that_was_set(by_ms);
    }

    /// The clock was set back unnoticed: no delivery waits for longer than its own delay.
    pub fn forgive_a_clock_that_went_back(&mut self, now: Timestamp) {
        self.waiting.forgive_a_clock_that_went_back(now);
    }
}
