//! Discarding deliveries: what is queued for an endpoint, and dead letters that nobody wants any more.
//!
//! A delivery that is discarded ends as removed, by the record of an attempt that was never made,
//! which says why; its earlier attempts stay to be read. A dead letter is put back and discarded in
//! one group, so that a crash leaves both or neither. As with replays, whoever writes down what was
//! found can ask for it again after a crash: what was discarded the first time has one record more.

use std::collections::BTreeSet;
use std::time::Duration;

use super::giving_up::unattempted;
use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::log::parts::Shared;
use crate::store::projection::queue::{Then, Waiting};
use crate::store::record::{AttemptRecord, Reopened, ReplayRecord, Transition, key};
use crate::store::{Discarded, FoundDelivery, StoreError};

impl<B: Backend> Log<B> {
    /// See [`Store::discard`](crate::store::Store::discard).
    pub(in crate::store) fn discard_deliveries(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) -> Result<Discarded, StoreError> {
        let _turn = self.replay_turn();
        self.save_settlements()?;
        let (mut before, mut dead) = (BTreeSet::new(), BTreeSet::new());
        for found in deliveries {
            if self.is_discarded(endpoint, found)? {
                before.insert(found.seq);
            } else if found.was_dead && self.dead_letter(endpoint, found.seq)? == Some(*found) {
                dead.insert(found.seq);
            }
        }
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        let Some(entry) = shared.state.entry(endpoint) else {
            return Ok(Discarded::default());
        };
        if entry.endpoint.state == EndpointState::Removed {
            return Ok(Discarded::default());
        }
        let unrouted = entry.queue.unrouted_from.unwrap_or(Seq::MAX);
        let (mut standing, mut moved) = (Vec::new(), Vec::new());
        for found in deliveries {
            let stands = match entry.queue.status(found.seq) {
                None if before.contains(&found.seq) => continue,
                None => dead.contains(&found.seq),
                Some((Status::InFlight, _)) => false,
                Some((_, waiting)) => {
                    let attempts = waiting.map_or(0, |waiting| waiting.attempts);
                    !found.was_dead && attempts == found.attempts && found.seq < unrouted
                }
            };
            if stands {
                standing.push(*found);
            } else {
                moved.push(found.seq);
            }
        }
        let count = (deliveries.len() - moved.len()) as u64;
        self.record_discarded(&mut shared, now, endpoint, &standing, reason);
        drop(shared);
        if !standing.is_empty() {
            self.wake();
            self.save_settlements()?;
        }
        Ok(Discarded { count, moved })
    }

    /// Whether the delivery was discarded as it was found: before a crash, and is asked for again.
    fn is_discarded(&self, endpoint: u32, found: &FoundDelivery) -> Result<bool, StoreError> {
        if self.not_queued(endpoint, &[found.seq]).is_empty() {
            return Ok(false);
        }
        let last = self.attempts(endpoint, found.seq, 1)?.pop();
        Ok(last.is_some_and(|last| {
            last.then == Then::Removed && last.attempt.number == found.attempts + 1
        }))
    }

    /// The last records of those of `reopened` that were discarded; of others there is none.
    pub(in crate::store) fn last_of_discarded(
        &self,
        endpoint: u32,
        reopened: &[Reopened],
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        let removed = {
            let shared = self.shared();
            let entry = shared.state.entry(endpoint);
            entry.map_or(0, |entry| entry.queue.ended.removed)
        };
        let mut records = Vec::new();
        if removed == 0 {
            return Ok(records);
        }
        for delivery in reopened.iter().filter(|d| !d.was_dead && d.attempts > 0) {
            let last = self.attempts(endpoint, delivery.seq, 1)?.pop();
            records.extend(last.filter(|last| last.then == Then::Removed));
        }
        Ok(records)
    }

    /// Puts back those of `reopened` that were discarded, and takes them out: another ending of their
    /// last record tells the counts that they had not been delivered.
    pub(in crate::store) fn revive(
        &self,
        shared: &mut Shared,
        at: Timestamp,
        reopened: &mut Vec<Reopened>,
        discarded: Vec<AttemptRecord>,
    ) {
        for mut record in discarded {
            let Some(place) = reopened.iter().position(|d| d.seq == record.seq) else {
                continue;
            };
            let delivery = reopened.remove(place);
            record.then = Then::Waiting(Waiting {
                failures: 0,
                attempts: delivery.attempts,
                due: at,
                delay: Duration::ZERO,
            });
            self.record(shared, at, Transition::Attempt(Box::new(record)), true);
        }
    }

    fn record_discarded(
        &self,
        shared: &mut Shared,
        now: Timestamp,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) {
        for found in deliveries {
            if found.was_dead {
                let reopened = Reopened {
                    seq: found.seq,
                    attempts: found.attempts,
                    was_dead: true,
                };
                let record = ReplayRecord {
                    endpoint,
                    at: now,
                    deliveries: vec![reopened],
                };
                self.record_quietly(shared, now, Transition::Replay(Box::new(record)), true);
            }
            let (seq, attempts) = (found.seq, found.attempts);
            let record = unattempted(endpoint, seq, attempts, now, reason, Then::Removed);
            self.record_quietly(shared, now, Transition::Attempt(Box::new(record)), true);
        }
    }

    /// How the delivery stands, if it is a dead letter by the records.
    pub(in crate::store) fn dead_letter(
        &self,
        endpoint: u32,
        seq: Seq,
    ) -> Result<Option<FoundDelivery>, StoreError> {
        if self.gone_until(seq).is_some() || self.backend.get(&key::dead(endpoint, seq))?.is_none()
        {
            return Ok(None);
        }
        Ok(Some(FoundDelivery {
            seq,
            attempts: self.attempt_count(endpoint, seq)?,
            was_dead: true,
            frame: 0,
        }))
    }
}
