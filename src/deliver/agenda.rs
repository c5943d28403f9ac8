//! What is under way and what happens by the clock, told to the one who moves it by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::patience::{Errand, Patience};
use crate::clock::Timestamp;
use crate::id::Seq;
use crate::store::Token;

/// Everybody's next thing to do, and what they are doing. Cheap to clone.
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
    patience: Patience,
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    /// Nothing, until then.
    Waits(Timestamp),
    /// Nothing until then, as long as the log ends at `tail`.
    Rests { due: Timestamp, tail: Seq },
    /// Nothing, until then, although it is an attempt that has begun.
    Holds { due: Timestamp, token: Token },
    /// Its present piece of work, or question to somebody else.
    Works(Errand),
}

/// What is to be waited for before a manual clock may move on.
#[derive(Debug)]
pub(super) struct Look {
    /// Something besides attempts is under way, or should be.
    pub is_busy: bool,
    /// Attempts that need not be waited for: only the clock brings them on.
    pub aside: Vec<Token>,
    /// When somebody may have been waited for in vain, if anybody is waited for: in real time.
    pub again: Option<Duration>,
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

    /// A line for the attempt of `token`, which waits until `due`, and needs nothing but the clock.
    pub fn hold(&self, due: Timestamp, token: Token) -> Slot {
        let number = self.list().number();
        let agenda = self.clone();
        let slot = Slot { agenda, number };
        slot.set(Doing::Holds { due, token });
        slot
    }

    /// An attempt begins, which is given up at `deadline`.
    pub fn begin(&self, token: Token, deadline: Timestamp) {
        let errand = Errand::Attempt(token);
        self.list().patience.begin(errand, deadline);
        // Mostly nobody moves the clock.
        if self.changed.receiver_count() > 0 {
            self.tell();
        }
    }

    /// An attempt has ended, if it had not. To be said before it is settled.
    pub fn end(&self, token: Token) {
        self.list().patience.end(Errand::Attempt(token));
    }

    /// Somebody begins to move the clock, who waits for what hangs as long as `patience`; `at` and
    /// all that follows in real time.
    pub(super) fn renew(&self, patience: Duration, at: Duration) {
        self.list().patience.renew(patience, at);
    }

    /// What is under way at `now`, where the log ends at `log_tail`; `at` in real time.
    pub(super) fn look(&self, now: Timestamp, log_tail: Seq, at: Duration) -> Look {
        let mut list = self.list();
        let List {
            slots, patience, ..
        } = &mut *list;
        let held: BTreeSet<Token> = slots
            .values()
            .filter_map(|doing| match doing {
                Doing::Holds { due, token } if *due > now => Some(*token),
                _ => None,
            })
            .collect();
        let is_held = |errand| matches!(errand, Errand::Attempt(token) if held.contains(&token));
        let again = patience.look(now, at, is_held);
        let is_due = slots.values().any(|doing| match doing {
            Doing::Waits(due) => *due <= now,
            Doing::Rests { due, tail } => *due <= now || *tail != log_tail,
            // The attempt or the work that it belongs to is waited for.
            Doing::Holds { .. } | Doing::Works(_) => false,
        });
        let left: BTreeSet<Token> = patience.left(now).collect();
        Look {
            is_busy: is_due || patience.has_work(now),
            aside: held.union(&left).copied().collect(),
            again,
        }
    }

    /// The next moment later than `now` at which something is due, or given up.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let list = self.list();
        let dues = list.slots.values().filter_map(|doing| match doing {
            Doing::Waits(due) | Doing::Holds { due, .. } | Doing::Rests { due, .. } => Some(*due),
            Doing::Works(_) => None,
        });
        let due = dues.filter(|due| *due > now).min();
        [due, list.patience.next_deadline(now)]
            .into_iter()
            .flatten()
            .min()
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

    fn replace(&mut self, slot: u64, doing: Option<Doing>) {
        let was = match doing {
            Some(doing) => self.slots.insert(slot, doing),
            None => self.slots.remove(&slot),
        };
        if let Some(Doing::Works(errand)) = was {
            self.patience.end(errand);
        }
    }
}

impl Slot {
    /// Nothing is to be done before `due`. All that was done is on disk.
    pub fn waits_until(&self, due: Timestamp) {
        self.set(Doing::Waits(due));
    }

    /// Nothing is to be done before `due` unless something comes into the log behind `tail`: then it
    /// is thought over, and whoever moves the clock waits for that.
    pub fn rests_until(&self, due: Timestamp, tail: Seq) {
        self.set(Doing::Rests { due, tail });
    }

    /// A piece of work begins that needs nobody else, which is given up at `deadline`.
    pub fn works_until(&self, deadline: Timestamp) {
        self.begin(deadline, |_, number| Errand::Work(number));
    }

    /// Somebody else is asked, who may hang; he is given up at `deadline`.
    pub fn asks_until(&self, deadline: Timestamp) {
        self.begin(deadline, |slot, number| Errand::Question { slot, number });
    }

    fn begin(&self, deadline: Timestamp, errand: impl FnOnce(u64, u64) -> Errand) {
        {
            let mut list = self.agenda.list();
            let errand = errand(self.number, list.number());
            list.replace(self.number, Some(Doing::Works(errand)));
            list.patience.begin(errand, deadline);
        }
        self.agenda.tell();
    }

    fn set(&self, doing: Doing) {
        self.agenda.list().replace(self.number, Some(doing));
        self.agenda.tell();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.agenda.list().replace(self.number, None);
        self.agenda.tell();
    }
}

#[cfg(test)]
mod tests;
