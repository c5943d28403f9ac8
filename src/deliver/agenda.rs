//! What else than deliveries happens by the clock, told to the one who moves it by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::id::Seq;

/// Everybody's next thing to do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Agenda {
    list: Arc<Mutex<List>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct List {
    slots: BTreeMap<u64, Doing>,
    /// Tells slots and pieces of work apart.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    /// Nothing, until then.
    Waits(Timestamp),
    /// Nothing until then, as long as the log ends at `tail`.
    Rests { due: Timestamp, tail: Seq },
    /// Nothing, until then, although it is an attempt that has begun.
    Holds(Timestamp),
    /// Its present piece of work, which is given up by the deadline.
    Works { deadline: Timestamp, number: u64 },
}

/// One's own line of the agenda, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    agenda: Agenda,
    number: u64,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            list: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Agenda {
    /// A line for something that is due at `due`.
    pub fn join(&self, due: Timestamp) -> Slot {
        let number = self.list().number();
        let agenda = self.clone();
        let slot = Slot { agenda, number };
        slot.waits_until(due);
        slot
    }

    /// A line for an attempt under way that waits until `due`, and needs nothing but the clock.
    pub fn hold(&self, due: Timestamp) -> Slot {
        let number = self.list().number();
        let agenda = self.clone();
        let slot = Slot { agenda, number };
        slot.set(|_| Doing::Holds(due));
        slot
    }

    /// How many attempts under way wait at `now` for nothing but the clock.
    pub fn held(&self, now: Timestamp) -> usize {
        let list = self.list();
        let waits = |doing: &&Doing| matches!(doing, Doing::Holds(due) if *due > now);
        list.slots.values().filter(waits).count()
    }

    /// Whether anything is under way at `now`, or should be, where the log ends at `log_tail`.
    pub fn is_busy(&self, now: Timestamp, log_tail: Seq) -> bool {
        self.list().slots.values().any(|doing| match doing {
            Doing::Waits(due) => *due <= now,
            Doing::Rests { due, tail } => *due <= now || *tail != log_tail,
            Doing::Works { .. } => true,
            // The attempt that it belongs to is counted among those under way.
            Doing::Holds(_) => false,
        })
    }

    /// The next moment at which something is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        let list = self.list();
        let dues = list.slots.values().filter_map(|doing| match doing {
            Doing::Waits(due) | Doing::Holds(due) | Doing::Rests { due, .. } => Some(*due),
            Doing::Works { .. } => None,
        });
        dues.min()
    }

    /// The work under way whose deadline is the nearest, and what tells it from any other.
    pub fn oldest_work(&self) -> Option<(Timestamp, u64)> {
        let list = self.list();
        let works = list.slots.values().filter_map(|doing| match doing {
            Doing::Waits(_) | Doing::Holds(_) | Doing::Rests { .. } => None,
            Doing::Works { deadline, number } => Some((*deadline, *number)),
        });
        works.min()
    }

    /// Changes with every line of it.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing in here panics halfway through a change.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl List {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Slot {
    /// Nothing is to be done before `due`. All that was done is on disk.
    pub fn waits_until(&self, due: Timestamp) {
        self.set(|_| Doing::Waits(due));
    }

    /// Nothing is to be done before `due` unless something comes into the log behind `tail`: then it
    /// is thought over, and whoever moves the clock waits for that.
    pub fn rests_until(&self, due: Timestamp, tail: Seq) {
        self.set(|_| Doing::Rests { due, tail });
    }

    /// A piece of work begins, which is given up at `deadline`.
    pub fn works_until(&self, deadline: Timestamp) {
        self.set(|number| Doing::Works { deadline, number });
    }

    fn set(&self, doing: impl FnOnce(u64) -> Doing) {
        {
            let mut list = self.agenda.list();
            let number = list.number();
            list.slots.insert(self.number, doing(number));
        }
        self.agenda.tell();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.agenda.list().slots.remove(&self.number);
        self.agenda.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn an_agenda_is_busy_while_something_is_due_or_under_way_and_forgets_who_leaves() {
        let agenda = Agenda::default();
        assert_eq!((agenda.is_busy(at(0), 1), agenda.next_due()), (false, None));
        let (one, other) = (agenda.join(at(10)), agenda.join(at(20)));
        assert!(!agenda.is_busy(at(9), 1) && agenda.is_busy(at(10), 1));
        assert_eq!(agenda.next_due(), Some(at(10)));
        one.works_until(at(30));
        let first = agenda.oldest_work();
        assert!(agenda.is_busy(at(0), 1) && agenda.next_due() == Some(at(20)));
        one.works_until(at(30));
        assert_ne!(agenda.oldest_work(), first, "another piece of work");
        one.waits_until(at(40));
        assert_eq!(
            (agenda.is_busy(at(0), 1), agenda.oldest_work()),
            (false, None)
        );
        drop(other);
        assert_eq!(agenda.next_due(), Some(at(40)));
    }

    #[test]
    fn who_rests_is_busy_as_soon_as_the_log_is_longer_than_he_knows() {
        let agenda = Agenda::default();
        let slot = agenda.join(at(0));
        slot.rests_until(at(50), 7);
        assert_eq!(agenda.next_due(), Some(at(50)));
        assert!(!agenda.is_busy(at(49), 7));
        assert!(agenda.is_busy(at(49), 8) && agenda.is_busy(at(50), 7));
    }
}
