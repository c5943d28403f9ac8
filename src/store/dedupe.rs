//! The duplicate window: which idempotency keys were used lately, and for which event.
//!
//! A projection of the log's last hours. Keys are kept as 128-bit keyed hashes, so that an entry
//! has a fixed size and a stranger cannot make two keys collide.

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::id::Seq;

/// An event that was received within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its position.
    pub seq: Seq,
    /// When it was received.
    pub received_at: Timestamp,
}

/// The duplicate window.
#[derive(Debug)]
pub struct Dedupe {
    secret: [u64; 2],
    window: Duration,
    max_entries: usize,
    entries: HashMap<u128, Seen>,
    oldest_first: VecDeque<u128>,
    /// How many entries were forgotten before their time, because there were too many.
    pub forgotten_early: u64,
}

impl Dedupe {
    /// An empty window. `max_entries` bounds its memory, at about 85 bytes each.
    pub fn new(secret: [u64; 2], window: Duration, max_entries: usize) -> Self {
        Self {
            secret,
            window,
            max_entries: max_entries.max(1),
            entries: HashMap::new(),
            oldest_first: VecDeque::new(),
            forgotten_early: 0,
        }
    }

    /// What `event` is known by, if it has an idempotency key. Keys of different sources never
    /// meet.
    pub fn hash(&self, event: &NewEvent) -> Option<u128> {
        let key = event.idempotency_key.as_ref()?;
        let mut hasher = SipHasher13::new_with_keys(self.secret[0], self.secret[1]);
        hasher.write_usize(event.source.len());
        hasher.write(event.source.as_bytes());
        hasher.write(key.as_bytes());
        Some(hasher.finish128().as_u128())
    }

    /// The event that used this key within the window that ends at `now`.
    pub fn find(&self, hash: u128, now: Timestamp) -> Option<Seen> {
        self.entries
            .get(&hash)
            .copied()
            .filter(|seen| now.since(seen.received_at) < self.window)
    }

    /// Remembers the first use of a key.
    pub fn insert(&mut self, hash: u128, seen: Seen) {
        self.expire(seen.received_at);
        if self.entries.len() >= self.max_entries {
            self.forget_oldest();
            self.forgotten_early += 1;
        }
        // After a clock that went back, a key can be here still although its window has passed.
        if self.entries.insert(hash, seen).is_none() {
            self.oldest_first.push_back(hash);
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.oldest_first.front() {
            let seen = self.entries.get(oldest);
            if seen.is_some_and(|seen| now.since(seen.received_at) < self.window) {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(hash) = self.oldest_first.pop_front() {
            self.entries.remove(&hash);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.len()
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

    fn seen(seq: Seq, seconds: i64) -> Seen {
        Seen {
            seq,
            received_at: Timestamp::from_millis(seconds * 1000),
        }
    }

    fn window(max_entries: usize) -> Dedupe {
        Dedupe::new([1, 2], Duration::from_secs(4 * 3600), max_entries)
    }

    #[test]
    fn zeb_28_a_key_is_remembered_for_four_hours_and_not_a_millisecond_longer() {
        let mut dedupe = window(10);
        dedupe.insert(1, seen(7, 0));
        let edge = 4 * 3600 * 1000;
        assert!(dedupe.find(1, Timestamp::from_millis(edge - 1)).is_some());
        assert!(dedupe.find(1, Timestamp::from_millis(edge)).is_none());
        dedupe.insert(1, seen(8, 4 * 3600));
        dedupe.insert(2, seen(9, 4 * 3600 + 1));
        assert_eq!(
            dedupe.find(1, Timestamp::from_millis(edge)).map(|s| s.seq),
            Some(8)
        );
    }

    #[test]
    fn memory_is_bounded_by_forgetting_the_oldest_key_and_counting_it() {
        let mut dedupe = window(2);
        for n in 0..3 {
            dedupe.insert(u128::from(n), seen(n, n as i64));
        }
        assert_eq!((dedupe.len(), dedupe.forgotten_early), (2, 1));
        assert!(dedupe.find(0, Timestamp::from_millis(2000)).is_none());
        assert_eq!(dedupe.snapshot().len(), 2);
    }
}
