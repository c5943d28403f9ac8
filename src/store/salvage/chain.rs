//! Which of the frames that were found belong to the log. Pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::store::projection::seqset::SeqSet;

/// A frame in the file, and what holds it in its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub at: u64,
    /// Its bytes.
    pub len: usize,
    /// Its CRC.
    pub crc: u32,
    /// The CRC that it names of the frame before it.
    pub previous: u32,
    /// How many numbers it stands for.
    pub count: u64,
    /// Bytes of the bodies in it.
    pub inline_bytes: u64,
    /// Of events with bodies outside of it: the place in the frame, the parts, the bytes.
    pub bodies: Vec<(u32, u32, u32)>,
    /// What speaks for it.
    pub trust: Trust,
}

/// What speaks for a frame; of several copies the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// It lies before the last batch of the log.
    pub is_before_the_last_batch: bool,
    /// It is in a message of the database that is whole, or a record of a volume.
    pub is_in_a_message: bool,
}

/// All frames of one kind by their first number. A database that rewrites its pages leaves copies,
/// and one that was set back, frames that never were part of the log.
#[derive(Debug, Default)]
pub struct Candidates(BTreeMap<u64, Vec<Piece>>);

impl Candidates {
    /// Takes note of a frame, once.
    pub fn add(&mut self, first: u64, piece: Piece) {
        let found = match self.0.entry(first) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                // Room for one: there are millions of them, and hardly ever a second.
                place.insert(vec![piece]);
                return;
            }
        };
        let same = |other: &&mut Piece| (other.crc, other.len) == (piece.crc, piece.len);
        match found.iter_mut().find(same) {
            Some(Piece { trust, .. }) => {
                trust.is_before_the_last_batch |= piece.trust.is_before_the_last_batch;
                trust.is_in_a_message |= piece.trust.is_in_a_message;
            }
            None => found.push(piece),
        }
    }

    /// Leaves out frames that are in no message where others of the same number are in one.
    pub fn prefer_what_is_in_a_message(&mut self) {
        for pieces in self.0.values_mut() {
            if pieces.iter().any(|piece| piece.trust.is_in_a_message) {
                pieces.retain(|piece| piece.trust.is_in_a_message);
            }
        }
    }

    /// The number behind the last frame that came before the last batch of the log.
    pub fn end_before_the_last_batch(&self) -> u64 {
        let pieces = self.0.iter().rev().flat_map(|(first, pieces)| {
            let pieces = pieces
                .iter()
                .filter(|piece| piece.trust.is_before_the_last_batch);
            pieces.map(move |piece| first + piece.count)
        });
        pieces.max().unwrap_or(0)
    }

    /// Leaves out what begins at `next` or behind it, and is only in the last batch of the log.
    pub fn forget_the_last_batch(&mut self, next: u64) {
        for (_, pieces) in self.0.range_mut(next..) {
            pieces.retain(|piece| piece.trust.is_before_the_last_batch);
        }
        self.0.retain(|_, pieces| !pieces.is_empty());
    }

    /// Leaves out what lies within `lost`: what was given up stays so, and its numbers may have
    /// been stepped over by the chain.
    pub fn forget(&mut self, lost: &SeqSet) {
        for (first, pieces) in &mut self.0 {
            pieces.retain(|piece| {
                let last = lost.run_of(*first).map(|(_, last)| last);
                last.is_none_or(|last| last.saturating_add(1) < *first + piece.count)
            });
        }
        self.0.retain(|_, pieces| !pieces.is_empty());
    }

    /// Those that are of one chain. Where two contradict each other, neither is believed: better a
    /// record too few than a wrong one.
    pub fn chain(self) -> BTreeMap<u64, Piece> {
        let one_end = |(first, piece): (u64, &Piece)| (first + piece.count, piece.crc);
        let is_disputed = |first: &u64| self.0.get(first).is_some_and(|pieces| pieces.len() > 1);
        let all = self.0.iter();
        let all = all.flat_map(|(first, pieces)| pieces.iter().map(|piece| (*first, piece)));
        // Links decide between several with one number only.
        let ends: HashSet<(u64, u32)> = all
            .map(one_end)
            .filter(|(end, _)| is_disputed(end))
            .collect();
        let links = |first: u64, piece: &Piece| {
            let behind = self.0.get(&(first + piece.count));
            let follows = behind.is_some_and(|b| b.iter().any(|b| b.previous == piece.crc));
            usize::from(follows) + usize::from(ends.contains(&(first, piece.previous)))
        };
        let mut decided: HashMap<u64, Option<u32>> = HashMap::new();
        for (first, pieces) in self.0.iter().filter(|(first, _)| is_disputed(first)) {
            let most = pieces.iter().map(|piece| links(*first, piece)).max();
            let mut best = pieces
                .iter()
                .filter(|piece| Some(links(*first, piece)) == most);
            let crc = match (best.next(), best.next()) {
                (Some(piece), None) => Some(piece.crc),
                _ => None,
            };
            decided.insert(*first, crc);
        }
        let mut chosen: BTreeMap<u64, Piece> = BTreeMap::new();
        for (first, pieces) in self.0 {
            let best = |piece: &Piece| match decided.get(&first) {
                Some(crc) => *crc == Some(piece.crc),
                None => true,
            };
            let piece = pieces.into_iter().find(best);
            chosen.extend(piece.map(|piece| (first, piece)));
        }
        let mut refused = HashSet::new();
        for (one, other) in chosen.iter().zip(chosen.iter().skip(1)) {
            let ((first, piece), (next, behind)) = (one, other);
            let end = first + piece.count;
            if end > *next || (end == *next && behind.previous != piece.crc) {
                let is_in = [piece, behind].map(|piece| piece.trust.is_in_a_message);
                refused.extend((!is_in[0] || is_in[1]).then_some(*first));
                refused.extend((!is_in[1] || is_in[0]).then_some(*next));
            }
        }
        chosen
            .retain(|first, piece| !refused.contains(first) && (*first > 1 || piece.previous == 0));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(pieces: &[(u64, u64, u32, u32)]) -> Candidates {
        let mut candidates = Candidates::default();
        for (first, count, crc, previous) in pieces.iter().copied() {
            let piece = Piece {
                crc,
                previous,
                count,
                ..Piece::default()
            };
            candidates.add(first, piece);
        }
        candidates
    }

    fn firsts(candidates: Candidates) -> Vec<(u64, u32)> {
        let chain = candidates.chain().into_iter();
        chain.map(|(first, piece)| (first, piece.crc)).collect()
    }

    #[test]
    fn of_two_frames_with_one_number_the_linked_one_is_taken() {
        let found = candidates(&[
            (1, 2, 10, 0),
            (3, 1, 20, 10),
            (3, 1, 21, 99),
            (4, 1, 30, 20),
        ]);
        assert_eq!(firsts(found), [(1, 10), (3, 20), (4, 30)]);
        let undecided = candidates(&[(3, 1, 20, 10), (3, 1, 21, 11)]);
        assert_eq!(firsts(undecided), []);
    }

    #[test]
    fn frames_that_contradict_each_other_are_not_believed() {
        let found = candidates(&[(1, 1, 10, 0), (2, 1, 20, 11), (4, 1, 40, 30)]);
        assert_eq!(
            firsts(found),
            [(4, 40)],
            "after a hole nothing is contradicted"
        );
        let overlapping = candidates(&[(1, 3, 10, 0), (2, 1, 20, 10)]);
        assert_eq!(firsts(overlapping), []);
        assert_eq!(
            firsts(candidates(&[(1, 1, 10, 7)])),
            [],
            "the first has none before it"
        );
    }

    #[test]
    fn what_was_given_up_is_not_in_the_way_of_what_came_after_it() {
        let mut found = candidates(&[(1, 1, 10, 0), (2, 2, 20, 10), (4, 1, 40, 10)]);
        let mut lost = SeqSet::default();
        lost.insert_range(2, 3);
        found.forget(&lost);
        assert_eq!(firsts(found), [(1, 10), (4, 40)]);
    }
}
