//! The projections: the registry of endpoints and their queues. Pure; rebuilt from the records.

mod apply;
mod dead;
mod places;
mod snapshot;
mod time;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::queue::{InFlight, Queue, Readiness};
use super::routes::Routes;
use super::seqset::SeqSet;
use crate::clock::Timestamp;
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::NewEvent;
use crate::id::Seq;
use crate::store::maintain::expired::Expired;

pub use snapshot::StateSnapshot;

/// An endpoint and its queue.
#[derive(Debug)]
pub struct Entry {
    /// What the operator said.
    pub endpoint: Arc<Endpoint>,
    /// What is to be delivered to it.
    pub queue: Queue,
    in_ready: bool,
    timer: Option<Timestamp>,
}

/// The registry, the queues, and who is next.
#[derive(Debug, Default)]
pub struct State {
    waiting_max: usize,
    entries: BTreeMap<u32, Entry>,
    by_name: BTreeMap<String, u32>,
    routes: Routes,
    /// Endpoints with something to attempt now, in the order of their turns.
    ready: VecDeque<u32>,
    /// Endpoints with nothing to attempt before a set time.
    timers: BTreeSet<(Timestamp, u32)>,
    next_number: u32,
    /// Events that the operator gave up for lost.
    lost: SeqSet,
    /// What retention has taken away.
    pub expired: Expired,
    /// Endpoints with events that were left in the log.
    unrouted: BTreeSet<u32>,
    /// Endpoints whose last attempt was given up without an answer.
    hanging: BTreeSet<u32>,
    /// A queue has come near the length at which it leaves events in the log; for good.
    crowded: bool,
    in_flight: usize,
    generation: u64,
    /// The latest moment seen, to notice a clock that is set back.
    latest: Timestamp,
}

/// A delivery that is to be attempted now.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The event.
    pub seq: Seq,
    /// The claim.
    pub claim: InFlight,
}

impl State {
    /// No endpoints; each may have up to `waiting_max` deliveries waiting for a retry.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting_max,
            ..Self::default()
        }
    }

    /// The entry of endpoint `number`.
    pub fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// Every entry, removed endpoints too.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    /// The endpoint with this name that is not removed.
    pub fn named(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).and_then(|n| self.entries.get(n))
    }

    /// The number of the next endpoint.
    pub fn next_number(&self) -> u32 {
        self.next_number
    }

    /// How many endpoints there are that are not removed.
    pub fn present(&self) -> usize {
        self.by_name.len()
    }

    /// Events that the operator gave up for lost.
    pub fn lost(&self) -> &SeqSet {
        &self.lost
    }

    /// The last event of the range that was given up for lost and holds `seq`.
    pub fn lost_until(&self, seq: Seq) -> Option<Seq> {
        self.lost.run_of(seq).map(|(_, last)| last)
    }

    /// Events that nobody needs to read: they are about to be given up for lost, or the start to
    /// be refused.
    pub fn step_over(&mut self, from: Seq, to: Seq) {
        self.lost.insert_range(from, to);
    }

    /// The endpoints that `event` goes to.
    pub fn route(&self, event: &NewEvent) -> Vec<u32> {
        let mut targets = self.routes.of(event);
        targets.retain(|number| {
            self.entries.get(number).is_some_and(|entry| {
                let paused = entry.endpoint.state == EndpointState::Paused;
                !(paused && entry.endpoint.settings.drop_while_inactive)
            })
        });
        targets
    }

    /// Queues an event for an endpoint.
    pub fn push(&mut self, number: u32, seq: Seq, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.queue.push(seq);
            self.crowded |= entry.queue.is_crowded();
            if entry.queue.unrouted_from.is_some() {
                self.unrouted.insert(number);
            }
            // Behind a backlog nothing changes, which is the common case under load.
            if !entry.in_ready {
                self.refresh(number, now);
            }
        }
    }

    /// Puts the endpoint where it belongs: among the ready, among the timers, or nowhere.
    fn refresh(&mut self, number: u32, now: Timestamp) {
        self.latest = self.latest.max(now);
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        let readiness = entry.queue.readiness(now);
        let timer = match readiness {
            Readiness::At(due) => Some(due),
            Readiness::Now | Readiness::Blocked => None,
        };
        if entry.timer != timer {
            if let Some(old) = entry.timer {
                self.timers.remove(&(old, number));
            }
            if let Some(due) = timer {
                self.timers.insert((due, number));
            }
            entry.timer = timer;
        }
        // One that is ready no more leaves the list when its turn comes.
        if readiness == Readiness::Now && !entry.in_ready {
            entry.in_ready = true;
            self.ready.push_back(number);
        }
    }

    /// Begins up to `max` attempts that may leave now, one endpoint after the other.
    ///
    /// When half of `in_flight_max` is taken, an endpoint gets a place only if it has none; one
    /// that hung last time never gets a second, and all of those together get half. So endpoints
    /// that hang, however many, leave room for those that answer.
    pub fn take(&mut self, max: usize, in_flight_max: usize, now: Timestamp) -> Vec<Taken> {
        if now < self.latest {
            self.forgive_a_clock_that_went_back(now);
        }
        self.wake(now);
        let mut hanging = self.taken_by_hanging();
        let (mut taken, mut passed_over) = (Vec::new(), Vec::new());
        while taken.len() < max {
            let Some(number) = self.ready.pop_front() else {
                break;
            };
            if !self.has_room(number, in_flight_max, hanging) {
                passed_over.push(number);
                continue;
            }
            let Some(entry) = self.entries.get_mut(&number) else {
                continue;
            };
            entry.in_ready = false;
            self.generation += 1;
            if let Some((seq, claim)) = entry.queue.take(now, self.generation) {
                self.in_flight += 1;
                hanging += usize::from(self.hanging.contains(&number));
                taken.push(Taken {
                    endpoint: entry.endpoint.clone(),
                    seq,
                    claim,
                });
            }
            self.refresh(number, now);
        }
        // Still ready, and first in turn when there is room again.
        for number in passed_over.into_iter().rev() {
            self.ready.push_front(number);
        }
        taken
    }

    fn wake(&mut self, now: Timestamp) {
        while let Some((due, number)) = self.timers.first().copied() {
            if due > now {
                break;
            }
            self.timers.pop_first();
            if let Some(entry) = self.entries.get_mut(&number) {
                entry.timer = None;
            }
            self.refresh(number, now);
        }
    }

    /// Endpoints whose backlog has shrunk enough to route what was left in the log: their
    /// numbers, and from where.
    pub fn wanting_routing(&self) -> Vec<(u32, Seq)> {
        self.unrouted
            .iter()
            .filter_map(|number| {
                let queue = &self.entries.get(number)?.queue;
                let from = queue.unrouted_from.filter(|_| queue.wants_routing())?;
                Some((*number, from))
            })
            .collect()
    }

    /// Takes up routing again for one endpoint.
    pub fn routed(&mut self, number: u32, seqs: Vec<Seq>, until: Seq, all: bool, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.queue.routed(seqs, until, all);
            if all {
                self.unrouted.remove(&number);
            }
            self.refresh(number, now);
        }
    }
}
