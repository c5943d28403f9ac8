//! What waits for a set time: by position, and by when it is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Waiting;
use crate::clock::Timestamp;
use crate::id::Seq;

/// Deliveries that wait for a set time.
#[derive(Clone, Debug, Default)]
pub struct WaitingSet {
    by_seq: BTreeMap<Seq, Waiting>,
    due: BTreeSet<(Timestamp, Seq)>,
    /// How many of them have failed in this round; the others were put back.
    failed: usize,
}

impl WaitingSet {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.by_seq.len()
    }

    /// How many wait because they failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// The one at `seq`.
    pub fn get(&self, seq: Seq) -> Option<&Waiting> {
        self.by_seq.get(&seq)
    }

    /// The oldest.
    pub fn first(&self) -> Option<Seq> {
        self.by_seq.keys().next().copied()
    }

    /// The one that is due first, and when.
    pub fn first_due(&self) -> Option<(Timestamp, Seq)> {
        self.due.first().copied()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, Waiting)> + '_ {
        self.by_seq.iter().map(|(seq, waiting)| (*seq, *waiting))
    }

    /// Those below `bound`, newest first.
    pub fn below(&self, bound: Seq) -> impl Iterator<Item = Seq> + '_ {
        self.by_seq.range(..bound).rev().map(|(seq, _)| *seq)
    }

    /// Those at `from` and above it, oldest first.
    pub fn at_or_above(&self, from: Seq) -> impl Iterator<Item = Seq> + '_ {
        self.by_seq.range(from..).map(|(seq, _)| *seq)
    }

    /// Those from `from` to `last`, oldest first.
    pub fn between(&self, from: Seq, last: Seq) -> impl Iterator<Item = Seq> + '_ {
        // No range at all, rather than one that ends before it begins, which would panic.
        let last = last.max(from);
        self.by_seq.range(from..=last).map(|(seq, _)| *seq)
    }

    /// Adds one, or changes it.
    pub fn insert(&mut self, seq: Seq, waiting: Waiting) {
        self.remove(seq);
        self.failed += usize::from(waiting.failures > 0);
        self.due.insert((waiting.due, seq));
        self.by_seq.insert(seq, waiting);
    }

    /// Takes one out.
    pub fn remove(&mut self, seq: Seq) -> Option<Waiting> {
        let waiting = self.by_seq.remove(&seq)?;
        self.failed -= usize::from(waiting.failures > 0);
        self.due.remove(&(waiting.due, seq));
        Some(waiting)
    }

    /// Takes out all from `from` to `to`; says how many.
    pub fn remove_range(&mut self, from: Seq, to: Seq) -> u64 {
        if from > to {
            return 0;
        }
        let seqs: Vec<Seq> = self.by_seq.range(from..=to).map(|(seq, _)| *seq).collect();
        for seq in &seqs {
            self.remove(*seq);
        }
        seqs.len() as u64
    }

    /// Moves every due time by `by_ms`.
    pub fn follow_a_clock_that_was_set(&mut self, by_ms: i64) {
        for waiting in self.by_seq.values_mut() {
            waiting.due = waiting.due.moved(by_ms);
        }
        let due = std::mem::take(&mut self.due).into_iter();
        self.due = due.map(|(due, seq)| (due.moved(by_ms), seq)).collect();
    }

    /// A due time is never waited for longer than its own delay, so a clock set back by a year
    /// stalls nothing. Looks at every one.
    pub fn forgive_a_clock_that_went_back(&mut self, now: Timestamp) {
        for (seq, waiting) in &mut self.by_seq {
            let latest = now.plus(waiting.delay);
            if waiting.due > latest {
                self.due.remove(&(waiting.due, *seq));
                waiting.due = latest;
                self.due.insert((latest, *seq));
            }
        }
    }

    /// All of them are due now, with their delays from the start.
    pub fn start_over(&mut self, now: Timestamp) {
        self.due.clear();
        self.failed = 0;
        for (seq, waiting) in &mut self.by_seq {
            waiting.failures = 0;
            waiting.due = now;
            waiting.delay = Duration::ZERO;
            self.due.insert((now, *seq));
        }
    }
}
