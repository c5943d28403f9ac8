//! Which events and transitions are to go. Nothing is written here.

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::super::record::{Body, EventRecord, Transition, key};
use crate::clock::Timestamp;
use crate::id::Seq;
use crate::store::projection::seqset::SeqSet;
use crate::store::record::codec::{self, Kind};
use crate::store::record::frames::Frames;
use crate::store::sealing::kept;

/// Dead letters that are looked at in one go.
const DEAD_PER_READ: usize = 1_024;

/// With fewer frames of transitions and no event at all a pass is not worth its base.
const FRAMES_MIN: u64 = 64;

/// What is to go.
#[derive(Debug, Default)]
pub struct Decided {
    /// These events.
    pub seqs: SeqSet,
    /// Their dead letters, by endpoint.
    pub dead: Vec<(u32, Seq)>,
    /// The first frame of transitions that stays.
    pub frames_from: u64,
}

impl<B: Backend> Log<B> {
    /// What is to go, if anything is: events below `below`, and transitions that came before them.
    pub(super) fn decide(&self, below: Seq) -> Result<Option<Decided>, StoreError> {
        let retention = &self.options.retention;
        let held = self.shared().state.held();
        // What has died since is among the held; the others' ends are in the records after this.
        self.save_settlements()?;
        let by_age = match retention.max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => 1,
        };
        let by_bytes = self.first_within_bytes()?;
        let last = *self.tail.borrow();
        let cut = by_age.max(by_bytes).min(last + 1).min(below);
        let dead_from = match retention.dead_letters_max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => 1,
        };
        let dead = self.dead_letters(cut)?;
        let mut seqs = SeqSet::default();
        seqs.insert_range(1, cut - 1);
        {
            let shared = self.shared();
            seqs.remove_all(shared.state.expired.seqs());
            seqs.remove_all(shared.state.lost());
        }
        seqs.remove_all(&held);
        for (_, seq) in dead.iter().filter(|(_, seq)| *seq >= dead_from) {
            seqs.remove(*seq);
        }
        let attempts_cut = match retention.attempts_max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => cut,
        };
        // Where no event has come in for so long, attempts of older ones are young nevertheless.
        let by_time = (by_age >= by_bytes).then_some(retention.max_age).flatten();
        let attempts_age = retention.attempts_max_age.or(by_time);
        let young_from = attempts_age.map(|age| self.ago(age));
        let frames_before = self.shared().state.expired.frames_from;
        let frames_from = self.first_frame_behind(attempts_cut.min(below - 1), young_from)?;
        if seqs.is_empty() && frames_from < frames_before + FRAMES_MIN {
            return Ok(None);
        }
        let dead = dead.into_iter().filter(|(_, seq)| seqs.contains(*seq));
        Ok(Some(Decided {
            dead: dead.collect(),
            seqs,
            frames_from,
        }))
    }

    /// Every dead letter of an event below `cut`.
    pub(super) fn dead_letters(&self, cut: Seq) -> Result<Vec<(u32, Seq)>, StoreError> {
        let (mut dead, mut from) = (Vec::new(), key::dead(0, 0));
        loop {
            let entries = self.backend.scan(b"x", &from, DEAD_PER_READ)?;
            let Some((last, _)) = entries.last() else {
                return Ok(dead);
            };
            from = [last.as_slice(), &[0]].concat();
            let read = |entry: &[u8]| Some((key::small_number(entry, 1)?, key::number(entry, 5)?));
            let read = entries.iter().filter_map(|(entry, _)| read(entry));
            dead.extend(read.filter(|(_, seq)| *seq < cut));
        }
    }

    /// The first event that stays so that the records take no more than they may.
    fn first_within_bytes(&self) -> Result<Seq, StoreError> {
        let Some(max_bytes) = self.options.retention.max_bytes else {
            return Ok(1);
        };
        // Without what an earlier pass has deleted, or it would be made room for again.
        let live_bytes = self.backend.space().live_bytes;
        let live_bytes = live_bytes.saturating_sub(self.backend.doomed_bytes()?);
        let mut excess = live_bytes.saturating_sub(max_bytes);
        let held = self.shared().state.held();
        let mut frames = Frames::new(b"e", key::events(1));
        let mut cut = 1;
        while excess > 0 && !self.is_ending() {
            let Some((first, bytes)) = frames.next(&self.backend)? else {
                break;
            };
            let Ok(frame) = codec::open(&bytes, Kind::Events) else {
                continue;
            };
            let behind = first + u64::from(frame.head.count);
            let is_held = held.next_from(first).is_some_and(|seq| seq < behind);
            let is_left = self
                .gone_until(first)
                .is_some_and(|last| last + 1 >= behind);
            if is_held || is_left {
                continue;
            }
            let records: Vec<EventRecord<'_>> = frame.decode().unwrap_or_default();
            let bodies = records.iter().map(|record| match record.body {
                Body::Chunked { bytes, .. } => u64::from(bytes),
                Body::Inline(_) => 0,
            });
            excess = excess.saturating_sub(bytes.len() as u64 + bodies.sum::<u64>());
            cut = behind;
        }
        Ok(cut)
    }

    /// The first frame of transitions that came behind event `cut`, or that has something in it from
    /// `young_from` on, or the last one of all.
    fn first_frame_behind(
        &self,
        cut: Seq,
        young_from: Option<Timestamp>,
    ) -> Result<u64, StoreError> {
        // What was written on a clock that ran ahead must not be in the way of all the rest.
        let now = self.clock.now();
        let is_young = |at: Timestamp| young_from.is_some_and(|from| from <= at && at <= now);
        let (last, mut number) = {
            let writer = self.writer();
            let shared = self.shared();
            (writer.next_frame - 1, shared.state.expired.frames_from)
        };
        let mut frames = Frames::new(b"t", key::transitions(number));
        while number < last && !self.is_ending() {
            let Some((found, bytes)) = frames.next(&self.backend)? else {
                break;
            };
            let frame = codec::open(&bytes, Kind::Transitions);
            let body = frame.and_then(|frame| kept::read(&frame));
            // One that is damaged must be named by a start, and stays.
            let Ok(body) = body else {
                break;
            };
            let mut times = body.transitions.iter().filter_map(time_of);
            if found != number || body.as_of > cut || times.any(is_young) {
                break;
            }
            number += 1;
        }
        Ok(number)
    }
}

fn time_of<E>(transition: &Transition<E>) -> Option<Timestamp> {
    match transition {
        Transition::Attempt(record) => Some(record.attempt.ended_at),
        Transition::Replay(record) => Some(record.at),
        Transition::Endpoint(..) | Transition::Lost(..) => None,
    }
}
