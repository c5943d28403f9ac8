//! The duplicate window: which idempotency keys were used lately, and for which event.
//!
//! A projection of the log's last hours. Keys are kept as 128-bit keyed hashes, so that an entry
//! has a fixed size and a stranger cannot make two keys collide.

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::{Moment, Timestamp};
use crate::event::NewEvent;
use crate::id::{EventId, Seq};
use crate::store::Appended;

/// An event that was received within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its position.
    pub seq: Seq,
    /// When it was received.
    pub received_at: Timestamp,
}

impl Seen {
    /// What is answered to whoever sent it, in the store tagged `store_tag`.
    pub fn answered(self, store_tag: u32, duplicate: bool) -> Appended {
        Appended {
            id: EventId::new(self.received_at, self.seq, store_tag),
            seq: self.seq,
            duplicate,
        }
    }
}

/// The duplicate window.
#[derive(Debug)]
pub struct Dedupe {
    secret: [u64; 2],
    window: Duration,
    max_entries: usize,
    entries: HashMap<u128, Seen>,
    oldest_first: VecDeque<u128>,
    /// From which event on the clock had been set by how much: ages are counted by time that
    /// passes evenly. Each has an event that is remembered, so there are no more than those.
    eras: VecDeque<(Seq, i64)>,
    opened_at: Timestamp,
    /// How many entries were forgotten before their time, because there were too many.
    pub forgotten_early: u64,
}

impl Dedupe {
    /// An empty window, from `opened_at` on. `max_entries` bounds its memory, at about 85 bytes
    /// each.
    pub fn new(
        secret: [u64; 2],
        window: Duration,
        max_entries: usize,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            secret,
            window,
            max_entries: max_entries.max(1),
            entries: HashMap::new(),
            oldest_first: VecDeque::new(),
            eras: VecDeque::new(),
            opened_at,
            forgotten_early: 0,
        }
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What `event` is known by, if it has an idempotency key. Keys of different sources never
    /// meet.
    pub fn hash(&self, event: &NewEvent) -> Option<u128> {
        let key = event.idempotency_key.as_ref()?;
        Some(self.hash_of(&event.source, key))
    }

    /// What an event of `source` with the idempotency key `key` is known by.
    pub fn hash_of(&self, source: &str, key: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_keys(self.secret[0], self.secret[1]);
        hasher.write_usize(source.len());
        hasher.write(source.as_bytes());
        hasher.write(key.as_bytes());
        hasher.finish128().as_u128()
    }

    /// The event that used this key within the window that ends at `moment`.
    pub fn find(&self, hash: u128, moment: Moment) -> Option<Seen> {
        let seen = self.entries.get(&hash).copied()?;
        self.is_within(&seen, moment.steady()).then_some(seen)
    }

    /// Remembers the first use of a key, at `moment`.
    pub fn insert(&mut self, hash: u128, seen: Seen, moment: Moment) {
        self.expire(moment.steady());
        let stepped_ms = moment.stepped_ms;
        if self.eras.back().is_none_or(|(_, last)| *last != stepped_ms) {
            self.eras.push_back((seen.seq, stepped_ms));
        }
        self.put(hash, seen);
    }

    /// Remembers a key that was used before this process began, oldest first.
    pub fn restore(&mut self, hash: u128, seen: Seen) {
        // A clock that was set back while nobody ran has not made the others older.
        self.expire(seen.received_at.min(self.opened_at));
        self.put(hash, seen);
    }

    /// Forgets the keys of events that are not wanted any more: whoever repeats one is no duplicate
    /// of anything.
    pub fn retain(&mut self, wanted: impl Fn(Seq) -> bool) {
        self.entries.retain(|_, seen| wanted(seen.seq));
        let entries = &self.entries;
        self.oldest_first.retain(|hash| entries.contains_key(hash));
        self.forget_eras();
    }

    fn put(&mut self, hash: u128, seen: Seen) {
        if self.entries.len() >= self.max_entries {
            self.forget_oldest();
            self.forgotten_early += 1;
        }
        // After a clock that went back, a key can be here still although its window has passed.
        if self.entries.insert(hash, seen).is_none() {
            self.oldest_first.push_back(hash);
        }
    }

    /// Whether the window that ends at `now` holds the event, both by time that passes evenly.
    fn is_within(&self, seen: &Seen, now: Timestamp) -> bool {
        let eras_until = self.eras.partition_point(|(first, _)| *first <= seen.seq);
        let era = eras_until.checked_sub(1).and_then(|at| self.eras.get(at));
        let used_at = match era {
            Some((_, stepped_ms)) => seen.received_at.moved(stepped_ms.saturating_neg()),
            // One from the future shows that the clock was set back while no process ran.
            None => seen.received_at.min(self.opened_at),
        };
        now.since(used_at) < self.window
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.oldest_first.front() {
            let seen = self.entries.get(oldest);
            if seen.is_some_and(|seen| self.is_within(seen, now)) {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(hash) = self.oldest_first.pop_front() {
            self.entries.remove(&hash);
        }
        self.forget_eras();
    }

    /// Forgets the eras that no event is left of.
    fn forget_eras(&mut self) {
        let oldest = self.oldest_first.front();
        let oldest = oldest.and_then(|hash| self.entries.get(hash));
        let first = oldest.map_or(Seq::MAX, |seen| seen.seq);
        while self.eras.get(1).is_some_and(|(next, _)| *next <= first) {
            self.eras.pop_front();
        }
    }

    /// What a snapshot keeps, oldest first.
    pub fn snapshot(&self) -> Vec<(u128, Seen)> {
        let entries = self.oldest_first.iter();
        entries
            .filter_map(|hash| Some((*hash, *self.entries.get(hash)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW_S: i64 = 4 * 3600;
    const YEAR_S: i64 = 365 * 86_400;

    fn seen(seq: Seq, seconds: i64) -> Seen {
        Seen {
            seq,
            received_at: Timestamp::from_millis(seconds * 1000),
        }
    }

    /// What a clock shows after `seconds` that was set by `stepped` of them.
    fn moment(seconds: i64, stepped: i64) -> Moment {
        Moment {
            now: Timestamp::from_millis(seconds * 1000),
            stepped_ms: stepped * 1000,
        }
    }

    fn window(max_entries: usize) -> Dedupe {
        let window = Duration::from_secs(WINDOW_S as u64);
        Dedupe::new([1, 2], window, max_entries, Timestamp::from_millis(0))
    }

    /// Puts in a key that the clock says was used after `seconds`.
    fn insert(dedupe: &mut Dedupe, hash: u128, seq: Seq, at: Moment) {
        let received_at = at.now;
        dedupe.insert(hash, Seen { seq, received_at }, at);
    }

    #[test]
    fn zeb_28_a_key_is_remembered_for_four_hours_and_not_a_millisecond_longer() {
        let mut dedupe = window(10);
        insert(&mut dedupe, 1, 7, moment(0, 0));
        let edge = moment(WINDOW_S, 0);
        let before = Moment {
            now: edge.now.moved(-1),
            ..edge
        };
        assert!(dedupe.find(1, before).is_some());
        assert!(dedupe.find(1, edge).is_none());
        insert(&mut dedupe, 1, 8, edge);
        insert(&mut dedupe, 2, 9, moment(WINDOW_S + 1, 0));
        assert_eq!(dedupe.find(1, edge).map(|s| s.seq), Some(8));
    }

    #[test]
    fn memory_is_bounded_by_forgetting_the_oldest_key_and_counting_it() {
        let mut dedupe = window(2);
        for n in 0..3 {
            insert(&mut dedupe, u128::from(n), n, moment(n as i64, 0));
        }
        assert_eq!((dedupe.len(), dedupe.forgotten_early), (2, 1));
        assert!(dedupe.find(0, moment(2, 0)).is_none());
        assert_eq!(dedupe.snapshot().len(), 2);
    }

    #[test]
    fn a_clock_that_is_set_makes_the_window_neither_shorter_nor_longer() {
        for step in [YEAR_S, -YEAR_S, -600] {
            let mut dedupe = window(10);
            insert(&mut dedupe, 1, 1, moment(0, 0));
            // Sixty seconds later by time that passes.
            insert(&mut dedupe, 2, 2, moment(60 + step, step));
            assert!(dedupe.find(1, moment(WINDOW_S - 1 + step, step)).is_some());
            assert!(dedupe.find(1, moment(WINDOW_S + step, step)).is_none());
            assert!(dedupe.find(2, moment(WINDOW_S + 59 + step, step)).is_some());
            assert!(dedupe.find(2, moment(WINDOW_S + 60 + step, step)).is_none());
            // And set right again.
            assert!(dedupe.find(2, moment(WINDOW_S + 59, 0)).is_some());
            assert!(dedupe.find(2, moment(WINDOW_S + 60, 0)).is_none());
        }
    }

    #[test]
    fn a_clock_that_is_set_again_and_again_leaves_nothing_behind() {
        let mut dedupe = window(10);
        for n in 0..1_000 {
            let step = if n % 2 == 0 { YEAR_S } else { 0 };
            insert(&mut dedupe, u128::from(n), n, moment(n as i64 + step, step));
        }
        assert!(dedupe.eras.len() <= dedupe.len(), "{}", dedupe.eras.len());
        insert(&mut dedupe, 1_000, 1_000, moment(1_000 + WINDOW_S, 0));
        assert_eq!((dedupe.len(), dedupe.eras.len()), (1, 1));
    }

    #[test]
    fn a_key_from_the_future_is_remembered_for_the_window_and_not_until_then() {
        let mut dedupe = window(10);
        dedupe.restore(1, seen(1, YEAR_S));
        dedupe.restore(2, seen(2, YEAR_S + 60));
        dedupe.restore(3, seen(3, -10));
        for from_the_future in [1, 2] {
            assert!(
                dedupe
                    .find(from_the_future, moment(WINDOW_S - 1, 0))
                    .is_some()
            );
            assert!(dedupe.find(from_the_future, moment(WINDOW_S, 0)).is_none());
        }
        assert!(dedupe.find(3, moment(WINDOW_S - 10, 0)).is_none());
    }
}
