//! The time, and what follows when somebody sets the clock under a running store.
//!
//! Due times are written as wall times, so records from before a step would be read as far too
//! early or too late by the next start. The snapshot that follows a step at once holds them as
//! they are now. A start cannot tell a clock that was set while nobody ran from time that passed:
//! it takes the clock at its word, and lets nothing wait for longer than its own delay.

use super::Log;
use super::parts::Shared;
use crate::clock::Timestamp;
use crate::store::backend::Backend;

impl<B: Backend> Log<B> {
    /// The present moment; if the clock was set, every due time in memory has moved along.
    pub(in crate::store) fn now(&self, shared: &mut Shared) -> Timestamp {
        let moment = self.clock.moment();
        let by_ms = moment.stepped_ms.saturating_sub(shared.stepped_ms);
        if by_ms != 0 {
            tracing::warn!(
                by_ms,
                "the clock was set; what waits goes on waiting for what was left of its delay"
            );
            shared.stepped_ms = moment.stepped_ms;
            shared.clock_was_set = true;
            shared.state.follow_a_clock_that_was_set(by_ms);
            shared.snapshot_wanted = true;
            self.inbox.ring(true);
        }
        moment.now
    }
}
