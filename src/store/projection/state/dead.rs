//! How many dead letters there are, where some have expired with their events.

use std::collections::BTreeMap;

use super::State;
use crate::id::Seq;

impl State {
    /// So many dead letters there are of each endpoint, and none of the others.
    pub fn set_dead_letters(&mut self, counts: &BTreeMap<u32, u64>) {
        for (number, entry) in &mut self.entries {
            entry.queue.ended.dead = counts.get(number).copied().unwrap_or(0);
        }
    }

    /// These dead letters go with their events.
    pub fn bury(&mut self, dead: &[(u32, Seq)]) {
        for (number, _) in dead {
            if let Some(entry) = self.entries.get_mut(number) {
                let ended = &mut entry.queue.ended;
                ended.dead = ended.dead.saturating_sub(1);
            }
        }
        self.expired.bury(dead);
    }
}
