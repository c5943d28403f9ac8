//! Putting deliveries back: new input at the front, recorded like everything else.

use std::sync::PoisonError;

use super::backend::Backend;
use super::log::Log;
use super::record::{Reopened, ReplayRecord, Transition, key};
use super::{ReplayRequest, Store, StoreError};
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::Seq;

/// Deliveries in one record.
const DELIVERIES_PER_RECORD: usize = 256;

/// Events looked at in one go.
const EVENTS_PER_STEP: usize = 1_024;

impl<B: Backend> Log<B> {
    /// See [`Store::replay`].
    pub(super) fn replay_deliveries(&self, request: &ReplayRequest) -> Result<u64, StoreError> {
        let _turn = self
            .replaying
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.save_settlements()?;
        let last = *self.tail().borrow();
        let (mut next, end) = match request.seq {
            Some(seq) => (seq, seq.min(last)),
            None => (
                match request.since {
                    Some(since) => self.first_received_at_or_after(since)?,
                    None => 1,
                },
                match request.until {
                    Some(until) => self.first_received_at_or_after(until)? - 1,
                    None => last,
                },
            ),
        };
        let mut count = 0;
        while next <= end && count < request.limit {
            let (seqs, after) = if request.only_dead {
                self.dead_from(request.endpoint, next, end)?
            } else {
                let until = end.min(next + EVENTS_PER_STEP as u64 - 1);
                ((next..=until).collect(), until + 1)
            };
            next = after;
            let left = usize::try_from(request.limit - count).unwrap_or(usize::MAX);
            count += self.reopen(request, &seqs, left)?;
        }
        if count > 0 && !request.dry_run {
            self.save_settlements()?;
        }
        Ok(count)
    }

    /// Puts back up to `limit` of `seqs`, as far as they have ended.
    fn reopen(
        &self,
        request: &ReplayRequest,
        seqs: &[Seq],
        limit: usize,
    ) -> Result<u64, StoreError> {
        // What is queued now may end meanwhile, and its attempts are not in the records yet: it is
        // left alone. What is not queued stays as it is, for replays take turns.
        let idle: Vec<Seq> = {
            let shared = self.shared();
            let Some(entry) = shared.state.entry(request.endpoint) else {
                return Ok(0);
            };
            let queued = |seq: &Seq| entry.queue.status(*seq).is_some();
            let seqs = seqs.iter().copied();
            seqs.filter(|seq| request.seq.is_some() || !queued(seq))
                .collect()
        };
        self.save_settlements()?;
        let mut reopened = Vec::new();
        for seq in idle {
            if reopened.len() >= limit {
                break;
            }
            let dead = self
                .backend
                .get(&key::dead(request.endpoint, seq))?
                .is_some();
            if dead || self.matches(request.endpoint, seq)? {
                reopened.push(Reopened {
                    seq,
                    attempts: self.attempt_count(request.endpoint, seq)?,
                    was_dead: dead,
                });
            }
        }
        let mut shared = self.shared();
        let Some(entry) = shared.state.entry(request.endpoint) else {
            return Ok(0);
        };
        if entry.endpoint.state == EndpointState::Removed {
            return Ok(0);
        }
        // A single delivery that waits for its retry goes at once; the queue knows its attempts.
        reopened.retain_mut(|delivery| match entry.queue.status(delivery.seq) {
            None => shared.state.gone_until(delivery.seq).is_none(),
            Some((_, Some(waiting))) if request.seq.is_some() => {
                delivery.attempts = waiting.attempts;
                true
            }
            Some(_) => false,
        });
        let count = reopened.len() as u64;
        if request.dry_run {
            return Ok(count);
        }
        let at = self.now(&mut shared);
        for deliveries in reopened.chunks(DELIVERIES_PER_RECORD) {
            let record = ReplayRecord {
                endpoint: request.endpoint,
                at,
                deliveries: deliveries.to_vec(),
            };
            self.record(&mut shared, at, Transition::Replay(Box::new(record)), true);
        }
        Ok(count)
    }

    fn matches(&self, endpoint: u32, seq: Seq) -> Result<bool, StoreError> {
        let Some(event) = self.read_event(seq)? else {
            return Ok(false);
        };
        let shared = self.shared();
        Ok(shared
            .state
            .entry(endpoint)
            .is_some_and(|entry| entry.endpoint.settings.filter.matches(&event.content)))
    }

    fn dead_from(&self, endpoint: u32, from: Seq, to: Seq) -> Result<(Vec<Seq>, Seq), StoreError> {
        let prefix = &key::dead(endpoint, 0)[..5];
        let entries = self
            .backend
            .scan(prefix, &key::dead(endpoint, from), EVENTS_PER_STEP)?;
        let seqs: Vec<Seq> = entries
            .iter()
            .filter_map(|(entry, _)| key::number(entry, 5))
            .filter(|seq| *seq <= to)
            .collect();
        let next = seqs.last().map_or(to + 1, |last| last + 1);
        Ok((seqs, next))
    }

    /// The position of the first event received at or after `moment`; one behind the last, if
    /// there is none. Exact as long as the clock was not set back between events.
    fn first_received_at_or_after(&self, moment: Timestamp) -> Result<Seq, StoreError> {
        let (mut low, mut high) = (1, *self.tail().borrow() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let event = self.read_events(middle, 1)?.pop();
            if event.is_some_and(|event| event.received_at < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
