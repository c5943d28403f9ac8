//! Reading: events, attempts, deliveries, lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::backend::Backend;
use super::codec::{self, Blob, Kind};
use super::log::Log;
use super::record::{AttemptRecord, Body, EventRecord, Transition, TransitionFrame, key};
use super::write::is_first_try_success;
use super::{DeliveryQuery, DeliveryView, EndpointView, Page, Store, StoreError};
use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::Event;
use crate::id::{DeliveryId, Seq};
use crate::store::queue::Then;

/// How many frames are read at once.
const FRAMES_PER_READ: usize = 8;

/// How many (event, endpoint) pairs one page of a list may look at, so that a rare status in a
/// long log gives a short page and a cursor instead of a long wait.
const PAIRS_PER_PAGE: usize = 2_000;

/// How many attempts of a delivery a list shows; the delivery by itself shows more.
const ATTEMPTS_PER_LISTED: usize = 20;

/// First-try successes finish nearly in order; this many neighbouring groups are looked through.
const NEIGHBOURS: usize = 64;

fn damaged(from: Seq, to: Seq, what: impl ToString) -> StoreError {
    StoreError::Damaged {
        from,
        to,
        what: what.to_string(),
    }
}

impl<B: Backend> Log<B> {
    /// The event at `seq`.
    pub(super) fn read_event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        if seq == 0 || seq > *self.tail().borrow() {
            return Ok(None);
        }
        if let Some(event) = self.cache.get(seq) {
            return Ok(Some(event));
        }
        let Some((_, bytes)) = self.backend.last(b"e", &key::events(seq))? else {
            return Err(damaged(seq, seq, "no frame holds it"));
        };
        let events = self.decode_events(bytes.into())?;
        let found = events.iter().find(|event| event.seq == seq).cloned();
        self.cache.insert(events);
        found
            .map(Some)
            .ok_or_else(|| damaged(seq, seq, "no frame holds it"))
    }

    /// Up to `limit` events from position `from` on.
    pub(super) fn read_events(
        &self,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let (mut events, mut next) = (Vec::new(), from.max(1));
        let last = *self.tail().borrow();
        while events.len() < limit && next <= last {
            if let Some(event) = self.cache.get(next) {
                events.push(event);
                next += 1;
                continue;
            }
            let found = self.backend.last(b"e", &key::events(next))?;
            let Some(first) = found.and_then(|(key, _)| key::number(&key, 1)) else {
                return Err(damaged(next, next, "no frame holds it"));
            };
            for (_, bytes) in self
                .backend
                .scan(b"e", &key::events(first), FRAMES_PER_READ)?
            {
                for event in self.decode_events(bytes.into())?.iter() {
                    if event.seq >= next && event.seq <= last && events.len() < limit {
                        if event.seq != next {
                            return Err(damaged(next, event.seq - 1, "no frame holds them"));
                        }
                        events.push(event.clone());
                        next += 1;
                    }
                }
            }
        }
        Ok(events)
    }

    fn decode_events(&self, bytes: Bytes) -> Result<Arc<[Arc<Event>]>, StoreError> {
        let frame = codec::open(&bytes, Kind::Events)
            .map_err(|error| error.into_store_error("a frame of events"))?;
        let (first, count) = (frame.head.first, u64::from(frame.head.count));
        let last = first + count.max(1) - 1;
        let records: Vec<EventRecord<'_>> = frame
            .decode()
            .map_err(|error| damaged(first, last, error))?;
        records
            .into_iter()
            .zip(first..)
            .map(|(record, seq)| {
                let body = match record.body {
                    Body::Inline(Blob(body)) => bytes.slice_ref(body),
                    Body::Chunked { parts, bytes } => self.read_chunks(seq, parts, bytes)?,
                };
                Ok(Arc::new(record.into_event(seq, self.meta.tag, body)))
            })
            .collect()
    }

    fn read_chunks(&self, seq: Seq, parts: u32, len: u32) -> Result<Bytes, StoreError> {
        let mut body = Vec::with_capacity(len as usize);
        for part in 0..parts {
            let bytes = self.backend.get(&key::chunk(seq, part))?;
            let bytes = bytes.ok_or_else(|| damaged(seq, seq, "a part of its body is missing"))?;
            let frame = codec::open(&bytes, Kind::Chunk).map_err(|e| damaged(seq, seq, e))?;
            if frame.head.first != seq || frame.head.count != part {
                return Err(damaged(seq, seq, "a part of its body is another's"));
            }
            let blob: Blob<'_> = frame.decode().map_err(|e| damaged(seq, seq, e))?;
            body.extend_from_slice(blob.0);
        }
        if body.len() != len as usize {
            return Err(damaged(seq, seq, "its body has another length"));
        }
        Ok(body.into())
    }

    /// The frame of transitions numbered `number`.
    pub(super) fn transitions(&self, number: u64) -> Result<Vec<Transition>, StoreError> {
        let what = || format!("frame of transitions {number}");
        let bytes = self.backend.get(&key::transitions(number))?;
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt(format!("{} is missing", what())))?;
        let frame = codec::open(&bytes, Kind::Transitions);
        frame
            .and_then(|frame| frame.decode::<TransitionFrame<Vec<Transition>>>())
            .map(|body| body.transitions)
            .map_err(|error| error.into_store_error(&what()))
    }

    fn attempt_in(
        &self,
        frame: u64,
        wanted: impl Fn(&AttemptRecord) -> bool,
    ) -> Result<Option<AttemptRecord>, StoreError> {
        let transitions = self.transitions(frame)?;
        Ok(transitions.into_iter().find_map(|t| match t {
            Transition::Attempt(record) if wanted(&record) => Some(*record),
            _ => None,
        }))
    }

    /// The latest `most` recorded attempts of one delivery, oldest first.
    fn attempts(
        &self,
        endpoint: u32,
        seq: Seq,
        most: usize,
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        let mut records = Vec::new();
        let groups = self.backend.scan_back(
            &key::successes(endpoint, 0)[..5],
            &key::successes(endpoint, seq + 1),
            NEIGHBOURS,
        )?;
        for (_, value) in groups {
            let (Some(greatest), Some(frame)) = (key::number(&value, 0), key::number(&value, 8))
            else {
                return Err(StoreError::Corrupt(
                    "an index entry is too short".to_owned(),
                ));
            };
            if greatest < seq {
                continue;
            }
            let found = self.attempt_in(frame, |r| {
                r.endpoint == endpoint && r.seq == seq && is_first_try_success(r)
            })?;
            if let Some(record) = found {
                records.push(record);
                break;
            }
        }
        let prefix = &key::attempt(endpoint, seq, 0)[..13];
        let beyond = key::attempt(endpoint, seq, u32::MAX);
        let entries = self.backend.scan_back(prefix, &beyond, most)?;
        for (entry, value) in entries.into_iter().rev() {
            let number = key::small_number(&entry, 13);
            let Some(frame) = key::number(&value, 0) else {
                return Err(StoreError::Corrupt(
                    "an index entry is too short".to_owned(),
                ));
            };
            records.extend(self.attempt_in(frame, |r| {
                r.endpoint == endpoint && r.seq == seq && Some(r.attempt.number) == number
            })?);
        }
        Ok(records)
    }

    /// How many attempts of one delivery are recorded; without reading them, if it failed once.
    pub(super) fn attempt_count(&self, endpoint: u32, seq: Seq) -> Result<u32, StoreError> {
        let prefix = &key::attempt(endpoint, seq, 0)[..13];
        let last = self
            .backend
            .last(prefix, &key::attempt(endpoint, seq, u32::MAX))?;
        match last.and_then(|(entry, _)| key::small_number(&entry, 13)) {
            Some(number) => Ok(number),
            None => Ok(self.attempts(endpoint, seq, 1)?.len() as u32),
        }
    }

    /// Everything that is settled is in the records after this.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        let unsaved = !self.shared().unsaved.is_empty();
        // Waits for a group that is being written, too.
        if unsaved {
            self.commit().map(|_| ())
        } else {
            drop(self.writer());
            Ok(())
        }
    }

    pub(super) fn delivery_view(
        &self,
        number: u32,
        seq: Seq,
        most_attempts: usize,
    ) -> Result<Option<DeliveryView>, StoreError> {
        let Some(event) = self.read_event(seq)? else {
            return Ok(None);
        };
        let (endpoint, queued) = {
            let shared = self.shared();
            let Some(entry) = shared.state.entry(number) else {
                return Ok(None);
            };
            (entry.endpoint.clone(), entry.queue.status(seq))
        };
        let records = self.attempts(number, seq, most_attempts)?;
        Ok(Some(view(event, endpoint, queued, records)))
    }

    pub(super) fn list_deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.save()?;
        let wanted = |status: Status| match query.statuses.as_slice() {
            [] => status != Status::Filtered,
            statuses => statuses.contains(&status),
        };
        let limit = query.limit.max(1);
        let pairs = self.pairs(query, limit)?;
        let (mut items, mut next) = (Vec::new(), None);
        for (looked_at, pair) in pairs.iter().enumerate() {
            if items.len() >= limit || looked_at >= PAIRS_PER_PAGE {
                break;
            }
            next = Some(*pair);
            let view = self.delivery_view(pair.1, pair.0, ATTEMPTS_PER_LISTED)?;
            items.extend(view.filter(|view| wanted(view.status)));
        }
        if next == pairs.last().copied() && pairs.len() < PAIRS_PER_PAGE {
            next = None;
        }
        Ok(Page { items, next })
    }

    /// The (event, endpoint) pairs that a page looks at, newest event first.
    fn pairs(&self, query: &DeliveryQuery, limit: usize) -> Result<Vec<(Seq, u32)>, StoreError> {
        let last = *self.tail().borrow();
        let (bound, bound_endpoint) = query.after.unwrap_or((last + 1, 0));
        let numbers: Vec<u32> = {
            let shared = self.shared();
            let all = shared.state.entries().map(|entry| entry.endpoint.number);
            all.filter(|n| query.endpoint.is_none_or(|wanted| wanted == *n))
                .collect()
        };
        let behind = |pair: &(Seq, u32)| {
            query.after.is_none() || pair.0 < bound || (pair.0 == bound && pair.1 > bound_endpoint)
        };
        let indexed = |status: &Status| {
            use Status::{Dead, InFlight, Pending, Waiting};
            matches!(status, Pending | Waiting | InFlight | Dead)
        };
        if !query.statuses.is_empty() && query.statuses.iter().all(indexed) {
            let mut pairs = BTreeSet::new();
            for number in &numbers {
                let shared = self.shared();
                if let Some(entry) = shared.state.entry(*number) {
                    let queued = entry.queue.queued_below(bound + 1, PAIRS_PER_PAGE);
                    pairs.extend(
                        queued
                            .into_iter()
                            .map(|seq| (std::cmp::Reverse(seq), *number)),
                    );
                }
                drop(shared);
                if query.statuses.contains(&Status::Dead) {
                    let dead = self.dead_below(*number, bound + 1, limit + 1)?;
                    pairs.extend(
                        dead.into_iter()
                            .map(|seq| (std::cmp::Reverse(seq), *number)),
                    );
                }
            }
            let pairs = pairs.into_iter().map(|(seq, number)| (seq.0, number));
            return Ok(pairs.filter(behind).take(PAIRS_PER_PAGE).collect());
        }
        let pairs = (1..=bound.min(last))
            .rev()
            .flat_map(|seq| numbers.iter().map(move |number| (seq, *number)));
        Ok(pairs.filter(behind).take(PAIRS_PER_PAGE).collect())
    }

    /// Up to `limit` dead letters of one endpoint below `bound`, newest first.
    pub(super) fn dead_below(
        &self,
        endpoint: u32,
        bound: Seq,
        limit: usize,
    ) -> Result<Vec<Seq>, StoreError> {
        let prefix = &key::dead(endpoint, 0)[..5];
        let entries = self
            .backend
            .scan_back(prefix, &key::dead(endpoint, bound), limit)?;
        Ok(entries
            .iter()
            .filter_map(|(entry, _)| key::number(entry, 5))
            .collect())
    }

    pub(super) fn endpoint_views(&self) -> Result<Vec<EndpointView>, StoreError> {
        let views: Vec<(EndpointView, Option<Seq>)> = {
            let shared = self.shared();
            let entries = shared.state.entries().map(|entry| {
                let view = EndpointView {
                    endpoint: entry.endpoint.clone(),
                    backlog: entry.queue.backlog(),
                    oldest_waiting_at: None,
                    next_attempt_at: entry.queue.next_due(),
                    ended: entry.queue.ended,
                };
                (view, entry.queue.oldest())
            });
            entries.collect()
        };
        views
            .into_iter()
            .map(|(mut view, oldest)| {
                if let Some(seq) = oldest {
                    view.oldest_waiting_at = self.read_event(seq)?.map(|event| event.received_at);
                }
                Ok(view)
            })
            .collect()
    }
}

fn view(
    event: Arc<Event>,
    endpoint: Arc<Endpoint>,
    queued: Option<(Status, Option<super::queue::Waiting>)>,
    records: Vec<AttemptRecord>,
) -> DeliveryView {
    let last = records.last().map(|record| record.then);
    let status = match (queued, last) {
        (Some((status, _)), _) => status,
        (None, Some(Then::Delivered)) => Status::Delivered,
        (None, Some(Then::Dead)) => Status::Dead,
        (None, Some(Then::Removed)) => Status::Removed,
        // Its last attempt failed, and it is queued no more: its endpoint went.
        (None, Some(Then::Waiting(_))) => Status::Removed,
        (None, None) => {
            let after = endpoint.from_seq <= event.seq;
            let gone = endpoint.state == EndpointState::Removed;
            if gone && after && endpoint.settings.filter.matches(&event.content) {
                Status::Removed
            } else {
                Status::Filtered
            }
        }
    };
    let waiting = queued.and_then(|(_, waiting)| waiting);
    let next_attempt_at: Option<Timestamp> = waiting.map(|waiting| waiting.due);
    let attempt_count = records.last().map_or(0, |record| record.attempt.number);
    let attempts: Vec<Attempt> = records.into_iter().map(|record| record.attempt).collect();
    DeliveryView {
        id: DeliveryId::new(event.id, endpoint.number),
        event,
        endpoint,
        status,
        failures: waiting.map_or(0, |waiting| waiting.failures),
        next_attempt_at,
        attempt_count,
        attempts,
    }
}
