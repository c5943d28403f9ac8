//! The history of a delivery: its attempts, and where that leaves it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::Event;
use crate::id::{DeliveryId, Seq};
use crate::store::backend::Backend;
use crate::store::commit::Saving;
use crate::store::commit::write::{SUCCESSES_SPAN, is_first_try_success};
use crate::store::log::Log;
use crate::store::projection::queue::{Then, Waiting};
use crate::store::record::codec::{self, Kind};
use crate::store::record::{AttemptRecord, Transition, TransitionFrame, key};
use crate::store::{DeliveryView, StoreError};

impl<B: Backend> Log<B> {
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
    pub(in crate::store) fn attempts(
        &self,
        endpoint: u32,
        seq: Seq,
        most: usize,
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        let mut records = Vec::new();
        let groups = self.backend.scan_back(
            &key::successes(endpoint, 0)[..5],
            &key::successes(endpoint, seq + 1),
            SUCCESSES_SPAN as usize,
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
        // The first success is found by another key than those that came after a replay.
        let surplus = records.len().saturating_sub(most);
        Ok(records.split_off(surplus))
    }

    /// How many attempts of one delivery are recorded; without reading them, if it failed once.
    pub(in crate::store) fn attempt_count(
        &self,
        endpoint: u32,
        seq: Seq,
    ) -> Result<u32, StoreError> {
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
    pub(in crate::store) fn save_settlements(&self) -> Result<(), StoreError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let unsaved = {
            let mut shared = self.shared();
            // What is shown is due by the clock as it is now.
            self.now(&mut shared);
            !shared.unsaved.is_empty()
        };
        // Waits for a group that is being written, too.
        if unsaved {
            self.commit_next(Saving::Everything).map(|_| ())
        } else {
            drop(self.writer());
            Ok(())
        }
    }

    pub(in crate::store) fn delivery_view(
        &self,
        number: u32,
        seq: Seq,
        most_attempts: usize,
    ) -> Result<Option<DeliveryView>, StoreError> {
        let Some(event) = self.read_event(seq)? else {
            return Ok(None);
        };
        let (endpoint, queued, attempts_before, head) = {
            let shared = self.shared();
            let Some(entry) = shared.state.entry(number) else {
                return Ok(None);
            };
            let queue = &entry.queue;
            (
                entry.endpoint.clone(),
                queue.status(seq),
                queue.attempts_before(seq),
                queue.head(),
            )
        };
        if endpoint.until_seq.is_some_and(|until| seq >= until) {
            return Ok(None);
        }
        let mut records = self.attempts(number, seq, most_attempts)?;
        let ended = match (queued, records.is_empty()) {
            (None, true) => self.end_without_records(&event, &endpoint)?,
            _ => None,
        };
        if ended.is_none() && lags_behind(&event, &endpoint, queued, records.last()) {
            self.save_settlements()?;
            records = self.attempts(number, seq, most_attempts)?;
        }
        let went_with_endpoint = endpoint.state == EndpointState::Removed
            && queued.is_none()
            && self.was_put_back(number, seq, records.last())?;
        let mut view = view(event, endpoint, queued, attempts_before, records);
        if went_with_endpoint {
            view.status = Status::Removed;
        }
        if let (Some(ended), true) = (ended, view.attempts.is_empty()) {
            view.status = ended;
        }
        if let (Some(_), Some(head)) = (queued, head.filter(|head| *head < seq)) {
            // One that cannot be read must not hide those behind it.
            let event = self.read_event(head).ok().flatten();
            view.behind = event.map(|event| DeliveryId::new(event.id, number));
        }
        Ok(Some(view))
    }
}

impl<B: Backend> Log<B> {
    /// How a delivery has ended whose records may have expired: whoever was routed to and neither
    /// waits nor died was delivered to.
    pub(in crate::store) fn end_without_records(
        &self,
        event: &Event,
        endpoint: &Endpoint,
    ) -> Result<Option<Status>, StoreError> {
        if self.shared().state.expired.frames_from == 1 {
            return Ok(None);
        }
        let dead = key::dead(endpoint.number, event.seq);
        if self.backend.get(&dead)?.is_some() {
            return Ok(Some(Status::Dead));
        }
        let settings = &endpoint.settings;
        let was_routed = endpoint.from_seq <= event.seq
            && endpoint.state != EndpointState::Removed
            && !settings.drop_while_inactive
            && settings.filter.matches(&event.content);
        // A young one has just been settled: its records are on their way.
        let is_old = self.expired_before().is_some_and(|seq| event.seq < seq);
        Ok((was_routed && is_old).then_some(Status::Delivered))
    }

    /// Whether a delivery that had ended was put back behind its `last` attempt. The index tells,
    /// whatever became of the delivery then.
    fn was_put_back(
        &self,
        endpoint: u32,
        seq: Seq,
        last: Option<&AttemptRecord>,
    ) -> Result<bool, StoreError> {
        let number = last.map_or(0, |last| last.attempt.number);
        let found = |key: Vec<u8>| self.backend.get(&key).map(|found| found.is_some());
        match last.map(|last| last.then) {
            Some(Then::Dead) => found(key::dead(endpoint, seq)).map(|is_dead| !is_dead),
            Some(Then::Delivered) => found(key::put_back(endpoint, seq, number)),
            _ => Ok(false),
        }
    }

    /// The event behind which all records of attempts are kept.
    fn expired_before(&self) -> Option<Seq> {
        let frames_from = self.shared().state.expired.frames_from;
        let first = self.backend.get(&key::transitions(frames_from)).ok()??;
        let frame = codec::open(&first, Kind::Transitions).ok()?;
        let body: TransitionFrame<Vec<Transition>> = frame.decode().ok()?;
        Some(body.as_of)
    }
}

/// Whether the queue has moved on to where the records have not come yet: what is settled is in
/// the records a moment later.
fn lags_behind(
    event: &Event,
    endpoint: &Endpoint,
    queued: Option<(Status, Option<Waiting>)>,
    last: Option<&AttemptRecord>,
) -> bool {
    let recorded = last.map_or(0, |record| record.attempt.number);
    match (queued, last.map(|record| record.then)) {
        (Some((_, waiting)), _) => waiting.is_some_and(|waiting| waiting.attempts > recorded),
        _ if endpoint.state == EndpointState::Removed => false,
        (None, Some(then)) => matches!(then, Then::Waiting(_)),
        (None, None) => {
            endpoint.from_seq <= event.seq && endpoint.settings.filter.matches(&event.content)
        }
    }
}

fn view(
    event: Arc<Event>,
    endpoint: Arc<Endpoint>,
    queued: Option<(Status, Option<Waiting>)>,
    attempts_before: u32,
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
    // The queue counts them, though their records have expired.
    let recorded = records.last().map_or(0, |record| record.attempt.number);
    let attempt_count = recorded.max(attempts_before);
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
        behind: None,
    }
}

#[cfg(test)]
mod tests;
