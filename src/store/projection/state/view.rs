//! Questions about the state.

use super::State;
use crate::id::Seq;
use crate::store::projection::seqset::SeqSet;

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

    /// The last event at `seq` or before it that was given up for lost or has expired.
    pub fn last_gone(&self, seq: Seq) -> Option<Seq> {
        let behind = seq.saturating_add(1);
        let last = |set: &SeqSet| set.below(behind).next();
        last(self.expired.seqs()).max(last(&self.lost))
    }

    /// The event before the run of those at and right before `seq` that are gone.
    pub fn before_the_gone(&self, seq: Seq) -> Seq {
        let run = self.expired.seqs().run_of(seq);
        let run = run.or_else(|| self.lost.run_of(seq));
        run.map_or(seq, |(first, _)| first - 1)
    }

    /// The events from `from` to `to` that are not gone.
    pub fn kept(&self, from: Seq, to: Seq) -> SeqSet {
        let mut kept = SeqSet::default();
        kept.insert_range(from, to);
        kept.remove_all(self.expired.seqs());
        kept.remove_all(&self.lost);
        kept
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
