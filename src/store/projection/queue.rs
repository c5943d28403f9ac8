//! One endpoint's queue: what is to be delivered, what waits for a retry, what is under way.
//!
//! Pure: a projection of the log, the settlements and the operator's commands. It holds sequence
//! numbers, never bodies.

mod parts;
mod snapshot;
mod time;
mod view;
mod waiting;

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::endpoint::{EndpointState, Order};
use crate::id::Seq;
use crate::store::projection::seqset::SeqSet;

use parts::Next;
pub use parts::{Ended, InFlight, Readiness, Then, Waiting};
pub use snapshot::QueueSnapshot;
use waiting::WaitingSet;

/// Above this many runs of pending events an endpoint's further events stay in the log alone and
/// are routed when the backlog has shrunk, so that no pattern of matches grows memory for ever.
pub const MAX_PENDING_RUNS: usize = 65_536;

/// One endpoint's queue.
#[derive(Clone, Debug)]
pub struct Queue {
    order: Order,
    concurrency: usize,
    state: EndpointState,
    /// With this many waiting because they failed, no new delivery is attempted: those stay
    /// pending, which costs no memory, until some of the waiting ones have ended.
    waiting_max: usize,
    pending: SeqSet,
    waiting: WaitingSet,
    in_flight: HashMap<Seq, InFlight>,
    next: Next,
    /// Events from here on have not been routed to this queue; see [`MAX_PENDING_RUNS`].
    pub unrouted_from: Option<Seq>,
    /// How many have ended in each way.
    pub ended: Ended,
}

impl Queue {
    /// An empty queue, of nothing before it is configured.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            order: Order::InOrder,
            concurrency: 1,
            state: EndpointState::Paused,
            waiting_max,
            pending: SeqSet::default(),
            waiting: WaitingSet::default(),
            in_flight: HashMap::new(),
            next: Next::Retry,
            unrouted_from: None,
            ended: Ended::default(),
        }
    }

    /// Takes over what the operator changed.
    pub fn configure(&mut self, order: Order, concurrency: u32, state: EndpointState) {
        self.order = order;
        self.concurrency = match order {
            Order::InOrder => 1,
            Order::Independent => concurrency.max(1) as usize,
        };
        self.state = state;
    }

    /// Adds an event of the log. A queue of a removed endpoint ends it at once.
    pub fn push(&mut self, seq: Seq) {
        if self.state == EndpointState::Removed {
            self.ended.removed += 1;
        } else if self.unrouted_from.is_some() {
            // It is found again when the backlog has shrunk.
        } else if self.pending.runs() >= MAX_PENDING_RUNS {
            self.unrouted_from = Some(seq);
        } else {
            self.pending.insert(seq);
        }
    }

    /// Whether the backlog has shrunk enough to route what was left in the log.
    pub fn wants_routing(&self) -> bool {
        self.unrouted_from.is_some()
            && self.state != EndpointState::Removed
            && self.pending.runs() < MAX_PENDING_RUNS / 2
    }

    /// Takes up routing again: `seqs` of the events below `until` match.
    pub fn routed(&mut self, seqs: impl IntoIterator<Item = Seq>, until: Seq, all: bool) {
        for seq in seqs {
            self.pending.insert(seq);
        }
        self.unrouted_from = (!all).then_some(until);
    }

    /// Puts a delivery that had ended back, due at `due`. `attempts` were made before.
    pub fn reopen(&mut self, seq: Seq, attempts: u32, due: Timestamp, was_dead: bool) {
        if self.in_flight.contains_key(&seq) || self.pending.contains(seq) {
            return;
        }
        if self.waiting.remove(seq).is_none() {
            // One without attempts had not ended: it is from before the endpoint, or was filtered.
            match (was_dead, attempts) {
                (true, _) => self.ended.dead = self.ended.dead.saturating_sub(1),
                (false, 0) => {}
                (false, _) => self.ended.delivered = self.ended.delivered.saturating_sub(1),
            }
        }
        self.waiting.insert(
            seq,
            Waiting {
                failures: 0,
                attempts,
                due,
                delay: Duration::ZERO,
            },
        );
    }

    /// When the next attempt may leave.
    pub fn readiness(&self, now: Timestamp) -> Readiness {
        if self.state != EndpointState::Active || self.in_flight.len() >= self.concurrency {
            return Readiness::Blocked;
        }
        match self.order {
            Order::InOrder => {
                let heads = [self.pending.first(), self.waiting.first()];
                let head = heads.into_iter().flatten().min();
                match head.map(|seq| self.waiting.get(seq)) {
                    None => Readiness::Blocked,
                    Some(Some(head)) if head.due > now => Readiness::At(head.due),
                    Some(_) => Readiness::Now,
                }
            }
            Order::Independent => {
                if self.takes_fresh() {
                    return Readiness::Now;
                }
                match self.waiting.first_due() {
                    Some((due, _)) if due > now => Readiness::At(due),
                    Some(_) => Readiness::Now,
                    None => Readiness::Blocked,
                }
            }
        }
    }

    fn takes_fresh(&self) -> bool {
        !self.pending.is_empty() && self.waiting.failed() < self.waiting_max
    }

    /// Begins the next attempt that may leave now.
    pub fn take(&mut self, now: Timestamp, generation: u64) -> Option<(Seq, InFlight)> {
        if self.readiness(now) != Readiness::Now {
            return None;
        }
        let first_due = self.waiting.first_due();
        let retry_is_due = first_due.is_some_and(|(due, _)| due <= now);
        let from_waiting = match self.order {
            Order::InOrder => match (self.pending.first(), self.waiting.first()) {
                (Some(fresh), Some(waiting)) => waiting < fresh,
                (None, _) => true,
                (Some(_), None) => false,
            },
            Order::Independent => retry_is_due && (self.next == Next::Retry || !self.takes_fresh()),
        };
        self.next = if from_waiting {
            Next::Fresh
        } else {
            Next::Retry
        };
        let (seq, failures, attempts, due) = if from_waiting {
            let seq = match self.order {
                Order::InOrder => self.waiting.first()?,
                Order::Independent => first_due?.1,
            };
            let waiting = self.waiting.remove(seq)?;
            (seq, waiting.failures, waiting.attempts, Some(waiting.due))
        } else {
            (self.pending.pop_first()?, 0, 0, None)
        };
        let in_flight = InFlight {
            generation,
            failures,
            attempts,
            due,
        };
        self.in_flight.insert(seq, in_flight);
        Some((seq, in_flight))
    }

    /// The attempt under way for `seq`, if it is still the one that `generation` began.
    pub fn claimed(&self, seq: Seq, generation: u64) -> Option<InFlight> {
        self.in_flight
            .get(&seq)
            .copied()
            .filter(|claim| claim.generation == generation)
    }

    /// Ends the claim on `seq` as if it had never been: nothing is counted.
    pub fn release(&mut self, seq: Seq, now: Timestamp) {
        let Some(claim) = self.in_flight.remove(&seq) else {
            return;
        };
        if self.state == EndpointState::Removed {
            self.ended.removed += 1;
        } else if claim.attempts == 0 {
            self.pending.insert(seq);
        } else {
            self.waiting.insert(
                seq,
                Waiting {
                    failures: claim.failures,
                    attempts: claim.attempts,
                    due: now,
                    delay: Duration::ZERO,
                },
            );
        }
    }

    /// Ends the claim on `seq`, whose event cannot be read; it is due again after `pause`.
    pub fn set_aside(&mut self, seq: Seq, pause: Duration, now: Timestamp) {
        let Some(claim) = self.in_flight.remove(&seq) else {
            return;
        };
        if self.state == EndpointState::Removed {
            self.ended.removed += 1;
            return;
        }
        self.waiting.insert(
            seq,
            Waiting {
                failures: claim.failures,
                attempts: claim.attempts,
                due: now.plus(pause),
                delay: pause,
            },
        );
    }

    /// Takes over the recorded end of an attempt. Works from a live claim and, at start, from
    /// the record alone.
    pub fn settled(&mut self, seq: Seq, then: Then) {
        let live = self.in_flight.remove(&seq).is_some();
        let queued = self.pending.remove(seq) | self.waiting.remove(seq).is_some();
        if self.state == EndpointState::Removed && !live {
            // It was under way when its endpoint went: it was counted there.
            self.ended.removed = self.ended.removed.saturating_sub(1);
        }
        match then {
            Then::Delivered => self.ended.delivered += 1,
            Then::Dead => self.ended.dead += 1,
            Then::Removed => self.ended.removed += 1,
            Then::Waiting(waiting) => {
                // One that was discarded comes back.
                let had_ended = !live && !queued && self.unrouted_from.is_none_or(|at| seq < at);
                self.ended.removed = self.ended.removed.saturating_sub(had_ended.into());
                self.waiting.insert(seq, waiting);
            }
        }
    }

    /// The endpoint is active again: an in-order queue tries its head at once, with its delays
    /// from the start.
    pub fn resume(&mut self, now: Timestamp) {
        if self.order != Order::InOrder {
            return;
        }
        self.waiting.start_over(now);
        for attempt in self.in_flight.values_mut() {
            attempt.failures = 0;
        }
    }

    /// The endpoint is gone: everything that was queued has ended.
    pub fn remove_all(&mut self) {
        self.ended.removed += self.pending.len() + self.waiting.len() as u64;
        self.pending = SeqSet::default();
        self.waiting = WaitingSet::default();
        self.unrouted_from = None;
    }

    /// Events `from` to `to` were given up for lost: what of them was queued has ended.
    pub fn lose(&mut self, from: Seq, to: Seq) {
        let under_way = self.in_flight.len();
        self.in_flight.retain(|seq, _| *seq < from || *seq > to);
        let gone = self.pending.remove_range(from, to)
            + self.waiting.remove_range(from, to)
            + (under_way - self.in_flight.len()) as u64;
        self.ended.removed += gone;
    }
}
