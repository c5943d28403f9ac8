//! Putting deliveries back: new input at the front, recorded like everything else.
//!
//! All at once ([`Store::replay`]), or in steps for those who write down how far they have come:
//! [`Store::find_ended`] tells a few deliveries and how often each was attempted, and
//! [`Store::put_back`] takes only those that still stand so. Whoever writes down what was found
//! before putting it back can do so again after a crash: what was put back the first time is queued,
//! or has been attempted since.

use std::sync::PoisonError;

use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::endpoint::{EndpointState, Filter};
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::{Reopened, ReplayRecord, Transition, key};
use crate::store::{EndedQuery, FoundDelivery, Page, ReplayRequest, Store, StoreError};

/// Deliveries in one record.
const DELIVERIES_PER_RECORD: usize = 256;

/// Events looked at in one go.
const EVENTS_PER_STEP: usize = 1_024;

impl<B: Backend> Log<B> {
    /// See [`Store::replay`].
    pub(in crate::store) fn replay_deliveries(
        &self,
        request: &ReplayRequest,
    ) -> Result<u64, StoreError> {
        let _turn = self.replay_turn();
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
            count += self.reopen_some(request, &seqs, left)?;
        }
        if count > 0 && !request.dry_run {
            self.save_settlements()?;
        }
        Ok(count)
    }

    /// See [`Store::find_ended`].
    pub(in crate::store) fn find_ended_deliveries(
        &self,
        query: &EndedQuery,
    ) -> Result<Page<FoundDelivery, Seq>, StoreError> {
        let _turn = self.replay_turn();
        self.save_settlements()?;
        let end = query.until.min(*self.tail().borrow());
        if query.from > end {
            let items = Vec::new();
            return Ok(Page { items, next: None });
        }
        let (seqs, after) = if query.only_dead {
            self.dead_from(query.endpoint, query.from, end)?
        } else {
            let until = end.min(query.from + EVENTS_PER_STEP as u64 - 1);
            ((query.from..=until).collect(), until + 1)
        };
        let idle = self.not_queued(query.endpoint, &seqs);
        self.save_settlements()?;
        let frame = self.writer().next_frame;
        let (mut items, mut next) = (Vec::new(), after);
        for seq in idle {
            if items.len() >= query.limit {
                next = seq;
                break;
            }
            if let Some(kinds) = &query.kinds
                && !self.is_of_kind(seq, kinds)?
            {
                continue;
            }
            let is_named = query.kinds.is_some();
            let ended = self.ended(query.endpoint, seq, is_named)?;
            items.extend(ended.map(|delivery| FoundDelivery::of(delivery, frame)));
        }
        let next = (next <= end).then_some(next);
        Ok(Page { items, next })
    }

    pub(in crate::store) fn replay_turn(&self) -> std::sync::MutexGuard<'_, ()> {
        self.replaying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of `seqs` that are not queued; none where there is no such endpoint. What is queued
    /// now may end meanwhile, and its attempts are not in the records yet: it is left alone. What is
    /// not queued stays as it is, for replays take turns.
    pub(super) fn not_queued(&self, endpoint: u32, seqs: &[Seq]) -> Vec<Seq> {
        let shared = self.shared();
        let Some(entry) = shared.state.entry(endpoint) else {
            return Vec::new();
        };
        let queued = |seq: &Seq| entry.queue.status(*seq).is_some();
        let seqs = seqs.iter().copied();
        seqs.filter(|seq| !queued(seq)).collect()
    }

    pub(in crate::store) fn is_of_kind(
        &self,
        seq: Seq,
        kinds: &Filter,
    ) -> Result<bool, StoreError> {
        let event = self.read_event(seq)?;
        Ok(event.is_some_and(|event| kinds.matches(&event.content)))
    }

    /// How a delivery that is not queued stands, if it is one that can be put back. What was told of
    /// endpoints and deliveries is no news any more once it has arrived: it goes again only where it
    /// `is_named`.
    pub(super) fn ended(
        &self,
        endpoint: u32,
        seq: Seq,
        is_named: bool,
    ) -> Result<Option<Reopened>, StoreError> {
        if self.gone_until(seq).is_some() {
            return Ok(None);
        }
        let was_dead = self.backend.get(&key::dead(endpoint, seq))?.is_some();
        if !was_dead && !self.matches(endpoint, seq, is_named)? {
            return Ok(None);
        }
        let attempts = match self.attempt_count(endpoint, seq)? {
            // What is known to have been delivered was attempted, and was counted.
            0 if !was_dead && self.has_lost_its_attempts(endpoint, seq)? => 1,
            attempts => attempts,
        };
        Ok(Some(Reopened {
            seq,
            attempts,
            was_dead,
        }))
    }

    /// Whether the records of an attempt that was a success have expired.
    fn has_lost_its_attempts(&self, endpoint: u32, seq: Seq) -> Result<bool, StoreError> {
        let endpoint = {
            let shared = self.shared();
            shared.state.entry(endpoint).map(|it| it.endpoint.clone())
        };
        let (Some(endpoint), Some(event)) = (endpoint, self.read_event(seq)?) else {
            return Ok(false);
        };
        let ended = self.end_without_records(&event, &endpoint)?;
        Ok(ended == Some(Status::Delivered))
    }

    /// Puts back up to `limit` of `seqs`, as far as they have ended.
    fn reopen_some(
        &self,
        request: &ReplayRequest,
        seqs: &[Seq],
        limit: usize,
    ) -> Result<u64, StoreError> {
        let is_single = request.seq.is_some();
        let idle = match request.seq {
            Some(_) => seqs.to_vec(),
            None => self.not_queued(request.endpoint, seqs),
        };
        self.save_settlements()?;
        let mut reopened = Vec::new();
        for seq in idle {
            if reopened.len() >= limit {
                break;
            }
            reopened.extend(self.ended(request.endpoint, seq, is_single)?);
        }
        self.reopen(request.endpoint, reopened, is_single, request.dry_run)
    }

    /// Puts back what is not queued now; with `is_single`, what waits for its retry as well.
    pub(super) fn reopen(
        &self,
        endpoint: u32,
        mut reopened: Vec<Reopened>,
        is_single: bool,
        dry_run: bool,
    ) -> Result<u64, StoreError> {
        let revived = self.last_of_discarded(endpoint, &reopened)?;
        let mut shared = self.shared();
        let Some(entry) = shared.state.entry(endpoint) else {
            return Ok(0);
        };
        if entry.endpoint.state == EndpointState::Removed {
            return Ok(0);
        }
        // A single delivery that waits for its retry goes at once; the queue knows its attempts.
        reopened.retain_mut(|delivery| match entry.queue.status(delivery.seq) {
            None => shared.state.gone_until(delivery.seq).is_none(),
            Some((_, Some(waiting))) if is_single => {
                delivery.attempts = waiting.attempts;
                true
            }
            Some(_) => false,
        });
        let count = reopened.len() as u64;
        if dry_run {
            return Ok(count);
        }
        let at = self.now(&mut shared);
        self.revive(&mut shared, at, &mut reopened, revived);
        for deliveries in reopened.chunks(DELIVERIES_PER_RECORD) {
            let record = ReplayRecord {
                endpoint,
                at,
                deliveries: deliveries.to_vec(),
            };
            self.record(&mut shared, at, Transition::Replay(Box::new(record)), true);
        }
        Ok(count)
    }

    fn matches(&self, endpoint: u32, seq: Seq, is_named: bool) -> Result<bool, StoreError> {
        let Some(event) = self.read_event(seq)? else {
            return Ok(false);
        };
        if event.content.is_operational() && !is_named {
            return Ok(false);
        }
        let shared = self.shared();
        Ok(shared
            .state
            .entry(endpoint)
            .is_some_and(|entry| entry.endpoint.settings.filter.matches(&event.content)))
    }

    pub(in crate::store) fn dead_from(
        &self,
        endpoint: u32,
        from: Seq,
        to: Seq,
    ) -> Result<(Vec<Seq>, Seq), StoreError> {
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
    pub(in crate::store) fn first_received_at_or_after(
        &self,
        moment: Timestamp,
    ) -> Result<Seq, StoreError> {
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
