//! Sets of sequence numbers as runs: a backlog without holes costs one run, however long it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::Seq;

/// A set of sequence numbers. Memory is proportional to the number of runs, not of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeqSet {
    /// First to last of each run; runs neither touch nor overlap.
    runs: BTreeMap<Seq, Seq>,
    len: u64,
}

impl SeqSet {
    /// How many members.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many runs, which is what memory is proportional to.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The least member.
    pub fn first(&self) -> Option<Seq> {
        self.runs.first_key_value().map(|(first, _)| *first)
    }

    /// Whether `seq` is a member.
    pub fn contains(&self, seq: Seq) -> bool {
        self.run_of(seq).is_some()
    }

    /// Adds `seq`; says whether it was new.
    pub fn insert(&mut self, seq: Seq) -> bool {
        let before = self.runs.range(..=seq).next_back().map(|(f, l)| (*f, *l));
        if before.is_some_and(|(_, last)| last >= seq) {
            return false;
        }
        let first = match before {
            Some((first, last)) if last.checked_add(1) == Some(seq) => first,
            _ => seq,
        };
        let last = match seq.checked_add(1).and_then(|next| self.runs.remove(&next)) {
            Some(last) => last,
            None => seq,
        };
        self.runs.insert(first, last);
        self.len += 1;
        true
    }

    /// Takes `seq` out; says whether it was a member.
    pub fn remove(&mut self, seq: Seq) -> bool {
        let Some((first, last)) = self.runs.range(..=seq).next_back().map(|(f, l)| (*f, *l)) else {
            return false;
        };
        if last < seq {
            return false;
        }
        if first == seq {
            self.runs.remove(&first);
        } else {
            self.runs.insert(first, seq - 1);
        }
        if last > seq {
            self.runs.insert(seq + 1, last);
        }
        self.len -= 1;
        true
    }

    /// Adds every number from `from` to `to`; says how many were new.
    pub fn insert_range(&mut self, from: Seq, to: Seq) -> u64 {
        if from > to {
            return 0;
        }
        let were_there = self.remove_range(from, to);
        let before = self.runs.range(..from).next_back().map(|(f, l)| (*f, *l));
        let first = match before {
            Some((first, last)) if last.checked_add(1) == Some(from) => first,
            _ => from,
        };
        let behind = to.checked_add(1).and_then(|next| self.runs.remove(&next));
        self.runs.insert(first, behind.unwrap_or(to));
        let all = (to - from).saturating_add(1);
        self.len += all;
        all - were_there
    }

    /// Takes out every number from `from` to `to`; says how many were members.
    pub fn remove_range(&mut self, from: Seq, to: Seq) -> u64 {
        if from > to {
            return 0;
        }
        let touched: Vec<(Seq, Seq)> = self
            .run_of(from)
            .into_iter()
            .chain(self.runs.range(from..=to).map(|(f, l)| (*f, *l)))
            .collect();
        let mut removed = 0;
        for (first, last) in touched {
            // A run that begins at `from` is listed twice.
            if self.runs.remove(&first).is_none() {
                continue;
            }
            if first < from {
                self.runs.insert(first, from - 1);
            }
            if last > to {
                self.runs.insert(to + 1, last);
            }
            removed += last.min(to) - first.max(from) + 1;
        }
        self.len -= removed;
        removed
    }

    /// First and last of the run that holds `seq`.
    pub fn run_of(&self, seq: Seq) -> Option<(Seq, Seq)> {
        let (first, last) = self.runs.range(..=seq).next_back()?;
        (*last >= seq).then_some((*first, *last))
    }

    /// The least member at `seq` or above it.
    pub fn next_from(&self, seq: Seq) -> Option<Seq> {
        let within = self.contains(seq).then_some(seq);
        within.or_else(|| self.runs.range(seq..).next().map(|(first, _)| *first))
    }

    /// First and last of each run, in order.
    pub fn iter_runs(&self) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        self.runs.iter().map(|(first, last)| (*first, *last))
    }

    /// Takes the least member out.
    pub fn pop_first(&mut self) -> Option<Seq> {
        let (first, last) = self.runs.pop_first()?;
        if last > first {
            self.runs.insert(first + 1, last);
        }
        self.len -= 1;
        Some(first)
    }

    /// The members at `from` and above it, least first.
    pub fn at_or_above(&self, from: Seq) -> impl Iterator<Item = Seq> + '_ {
        let first = self.next_from(from);
        std::iter::successors(first, |seq| self.next_from(seq + 1))
    }

    /// The members below `bound`, greatest first.
    pub fn below(&self, bound: Seq) -> impl Iterator<Item = Seq> + '_ {
        self.runs
            .range(..bound)
            .rev()
            .flat_map(move |(first, last)| (*first..=(*last).min(bound - 1)).rev())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_backlog_without_holes_is_one_run() {
        let mut set = SeqSet::default();
        for seq in 1..=100_000 {
            set.insert(seq);
        }
        assert_eq!((set.runs(), set.len()), (1, 100_000));
        assert_eq!(set.pop_first(), Some(1));
        assert_eq!((set.runs(), set.first()), (1, Some(2)));
    }

    proptest! {
        #[test]
        fn a_seq_set_behaves_as_a_set(ops in prop::collection::vec((0u8..6, 1u64..40, 0u64..9), 0..200)) {
            let (mut set, mut model) = (SeqSet::default(), BTreeSet::new());
            for (op, seq, more) in ops {
                let range = seq..=seq + more;
                match op {
                    0 | 1 => prop_assert_eq!(set.insert(seq), model.insert(seq)),
                    2 => prop_assert_eq!(set.remove(seq), model.remove(&seq)),
                    3 => {
                        let new = range.filter(|seq| model.insert(*seq)).count();
                        prop_assert_eq!(set.insert_range(seq, seq + more), new as u64);
                    }
                    4 => {
                        let gone = range.filter(|seq| model.remove(seq)).count();
                        prop_assert_eq!(set.remove_range(seq, seq + more), gone as u64);
                    }
                    _ => prop_assert_eq!(set.pop_first(), model.pop_first()),
                }
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert_eq!(set.contains(seq), model.contains(&seq));
                prop_assert_eq!(set.first(), model.first().copied());
                let runs: Vec<_> = set.iter_runs().collect();
                prop_assert!(runs.windows(2).all(|w| w[0].1 + 1 < w[1].0), "{:?}", runs);
            }
            let descending: Vec<_> = set.below(30).collect();
            let expected: Vec<_> = model.range(..30).rev().copied().collect();
            prop_assert_eq!(descending, expected);
            let ascending: Vec<_> = set.at_or_above(12).collect();
            let expected: Vec<_> = model.range(12..).copied().collect();
            prop_assert_eq!(ascending, expected);
        }
    }
}
