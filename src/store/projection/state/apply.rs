//! What each record does to the state.

use std::sync::Arc;
use std::time::Duration;

use super::{Entry, State};
use crate::clock::Timestamp;
use crate::endpoint::{Endpoint, EndpointState};
use crate::id::Seq;
use crate::store::projection::queue::{Queue, Then};
use crate::store::record::Transition;

/// An attempt that took so long and had no answer says that its receiver hangs.
const HANGING: Duration = Duration::from_secs(1);

impl State {
    /// Takes over a record, at start or as it happens.
    pub fn apply(&mut self, transition: &Transition, now: Timestamp) {
        match transition {
            Transition::Attempt(record) => {
                // One that refuses at once holds no place, and is no trouble to the others.
                let attempt = &record.attempt;
                if attempt.given_up().is_some() {
                    // Nothing was sent, so nothing is known of the receiver.
                } else if attempt.status.is_none() && attempt.duration() >= HANGING {
                    self.hanging.insert(record.endpoint);
                } else {
                    self.hanging.remove(&record.endpoint);
                }
                self.is_taken(record.endpoint);
                self.settle(record.endpoint, record.seq, record.then, now);
            }
            Transition::Endpoint(at, endpoint) => self.put(endpoint, *at, now),
            Transition::Replay(replay) => {
                self.is_taken(replay.endpoint);
                if let Some(entry) = self.entries.get_mut(&replay.endpoint) {
                    for d in &replay.deliveries {
                        entry.queue.reopen(d.seq, d.attempts, replay.at, d.was_dead);
                    }
                    self.refresh(replay.endpoint, now);
                }
            }
            Transition::Lost(from, to) => {
                self.lost.insert_range(*from, *to);
                for entry in self.entries.values_mut() {
                    let before = entry.queue.in_flight();
                    entry.queue.lose(*from, *to);
                    self.in_flight -= before - entry.queue.in_flight();
                }
                self.refresh_all(now);
            }
        }
    }

    /// No other endpoint gets this number: where the record that made this one is lost, its dead
    /// letters are still there.
    fn is_taken(&mut self, number: u32) {
        self.next_number = self.next_number.max(number.saturating_add(1));
    }

    fn settle(&mut self, number: u32, seq: Seq, then: Then, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&number) {
            let before = entry.queue.in_flight();
            entry.queue.settled(seq, then);
            self.in_flight -= before - entry.queue.in_flight();
            self.refresh(number, now);
        }
    }

    /// Ends a claim whose event cannot be read; it is tried again after `pause`.
    pub fn set_aside(&mut self, number: u32, seq: Seq, pause: Duration, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&number) {
            let before = entry.queue.in_flight();
            entry.queue.set_aside(seq, pause, now);
            self.in_flight -= before - entry.queue.in_flight();
            self.refresh(number, now);
        }
    }

    /// Ends a claim as if it had never been.
    pub fn release(&mut self, number: u32, seq: Seq, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&number) {
            let before = entry.queue.in_flight();
            entry.queue.release(seq, now);
            self.in_flight -= before - entry.queue.in_flight();
            self.refresh(number, now);
        }
    }

    pub(super) fn put(&mut self, endpoint: &Endpoint, at: Timestamp, now: Timestamp) {
        let number = endpoint.number;
        let settings = &endpoint.settings;
        self.is_taken(number);
        let was = self
            .entries
            .get(&number)
            .map(|entry| entry.endpoint.clone());
        if let Some(was) = &was {
            self.routes.remove(number, &was.settings.filter);
            if self.by_name.get(&was.settings.name) == Some(&number) {
                self.by_name.remove(&was.settings.name);
            }
        }
        let waiting_max = self.waiting_max;
        let entry = self.entries.entry(number).or_insert_with(|| Entry {
            endpoint: Arc::new(endpoint.clone()),
            queue: Queue::new(waiting_max),
            in_ready: false,
            timer: None,
        });
        entry.endpoint = Arc::new(endpoint.clone());
        entry
            .queue
            .configure(settings.order, settings.concurrency, endpoint.state);
        if endpoint.state == EndpointState::Removed {
            entry.queue.remove_all();
        } else {
            self.routes.insert(number, &settings.filter);
            self.by_name.insert(settings.name.clone(), number);
            let was_paused = was.is_some_and(|was| was.state == EndpointState::Paused);
            if was_paused && endpoint.state == EndpointState::Active {
                entry.queue.resume(at);
            }
        }
        self.refresh(number, now);
    }
}
