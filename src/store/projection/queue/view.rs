//! Looking at a queue without changing it.

use super::{Queue, Waiting};
use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::endpoint::Order;
use crate::id::{MAX_SEQ, Seq};
use crate::store::projection::seqset::SeqSet;

impl Queue {
    /// Adds every event that a delivery waits for to `held`.
    pub fn hold(&self, held: &mut SeqSet) {
        for (from, to) in self.pending.iter_runs() {
            held.insert_range(from, to);
        }
        let waiting = self.waiting.iter().map(|(seq, _)| seq);
        for seq in waiting.chain(self.in_flight.keys().copied()) {
            held.insert(seq);
        }
        if let Some(from) = self.unrouted_from {
            held.insert_range(from, MAX_SEQ);
        }
    }

    /// Where the delivery of `seq` stands, if it is in the queue.
    pub fn status(&self, seq: Seq) -> Option<(Status, Option<Waiting>)> {
        if self.in_flight.contains_key(&seq) {
            return Some((Status::InFlight, None));
        }
        if let Some(waiting) = self.waiting.get(seq) {
            let status = match waiting.failures {
                0 => Status::Pending,
                _ => Status::Waiting,
            };
            return Some((status, Some(*waiting)));
        }
        let unrouted = self.unrouted_from.is_some_and(|from| seq >= from);
        (unrouted || self.pending.contains(seq)).then_some((Status::Pending, None))
    }

    /// Attempts of the delivery of `seq` before the one that is under way or next, over every round.
    pub fn attempts_before(&self, seq: Seq) -> u32 {
        let in_flight = self.in_flight.get(&seq).map(|it| it.attempts);
        let waiting = || self.waiting.get(seq).map(|waiting| waiting.attempts);
        in_flight.or_else(waiting).unwrap_or(0)
    }

    /// At most `limit` of what is queued below `bound` with a status that is wanted, greatest
    /// first.
    pub fn queued_below(
        &self,
        bound: Seq,
        limit: usize,
        wanted: impl Fn(Status) -> bool,
    ) -> Vec<Seq> {
        let mut seqs = Vec::new();
        if wanted(Status::Pending) {
            seqs.extend(self.pending.below(bound).take(limit));
        }
        if wanted(Status::Pending) || wanted(Status::Waiting) {
            let waiting = self.waiting.below(bound);
            let waiting = waiting.filter(|seq| self.status(*seq).is_some_and(|(s, _)| wanted(s)));
            seqs.extend(waiting.take(limit));
        }
        if wanted(Status::InFlight) {
            seqs.extend(self.in_flight.keys().copied().filter(|seq| *seq < bound));
        }
        seqs.sort_unstable_by(|a, b| b.cmp(a));
        seqs.truncate(limit);
        seqs
    }

    /// At most `limit` of what is queued at `from` and above it, as far as it has been routed, least
    /// first.
    pub fn queued_from(&self, from: Seq, limit: usize) -> Vec<Seq> {
        let mut seqs: Vec<Seq> = self.pending.at_or_above(from).take(limit).collect();
        seqs.extend(self.waiting.at_or_above(from).take(limit));
        seqs.extend(self.in_flight.keys().copied().filter(|seq| *seq >= from));
        seqs.sort_unstable();
        seqs.truncate(limit);
        seqs
    }

    /// At most `limit` of those from `from` to `last` that wait for a set time, oldest first.
    pub fn waiting_from(&self, from: Seq, last: Seq, limit: usize) -> Vec<Seq> {
        self.waiting.between(from, last).take(limit).collect()
    }

    /// Deliveries that have not ended, as far as they have been routed.
    pub fn backlog(&self) -> u64 {
        self.pending.len() + self.waiting.len() as u64 + self.in_flight.len() as u64
    }

    /// How many have not failed and are not under way.
    pub fn pending(&self) -> u64 {
        self.pending.len() + self.waiting.len() as u64 - self.waiting()
    }

    /// How many wait for a retry.
    pub fn waiting(&self) -> u64 {
        self.waiting.failed() as u64
    }

    /// How many attempts are under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The oldest delivery that has not ended.
    pub fn oldest(&self) -> Option<Seq> {
        [
            self.pending.first(),
            self.waiting.first(),
            self.in_flight.keys().min().copied(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The delivery for which all others wait, where they go in order.
    pub fn head(&self) -> Option<Seq> {
        self.oldest().filter(|_| self.order == Order::InOrder)
    }

    /// When the next retry is due, whatever else is going on.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self.order {
            Order::Independent => self.waiting.first_due().map(|(due, _)| due),
            Order::InOrder => {
                let head = self.waiting.first()?;
                self.waiting.get(head).map(|waiting| waiting.due)
            }
        }
    }

    /// Whether it is near the length at which further events are left in the log.
    pub fn is_crowded(&self) -> bool {
        self.pending.runs() >= super::MAX_PENDING_RUNS / 2
    }
}
