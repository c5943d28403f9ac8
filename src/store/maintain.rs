//! Retention: what is old, or too much, goes, and its room comes back.
//!
//! One pass decides what expires, writes that down in a [`Base`], synced, and only then deletes.
//! Deleting is repeated after a crash until nothing is left of what has expired. No lock is held
//! for longer than a snapshot takes; the writer of events waits for no more than a small batch.
//!
//! | file | what is in it |
//! |---|---|
//! | `maintain.rs` | a pass, from its decision to its end |
//! | `expired.rs` | what has expired: pure |
//! | `base.rs` | where a start goes on when records before it have expired |
//! | `decide.rs` | which events and transitions are to go |
//! | `rules.rs`, `sift.rs`, `look.rs` | where sources have rules of their own: the rules, what they take, reading no more than that takes |
//! | `dead.rs` | how many dead letters there are |
//! | `overdue.rs` | deliveries that have waited for too long become dead letters |
//! | `delete.rs` | taking away what has expired |

pub mod base;
mod dead;
mod decide;
mod delete;
pub mod expired;
mod look;
mod overdue;
pub mod progress;
mod rules;
mod sift;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Duration;

use super::StoreError;
use super::backend::Backend;
use super::log::Log;
use super::projection::blockset::BlockSet;
use super::sealing::kept::KeptEndpoint;
use crate::clock::Timestamp;
use crate::id::Seq;
use base::Base;
use decide::Decided;

/// How long what is kept. What is `None` is kept for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events, from when they were received; but none that a delivery waits for.
    pub max_age: Option<Duration>,
    /// Bytes of the records: above them the oldest events go, but none that a delivery waits for.
    pub max_bytes: Option<u64>,
    /// Transitions; by default those that came before the oldest event that is not merely held.
    pub attempts_max_age: Option<Duration>,
    /// Events with a dead letter, from when they were received.
    pub dead_letters_max_age: Option<Duration>,
    /// Deliveries, from when their event was received: longer ones become dead letters.
    pub waiting_max_age: Option<Duration>,
    /// Sources for which other rules hold, by name.
    pub sources: BTreeMap<String, SourceRetention>,
}

/// How long what of one source is kept. What is `None` is kept for ever, but for what the bytes of
/// all records ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceRetention {
    /// Its events, from when they were received; but none that a delivery waits for.
    pub max_age: Option<Duration>,
    /// Bytes of its events' records: above them the oldest go, but none that a delivery waits for.
    pub max_bytes: Option<u64>,
    /// Its events with a dead letter, from when they were received.
    pub dead_letters_max_age: Option<Duration>,
}

impl Retention {
    /// Whether anything ever goes.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Events that have expired.
    pub expired_events: u64,
    /// Deliveries that had waited for too long.
    pub overdue_deliveries: u64,
    /// Frames of events that were written again without what of them has expired.
    pub thinned_frames: u64,
    /// Frames of transitions that have expired.
    pub expired_frames: u64,
    /// Bytes that were copied so that the files around them could go.
    pub copied_bytes: u64,
}

/// What one pass leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    /// The last base, known from the first pass on; not behind a pass that did not come to its end,
    /// for then what that base lets go has to be looked for again.
    base: Option<Standing>,
}

/// Of the last base, what the next pass needs.
#[derive(Clone, Copy, Debug)]
struct Standing {
    number: u64,
    /// The first event that is not in it.
    end: Seq,
}

impl<B: Backend> Log<B> {
    /// See [`Store::maintain`](super::Store::maintain).
    pub(super) fn maintain_now(&self) -> Result<Maintained, StoreError> {
        let mut turn = self
            .maintenance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = self.pass(&mut turn);
        if let Err(error @ StoreError::Stopped(_)) = &done {
            self.stop(error);
        }
        done
    }

    fn pass(&self, turn: &mut Maintenance) -> Result<Maintained, StoreError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let mut maintained = Maintained::default();
        if !self.options.retention.is_off() {
            maintained.overdue_deliveries = self.end_overdue()?;
            self.expire(turn, &mut maintained)?;
        }
        maintained.copied_bytes = self.backend.reclaim(&|| self.is_ending())?;
        Ok(maintained)
    }

    fn expire(
        &self,
        turn: &mut Maintenance,
        maintained: &mut Maintained,
    ) -> Result<(), StoreError> {
        // Whoever begins to read the whole log meanwhile waits; what is read now stays.
        let deletion = self.pins().delete_below(Seq::MAX);
        if deletion.below() <= 1 {
            return Ok(());
        }
        let standing = match turn.base.take() {
            Some(standing) => standing,
            None => {
                let (number, base) = base::load(&self.backend)?;
                let mut end = 1;
                if let Some(base) = base {
                    // A crash may have come in between.
                    let all = || base.expired.seqs().clone();
                    let fresh = base.fresh.clone().unwrap_or_else(all);
                    end = base.snapshot.next_seq;
                    self.delete_dead_letters(&self.dead_letters(end)?, base.expired.seqs())?;
                    maintained.thinned_frames += self.delete_what_has_expired(end, &fresh)?;
                    self.delete_transitions(1, base.expired.frames_from)?;
                    if !base.names_dead {
                        self.remember_forgotten_dead_letters()?;
                    }
                }
                Standing { number, end }
            }
        };
        let Some(decided) = self.decide(deletion.below())? else {
            turn.base = Some(standing);
            return Ok(());
        };
        let number = standing.number + 1;
        // From the marking until the base is written nothing may fail but the disk for good.
        let version = self.version()?;
        let (base, decided, frames_before) = {
            // Nothing that has ended is put back meanwhile; what was put back before is waited for.
            let _no_replays = self
                .replaying
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            self.mark_as_expired(decided, standing)?
        };
        self.cache.forget(&decided.seqs);
        if !decided.dead.is_empty() {
            self.observed.tell_buried();
        }
        maintained.expired_events = decided.seqs.len();
        maintained.expired_frames = decided.frames_from - frames_before;
        self.write_base(&base, number, version)?;
        let (end, fresh) = (base.snapshot.next_seq, base.fresh.unwrap_or_default());
        self.delete_dead_letters(&decided.dead, &decided.seqs)?;
        maintained.thinned_frames += self.delete_what_has_expired(end, &fresh)?;
        self.delete_transitions(frames_before, decided.frames_from)?;
        turn.base = Some(Standing { number, end });
        Ok(())
    }

    /// From here on what was decided is not there any more for anybody; of it only what nobody
    /// waits for by now.
    fn mark_as_expired(
        &self,
        mut decided: Decided,
        before: Standing,
    ) -> Result<(Base, Decided, u64), StoreError> {
        // As nothing is put back, how the others stand is settled: what was decided on may have been
        // put back before, and be a dead letter no more, or be one by now, which stays as one.
        let held = self.shared().state.held();
        self.save_settlements()?;
        let known: BTreeSet<_> = decided.dead.drain(..).collect();
        let mut died_since = BlockSet::default();
        for dead in self.dead_letters(Seq::MAX)? {
            match known.contains(&dead) {
                true => decided.dead.push(dead),
                false if decided.seqs.contains(dead.1) => died_since.insert(dead.1),
                false => {}
            }
        }
        let mut writer = self.writer();
        let now = self.clock.now();
        let (mut expired, mut frames_before) = (None, 1);
        let (snapshot, _) = self.take_snapshot(&mut writer, |state| {
            let mut waited_for = died_since;
            let is_decided = |(from, _): &(Seq, Seq)| decided.seqs.next_from(*from).is_some();
            waited_for.insert_runs(held.iter_runs().filter(is_decided));
            state.expired.progress = std::mem::take(&mut decided.progress);
            let all = decided.seqs.clone();
            decided.seqs.remove_all(&waited_for);
            if decided.seqs.len() < all.len() {
                let mut stay = all;
                stay.remove_all(&decided.seqs);
                state.expired.progress.leave(&stay);
            }
            frames_before = state.expired.frames_from;
            state.expired.insert(&decided.seqs, &decided.greatest, now);
            state.expired.frames_from = decided.frames_from.max(frames_before);
            state.expired.take_note(&decided.endings);
            let seqs = &decided.seqs;
            decided.dead.retain(|(_, seq)| seqs.contains(*seq));
            state.bury(&decided.dead);
            expired = Some(state.expired.clone());
        })?;
        let keys = &self.options.keys;
        let snapshot = snapshot.map(|endpoint| KeptEndpoint::of(&endpoint, keys));
        let expired = expired.unwrap_or_default();
        decided.frames_from = expired.frames_from;
        let mut fresh = decided.seqs.clone();
        // The last frame of the base before stayed, though nothing was left of it.
        if expired.seqs().contains(before.end - 1) {
            fresh.insert(before.end - 1);
        }
        let base = Base {
            snapshot,
            expired,
            fresh: Some(fresh),
            names_dead: true,
        };
        Ok((base, decided, frames_before))
    }

    /// The position of the first event that was received at or after `moment`. One that cannot be
    /// read counts as newer.
    fn first_received_from(&self, moment: Timestamp) -> Result<Seq, StoreError> {
        let (mut low, mut high) = (1, *self.tail.borrow() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let event = match self.read_without_bodies(middle, 1) {
                Err(StoreError::Damaged { .. }) => None,
                read => read?.pop(),
            };
            if event.is_some_and(|event| event.received_at < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The moment so long ago, on a clock that nobody has set forward: were it, everything would
    /// look old.
    fn ago(&self, age: Duration) -> Timestamp {
        let moment = self.clock.moment();
        let now = moment.now.min(moment.steady());
        now.moved(i64::try_from(age.as_millis()).map_or(i64::MIN, |ms| -ms))
    }

    /// A pass that goes on ends soon, for nothing more comes in.
    pub(super) fn wait_for_maintenance(&self) {
        drop(
            self.maintenance
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn is_ending(&self) -> bool {
        self.inbox.is_closed()
    }
}
