//! Who may begin an attempt: there is not a place for everybody who has something to attempt.

use super::State;
use crate::clock::Timestamp;
use crate::store::projection::queue::Readiness;

impl State {
    /// How many places are taken by endpoints that hang.
    pub(super) fn taken_by_hanging(&self) -> usize {
        let hanging = self.hanging.iter();
        let hanging = hanging.filter_map(|number| self.entries.get(number));
        hanging.map(|entry| entry.queue.in_flight()).sum()
    }

    /// Whether the endpoint may begin an attempt, where `hanging` of `in_flight_max` places are taken
    /// by endpoints that hang.
    pub(super) fn has_room(&self, number: u32, in_flight_max: usize, hanging: usize) -> bool {
        let half = in_flight_max.div_ceil(2);
        let hangs = self.hanging.contains(&number);
        let entry = self.entries.get(&number);
        let busy = entry.is_some_and(|entry| entry.queue.in_flight() > 0);
        !(busy && (hangs || self.in_flight >= half)) && !(hangs && hanging >= half)
    }

    /// When an attempt may begin next; now, if one may. What is due and has no place waits for the
    /// end of an attempt, and must not hide what is due later and will have one.
    pub fn next_due(&mut self, now: Timestamp, in_flight_max: usize) -> Option<Timestamp> {
        if now < self.latest {
            self.forgive_a_clock_that_went_back(now);
        }
        // While there is no place at all, nobody takes what falls due out of the timers.
        self.wake(now);
        while let Some(number) = self.ready.front().copied() {
            let entry = self.entries.get_mut(&number)?;
            if entry.queue.readiness(now) == Readiness::Now {
                break;
            }
            // It was ready once, and is paused, busy or empty by now.
            self.ready.pop_front();
            entry.in_ready = false;
            self.refresh(number, now);
        }
        if self.in_flight < in_flight_max && self.may_begin(now, in_flight_max) {
            return Some(now);
        }
        self.timers.first().map(|(due, _)| *due)
    }

    fn may_begin(&self, now: Timestamp, in_flight_max: usize) -> bool {
        let mut hanging = None;
        self.ready.iter().any(|number| {
            let entry = self.entries.get(number);
            entry.is_some_and(|entry| entry.queue.readiness(now) == Readiness::Now) && {
                let hanging = *hanging.get_or_insert_with(|| self.taken_by_hanging());
                self.has_room(*number, in_flight_max, hanging)
            }
        })
    }
}
