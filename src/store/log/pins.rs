//! Pins: what somebody still reads of the log, so that nothing deletes it under them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Log;
use crate::id::Seq;

/// What is held of one log. Clones are of the same log.
#[derive(Clone, Debug, Default)]
pub struct Pins(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    /// The first event that each pin holds.
    floors: BTreeMap<u64, Seq>,
    next: u64,
}

/// While it lives, every event from its floor on stays readable, with the parts of its body, and
/// every transition that has an `as_of` at or above the floor.
#[derive(Debug)]
pub struct Pin {
    pins: Pins,
    number: u64,
}

/// Leave to delete. While it lives, no pin is taken: whoever wants one waits.
#[derive(Debug)]
pub struct Deletion<'a> {
    _held: MutexGuard<'a, Held>,
    below: Seq,
}

impl Pins {
    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds everything from the event `floor` on; 1 is everything that is there. Waits for a
    /// deletion that is under way.
    pub fn hold(&self, floor: Seq) -> Pin {
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        held.floors.insert(number, floor);
        Pin {
            pins: self.clone(),
            number,
        }
    }

    /// Leave to delete what lies below `wanted`, or below the lowest floor if that is less:
    /// [`Deletion::below`] says which. Keep it until the records are gone and nothing points to
    /// them.
    pub fn delete_below(&self, wanted: Seq) -> Deletion<'_> {
        let held = self.held();
        let floor = held.floors.values().min().copied();
        Deletion {
            below: floor.map_or(wanted, |floor| floor.min(wanted)),
            _held: held,
        }
    }
}

impl<B> Log<B> {
    /// What is being read of this log, and so must not be deleted.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }
}

impl Deletion<'_> {
    /// Only what lies below this event may go.
    pub fn below(&self) -> Seq {
        self.below
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pins.held().floors.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_goes_no_further_than_the_lowest_pin() {
        let pins = Pins::default();
        assert_eq!(pins.delete_below(100).below(), 100);
        let low = pins.hold(7);
        let high = pins.hold(50);
        assert_eq!(pins.delete_below(100).below(), 7);
        assert_eq!(pins.delete_below(3).below(), 3);
        drop(low);
        assert_eq!(pins.delete_below(100).below(), 50);
        drop(high);
        assert_eq!(pins.delete_below(100).below(), 100);
    }

    #[test]
    fn nothing_is_pinned_while_something_is_deleted() {
        let pins = Pins::default();
        let deletion = pins.delete_below(100);
        assert!(pins.0.try_lock().is_err());
        drop(deletion);
        assert!(pins.0.try_lock().is_ok());
    }
}
