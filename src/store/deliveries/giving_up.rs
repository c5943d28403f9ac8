//! Giving deliveries up before their policy does: they become dead letters, and the queue goes on.
//!
//! The record is that of an attempt without an answer, one number above the last, so that no reader
//! of a store needs a new form; [`Attempt::given_up`] tells it from one that was made.

use crate::clock::Timestamp;
use crate::delivery::{Attempt, GivenUp, Status};
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::projection::queue::{Queue, Then};
use crate::store::record::{AttemptRecord, Transition};
use crate::store::{GaveUp, StoreError};

impl<B: Backend> Log<B> {
    /// See [`Store::give_up`](crate::store::Store::give_up).
    pub(in crate::store) fn give_up_delivery(
        &self,
        endpoint: u32,
        seq: Seq,
        why: Option<&str>,
    ) -> Result<bool, StoreError> {
        let given_up = self.give_up_some(endpoint, GivenUp::ByOperator, why, |queue| {
            let is_routed = queue.unrouted_from.is_none_or(|from| seq < from);
            let is_waiting = match queue.status(seq) {
                Some((status, _)) => status != Status::InFlight,
                None => false,
            };
            Vec::from_iter((is_routed && is_waiting).then_some(seq))
        })?;
        Ok(given_up > 0)
    }

    /// Ends what `which` says of the queue, none of it under way or yet to be routed; says how many
    /// these are. They are in the records behind it, and are told.
    pub(in crate::store) fn give_up_some(
        &self,
        number: u32,
        why: GivenUp,
        reason: Option<&str>,
        which: impl FnOnce(&Queue) -> Vec<Seq>,
    ) -> Result<usize, StoreError> {
        let words = why.words(reason);
        let (endpoint, ended) = {
            let mut shared = self.shared();
            let now = self.now(&mut shared);
            let Some(entry) = shared.state.entry(number) else {
                return Ok(0);
            };
            let attempts = |seq| (seq, entry.queue.attempts_before(seq));
            let ended: Vec<(Seq, u32)> = which(&entry.queue).into_iter().map(attempts).collect();
            let endpoint = entry.endpoint.clone();
            // What an operator has been told must not come undone by a power cut.
            let sync = why == GivenUp::ByOperator;
            for (seq, attempts) in &ended {
                let record = unattempted(number, *seq, *attempts, now, &words, Then::Dead);
                let transition = Transition::Attempt(Box::new(record));
                self.record(&mut shared, now, transition, sync);
            }
            (endpoint, ended)
        };
        if ended.is_empty() {
            return Ok(0);
        }
        // What is settled waits in memory until it is written.
        self.save_settlements()?;
        let (mut newest, mut operational) = (None, 0);
        for (seq, attempts) in &ended {
            match self.read_event(*seq) {
                Ok(Some(event)) if event.content.is_operational() => operational += 1,
                Ok(Some(event)) if newest.is_none() => newest = Some((event, *attempts)),
                _ => {}
            }
        }
        self.observed.tell_given_up(GaveUp {
            endpoint: &endpoint,
            count: ended.len() as u64,
            operational,
            why,
            words: &words,
            last: newest
                .as_ref()
                .map(|(event, attempts)| (&**event, *attempts)),
        });
        Ok(ended.len())
    }
}

/// The record of an end that no attempt brought about, of a delivery that had so many.
pub(super) fn unattempted(
    endpoint: u32,
    seq: Seq,
    attempts: u32,
    now: Timestamp,
    words: &str,
    then: Then,
) -> AttemptRecord {
    AttemptRecord {
        endpoint,
        seq,
        attempt: Attempt {
            number: attempts + 1,
            started_at: now,
            ended_at: now,
            status: None,
            error: Some(words.to_owned()),
            response_excerpt: None,
        },
        then,
    }
}
