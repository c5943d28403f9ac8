//! Sets of sequence numbers with many holes: never more than a bit for each number, and a run of
//! whole blocks costs as little as a run of a [`SeqSet`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seqset::SeqSet;
use crate::id::Seq;
use block::{ALL, Bits, Block, NONE, NUMBERS};

mod block;

/// A set of sequence numbers, in blocks of 4,096.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSet {
    /// The numbers of blocks all of which are members.
    full: SeqSet,
    /// Blocks that are neither full nor empty.
    mixed: BTreeMap<u64, Block>,
    len: u64,
}

/// A part of a range: whole blocks, or places in one.
enum Part {
    Whole(u64, u64),
    Within(u64, u64, u64),
}

impl BlockSet {
    /// How many members.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory that it takes, about.
    #[cfg(test)]
    pub fn memory_bytes(&self) -> usize {
        let mixed = self.mixed.values().map(|block| block.memory_bytes() + 40);
        self.full.runs() * 32 + mixed.sum::<usize>()
    }

    /// Whether `seq` is a member.
    pub fn contains(&self, seq: Seq) -> bool {
        self.next_from(seq) == Some(seq)
    }

    /// Adds `seq`.
    pub fn insert(&mut self, seq: Seq) {
        self.insert_range(seq, seq);
    }

    /// Adds every number from `from` to `to`.
    pub fn insert_range(&mut self, from: Seq, to: Seq) {
        for part in parts(from, to) {
            match part {
                Part::Whole(first, last) => {
                    self.clear_mixed(first, last);
                    self.len += self.full.insert_range(first, last) * NUMBERS;
                }
                Part::Within(block, from, to) => {
                    self.edit(block, |bits| block::set(bits, from, to, true));
                }
            }
        }
    }

    /// Takes out every number from `from` to `to`.
    pub fn remove_range(&mut self, from: Seq, to: Seq) {
        for part in parts(from, to) {
            match part {
                Part::Whole(first, last) => {
                    self.clear_mixed(first, last);
                    self.len -= self.full.remove_range(first, last) * NUMBERS;
                }
                Part::Within(block, from, to) => {
                    self.edit(block, |bits| block::set(bits, from, to, false));
                }
            }
        }
    }

    /// Adds every number of these runs.
    pub fn insert_runs(&mut self, runs: impl IntoIterator<Item = (Seq, Seq)>) {
        for (from, to) in runs {
            self.insert_range(from, to);
        }
    }

    /// Takes out every number of these runs.
    pub fn remove_runs(&mut self, runs: impl IntoIterator<Item = (Seq, Seq)>) {
        for (from, to) in runs {
            self.remove_range(from, to);
        }
    }

    /// Adds every member of `other`, as fast as it has few blocks, however many runs.
    pub fn absorb(&mut self, other: &Self) {
        for (first, last) in other.full.iter_runs() {
            self.insert_range(first * NUMBERS, last * NUMBERS + (NUMBERS - 1));
        }
        for (number, block) in &other.mixed {
            let more = block.bits();
            self.edit(*number, |bits| {
                for (word, more) in bits.iter_mut().zip(more.iter()) {
                    *word |= more;
                }
            });
        }
    }

    /// Takes out every member of `other`.
    pub fn remove_all(&mut self, other: &Self) {
        for (first, last) in other.full.iter_runs() {
            self.remove_range(first * NUMBERS, last * NUMBERS + (NUMBERS - 1));
        }
        for (number, block) in &other.mixed {
            let less = block.bits();
            self.edit(*number, |bits| {
                for (word, less) in bits.iter_mut().zip(less.iter()) {
                    *word &= !less;
                }
            });
        }
    }

    /// The members from `from` to `to`.
    pub fn within(&self, from: Seq, to: Seq) -> Self {
        let mut within = self.clone();
        if let Some(before) = from.checked_sub(1) {
            within.remove_range(0, before);
        }
        within.remove_range(to.saturating_add(1), Seq::MAX);
        within
    }

    /// First and last of the run that holds `seq`.
    pub fn run_of(&self, seq: Seq) -> Option<(Seq, Seq)> {
        let last = self.run_end(seq)?;
        let first = self.last_to_as(seq, false).map_or(0, |before| before + 1);
        Some((first, last))
    }

    /// The last of the run that holds `seq`.
    pub fn run_end(&self, seq: Seq) -> Option<Seq> {
        if !self.contains(seq) {
            return None;
        }
        let mut block = seq / NUMBERS;
        let mut from = seq % NUMBERS;
        loop {
            if let Some((_, last)) = self.full.run_of(block) {
                block = last;
            } else {
                let behind = block::next(&self.bits(block), from, false);
                if let Some(behind) = behind {
                    return Some(block * NUMBERS + behind - 1);
                }
            }
            (block, from) = (block + 1, 0);
        }
    }

    /// The least member at `seq` or above it.
    pub fn next_from(&self, seq: Seq) -> Option<Seq> {
        let (mut block, mut from) = (seq / NUMBERS, seq % NUMBERS);
        loop {
            if self.full.contains(block) {
                return Some(block * NUMBERS + from);
            }
            if let Some(mixed) = self.mixed.get(&block)
                && let Some(found) = block::next(&mixed.bits(), from, true)
            {
                return Some(block * NUMBERS + found);
            }
            let full = self.full.next_from(block + 1);
            let mixed = self.mixed.range(block + 1..).next().map(|(n, _)| *n);
            (block, from) = (full.into_iter().chain(mixed).min()?, 0);
        }
    }

    /// The greatest member at `seq` or below it.
    pub fn last_to(&self, seq: Seq) -> Option<Seq> {
        self.last_to_as(seq, true)
    }

    /// The greatest number at `seq` or below it that is a member, or is none.
    fn last_to_as(&self, seq: Seq, is_member: bool) -> Option<Seq> {
        let (mut block, mut from) = (seq / NUMBERS, seq % NUMBERS);
        loop {
            if let Some(found) = block::previous(&self.bits(block), from, is_member) {
                return Some(block * NUMBERS + found);
            }
            let before = match is_member {
                true => {
                    let full = self.full.below(block).next();
                    let mixed = self.mixed.range(..block).next_back().map(|(n, _)| *n);
                    full.into_iter().chain(mixed).max()
                }
                // A block that is full says nothing of where its run begins.
                false => {
                    let first = self.full.run_of(block).map_or(block, |(first, _)| first);
                    first.checked_sub(1)
                }
            };
            (block, from) = (before?, NUMBERS - 1);
        }
    }

    /// First and last of each run, in order.
    pub fn iter_runs(&self) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let first = self.next_from(at)?;
            let last = self.run_end(first)?;
            at = last + 1;
            Some((first, last))
        })
    }

    /// First and last of each run of numbers from `from` to `to` that are no members, in order.
    pub fn gaps(&self, from: Seq, to: Seq) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            if let Some(last) = self.run_end(at) {
                at = last + 1;
            }
            if at > to {
                return None;
            }
            let first = at;
            at = self
                .next_from(first)
                .map_or(to + 1, |next| next.min(to + 1));
            Some((first, at - 1))
        })
    }

    fn bits(&self, block: u64) -> std::borrow::Cow<'_, Bits> {
        use std::borrow::Cow;
        match self.mixed.get(&block) {
            Some(mixed) => mixed.bits(),
            None if self.full.contains(block) => Cow::Borrowed(&ALL),
            None => Cow::Borrowed(&NONE),
        }
    }

    fn edit(&mut self, number: u64, change: impl FnOnce(&mut Bits)) {
        let mut bits = *self.bits(number);
        let before = block::count(&bits);
        change(&mut bits);
        let after = block::count(&bits);
        if after == before {
            return;
        }
        self.len = self.len + after - before;
        match after {
            NUMBERS => drop(self.full.insert(number)),
            _ => drop(self.full.remove(number)),
        }
        match after {
            0 | NUMBERS => drop(self.mixed.remove(&number)),
            _ => drop(self.mixed.insert(number, Block::of(&bits))),
        }
    }

    fn clear_mixed(&mut self, first: u64, last: u64) {
        let within: Vec<u64> = self.mixed.range(first..=last).map(|(n, _)| *n).collect();
        for number in within {
            self.edit(number, |bits| *bits = NONE);
        }
    }
}

/// The range cut at the borders of blocks.
fn parts(from: Seq, to: Seq) -> impl Iterator<Item = Part> {
    let (mut at, end) = (from, to.min(Seq::MAX - 1));
    std::iter::from_fn(move || {
        if at > end {
            return None;
        }
        let (block, place) = (at / NUMBERS, at % NUMBERS);
        let whole = (end + 1) / NUMBERS;
        if place == 0 && whole > block {
            at = whole * NUMBERS;
            return Some(Part::Whole(block, whole - 1));
        }
        let last = (end - block * NUMBERS).min(NUMBERS - 1);
        at = block * NUMBERS + last + 1;
        Some(Part::Within(block, place, last))
    })
}

#[cfg(test)]
mod tests;
