//! What was done on purpose, so that a test can tell it from what went wrong.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::deliver::recorder::Key;
use crate::fault::Fault;
use crate::id::{DeliveryId, EventId};

/// The most entries that are kept; the oldest go first.
pub const KEPT_MAX: usize = 10_000;

/// What a watcher may be behind before it misses something.
const BEHIND_MAX: usize = 1024;

/// A fault, done or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log of faults, from 1.
    pub number: u64,
    /// At bringing what, where to.
    pub delivery: DeliveryId,
    /// Which event.
    pub event: EventId,
    /// The attempt's number.
    pub attempt: u32,
    /// What.
    pub fault: Fault,
    /// When, by the broker's clock.
    pub at: Timestamp,
    /// Whether it was done: not everything can be.
    pub done: bool,
    /// How, or why not.
    pub detail: String,
}

/// The faults of late.
#[derive(Debug)]
pub struct FaultLog {
    kept: Mutex<Kept>,
    told: broadcast::Sender<Arc<Entry>>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<u64, Arc<Entry>>,
    by_attempt: HashMap<Key, VecDeque<u64>>,
    next: u64,
}

impl Default for FaultLog {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            told: broadcast::Sender::new(BEHIND_MAX),
        }
    }
}

fn key(entry: &Entry) -> Key {
    (
        entry.delivery.endpoint(),
        entry.delivery.seq(),
        entry.attempt,
    )
}

impl FaultLog {
    /// Adds an entry, whose number is given here.
    pub(super) fn add(&self, mut entry: Entry) {
        let mut kept = self.kept();
        kept.next += 1;
        entry.number = kept.next;
        let (number, entry) = (entry.number, Arc::new(entry));
        kept.by_attempt
            .entry(key(&entry))
            .or_default()
            .push_back(number);
        kept.entries.insert(number, entry.clone());
        if kept.entries.len() > KEPT_MAX
            && let Some((_, oldest)) = kept.entries.pop_first()
            && let Some(numbers) = kept.by_attempt.get_mut(&key(&oldest))
        {
            numbers.pop_front();
            if numbers.is_empty() {
                kept.by_attempt.remove(&key(&oldest));
            }
        }
        // Nobody may be watching.
        let _ = self.told.send(entry);
    }

    /// Up to `limit` entries before the one with this number, newest first; all, if there is none.
    pub fn before(&self, number: Option<u64>, limit: usize) -> Vec<Arc<Entry>> {
        let kept = self.kept();
        let entries = kept.entries.range(..number.unwrap_or(u64::MAX)).rev();
        entries.take(limit).map(|(_, e)| e.clone()).collect()
    }

    /// The faults that an attempt suffered, in the order of their doing.
    pub fn of(&self, key: Key) -> Vec<Fault> {
        let kept = self.kept();
        let numbers = kept.by_attempt.get(&key).into_iter().flatten();
        let entries = numbers.filter_map(|number| kept.entries.get(number));
        let mut faults: Vec<Fault> = Vec::new();
        for entry in entries.filter(|entry| entry.done) {
            // An attempt that was put back is repeated under its own number.
            if !faults.contains(&entry.fault) {
                faults.push(entry.fault);
            }
        }
        faults
    }

    /// Everything that is added from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.told.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here panics halfway through a change.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_read_newest_first() {
        let log = FaultLog::default();
        let event = EventId::new(Timestamp::from_millis(0), 1, 1);
        for attempt in 1..=KEPT_MAX as u32 + 5 {
            log.add(Entry {
                number: 0,
                delivery: DeliveryId::new(event, 7),
                event,
                attempt,
                fault: Fault::Cut,
                at: Timestamp::from_millis(0),
                done: attempt % 2 == 0,
                detail: String::new(),
            });
        }
        let kept = log.kept();
        assert_eq!(
            (kept.entries.len(), kept.by_attempt.len()),
            (KEPT_MAX, KEPT_MAX)
        );
        drop(kept);
        let newest: Vec<_> = log.before(None, 2).iter().map(|e| e.number).collect();
        assert_eq!(newest, [10_005, 10_004]);
        assert_eq!(log.before(Some(7), 10).len(), 1, "the first five are gone");
        assert_eq!(log.of((7, 1, 6)), [Fault::Cut]);
        assert_eq!(log.of((7, 1, 7)), [], "it was not done");
        assert_eq!(log.of((7, 1, 2)), [], "it is gone");
    }
}
