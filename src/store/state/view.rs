//! Questions about the state.

use super::State;
use crate::id::Seq;
use crate::store::seqset::SeqSet;

impl State {
    /// How many events were given up for lost, or have expired.
    pub fn gone(&self) -> u64 {
        self.lost.len() + self.expired.seqs().len()
    }

    /// The last event of those at and right behind `seq` that were given up for lost or have
    /// expired.
    pub fn gone_until(&self, seq: Seq) -> Option<Seq> {
        let lost = || self.lost_until(seq);
        self.expired.until(seq).or_else(lost)
    }

    /// The first event at `seq` or behind it that was given up for lost or has expired.
    pub fn next_gone(&self, seq: Seq) -> Option<Seq> {
        let nexts = [self.expired.seqs().next_from(seq), self.lost.next_from(seq)];
        nexts.into_iter().flatten().min()
    }

    /// Events that some delivery still waits for.
    pub fn held(&self) -> SeqSet {
        let mut held = SeqSet::default();
        for entry in self.entries.values() {
            entry.queue.hold(&mut held);
        }
        held
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
