//! What the store shows to those who look: endpoints, deliveries, lists, depth.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::projection::queue::Ended;
use super::record::Reopened;
use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::endpoint::{Endpoint, EndpointState, Filter};
use crate::event::Event;
use crate::id::{DeliveryId, Seq};

/// An endpoint and how it is getting on.
#[derive(Clone, Debug)]
pub struct EndpointView {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Deliveries that have not ended.
    pub backlog: u64,
    /// When the oldest of them was received.
    pub oldest_waiting_at: Option<Timestamp>,
    /// When its next retry is due.
    pub next_attempt_at: Option<Timestamp>,
    /// How many have ended in each way.
    pub ended: Ended,
}

/// An endpoint's queue, counted.
#[derive(Clone, Debug)]
pub struct QueueView {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Deliveries that have not failed and are not under way.
    pub pending: u64,
    /// Deliveries that wait for a retry.
    pub waiting: u64,
    /// Attempts under way.
    pub in_flight: u64,
    /// The oldest of all these.
    pub oldest: Option<Seq>,
    /// How many have ended in each way.
    pub ended: Ended,
}

/// A delivery and how it is getting on.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// The event.
    pub event: Arc<Event>,
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Where it stands.
    pub status: Status,
    /// Failed attempts in a row, of this round.
    pub failures: u32,
    /// When the next attempt may leave, if one has failed.
    pub next_attempt_at: Option<Timestamp>,
    /// Attempts so far, over every round, and how often it was given up without one: the number of
    /// its last record, while it has one, and by its queue, while it waits.
    pub attempt_count: u32,
    /// The latest of these records, oldest first: at most 1,000, and 20 in a list.
    pub attempts: Vec<Attempt>,
    /// For whose end it waits, where its endpoint is sent its events in order.
    pub behind: Option<DeliveryId>,
}

impl DeliveryView {
    /// Those of the records that are of attempts.
    pub fn made(&self) -> impl Iterator<Item = &Attempt> {
        let records = self.attempts.iter();
        records.filter(|record| record.given_up().is_none())
    }

    /// How many attempts were made, as far as the records are here.
    pub fn attempts_made(&self) -> u32 {
        let records = self.attempts.iter();
        let others = records.filter(|record| record.given_up().is_some());
        self.attempt_count.saturating_sub(others.count() as u32)
    }

    /// The record by which it is a dead letter, if no attempt made it one.
    pub fn given_up(&self) -> Option<&Attempt> {
        let last = self.attempts.last().filter(|_| self.status == Status::Dead);
        last.filter(|last| last.given_up().is_some())
    }
}

/// Which deliveries to list; newest event first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Of one endpoint, by number.
    pub endpoint: Option<u32>,
    /// Of events that this selects.
    pub events: Option<Filter>,
    /// Of events at these positions.
    pub seqs: Option<RangeInclusive<Seq>>,
    /// In one of these states; empty means all but `Filtered`.
    pub statuses: Vec<Status>,
    /// Whose last attempt was answered with this HTTP status.
    pub last_status: Option<u16>,
    /// Only those behind this position of an earlier list.
    pub after: Option<(Seq, u32)>,
    /// How many at most.
    pub limit: usize,
}

impl DeliveryView {
    /// Whether an operator gave it up: its endpoint is still there.
    pub fn is_discarded(&self) -> bool {
        self.status == Status::Removed && self.endpoint.state != EndpointState::Removed
    }
}

impl DeliveryQuery {
    /// Whether the delivery's last attempt was answered as is asked for.
    pub(super) fn is_answered_so(&self, view: &DeliveryView) -> bool {
        let last = view.attempts.last();
        let status = last.and_then(|attempt| attempt.status);
        self.last_status.is_none_or(|wanted| status == Some(wanted))
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    /// What was found.
    pub items: Vec<T>,
    /// Where to go on, if there may be more.
    pub next: Option<C>,
}

/// Which deliveries to put back. Operational events that have arrived are left out, unless one is
/// named by `seq`.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// The endpoint's number.
    pub endpoint: u32,
    /// Events received at or after this moment.
    pub since: Option<Timestamp>,
    /// Events received before this moment.
    pub until: Option<Timestamp>,
    /// One event only.
    pub seq: Option<Seq>,
    /// Dead letters only; otherwise delivered ones too.
    pub only_dead: bool,
    /// How many at most, oldest first.
    pub limit: u64,
    /// Only count them.
    pub dry_run: bool,
}

/// Which deliveries that have ended to look for, of one endpoint.
#[derive(Clone, Debug)]
pub struct EndedQuery {
    /// The endpoint's number.
    pub endpoint: u32,
    /// Of events at this position or behind it.
    pub from: Seq,
    /// Of events up to this position.
    pub until: Seq,
    /// Dead letters only; otherwise delivered ones too.
    pub only_dead: bool,
    /// Of events that this selects; without it operational ones that have arrived are left out.
    pub kinds: Option<Filter>,
    /// How many at most, oldest first.
    pub limit: usize,
}

/// Which deliveries that have not arrived to look for, of one endpoint.
#[derive(Clone, Debug)]
pub struct UndeliveredQuery {
    /// The endpoint's number.
    pub endpoint: u32,
    /// Of events at this position or behind it.
    pub from: Seq,
    /// Of events up to this position.
    pub until: Seq,
    /// Of these events alone, for those who come back to attempts that were under way.
    pub only: Option<BTreeSet<Seq>>,
    /// In these states: `Pending`, `Waiting`, `Dead`. Others are not looked for.
    pub statuses: Vec<Status>,
    /// Of events that this selects.
    pub kinds: Option<Filter>,
    /// How many at most, oldest first.
    pub limit: usize,
}

/// Deliveries that have not arrived, as far as a look went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Those in the states that were asked for.
    pub items: Vec<FoundDelivery>,
    /// Those that an attempt is under way for, which may bring them into one of these states: ask
    /// for them again when it may have ended.
    pub under_way: Vec<Seq>,
    /// Where to look on; none at the end.
    pub next: Option<Seq>,
}

/// What came of giving deliveries up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// How many were given up; what was so before as well.
    pub count: u64,
    /// Those that do not stand as they were found any more, oldest first: look again.
    pub moved: Vec<Seq>,
}

/// A delivery as it was found, and after how many attempts: what tells whether it has moved since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDelivery {
    /// The event.
    pub seq: Seq,
    /// Attempts so far, over every round; none if its turn had not come, if it was filtered, or is
    /// from before its endpoint.
    pub attempts: u32,
    /// Whether it is a dead letter.
    pub was_dead: bool,
    /// The frame of transitions that was written next after it was found: only those behind it can
    /// tell of what came since. 0 in a task of an earlier version.
    #[serde(default)]
    pub frame: u64,
}

impl FoundDelivery {
    /// What was found before `frame` was written.
    pub(super) fn of(delivery: Reopened, frame: u64) -> Self {
        let Reopened {
            seq,
            attempts,
            was_dead,
        } = delivery;
        Self {
            seq,
            attempts,
            was_dead,
            frame,
        }
    }
}

/// How much the store has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Events that are not on disk yet.
    pub uncommitted: usize,
    /// Ends of attempts, and changes of endpoints, that are not in the records yet.
    pub unsaved: usize,
    /// Attempts under way.
    pub in_flight: usize,
    /// When something may be claimed next: what is due and has no place yet does not count.
    pub next_due: Option<Timestamp>,
    /// Position of the newest event; 0 if there is none.
    pub last_seq: Seq,
}
