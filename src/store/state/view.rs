//! Questions about the state.

use super::State;

impl State {
    /// How many events were given up for lost.
    pub fn gone(&self) -> u64 {
        self.lost.len()
    }

    /// Whether it may depend on the order of attempts and events what is left in the log.
    pub fn is_crowded(&self) -> bool {
        self.crowded || !self.unrouted.is_empty()
    }

    /// Whether an endpoint has something to attempt now, if the rules for places let it.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether the endpoint's last attempt hung, so that it is kept to one place.
    pub fn hangs(&self, number: u32) -> bool {
        self.hanging.contains(&number)
    }

    /// Whether the endpoint has nothing to attempt before a set time.
    pub fn waits(&self, number: u32) -> bool {
        let entry = self.entries.get(&number);
        entry.is_some_and(|entry| entry.timer.is_some())
    }

    /// How many attempts are under way in all.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}
