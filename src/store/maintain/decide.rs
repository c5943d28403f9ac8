//! Which events and transitions are to go. Nothing is written here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::super::record::{Transition, key};
use super::look::FAR;
use super::progress::{GENERAL, Progress};
use crate::clock::Timestamp;
use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;
use crate::store::projection::queue::Then;
use crate::store::projection::seqset::SeqSet;
use crate::store::record::codec::{self, Kind};
use crate::store::record::event_frame::EventFrame;
use crate::store::record::frames::Frames;
use crate::store::sealing::kept;

/// With fewer frames of transitions and no event at all a pass is not worth its base.
const FRAMES_MIN: u64 = 64;

/// What is to go.
#[derive(Debug, Default)]
pub struct Decided {
    /// These events.
    pub seqs: BlockSet,
    /// Of each rule by which some go, the greatest.
    pub greatest: BTreeMap<String, Seq>,
    /// Their dead letters, by endpoint.
    pub dead: Vec<(u32, Seq)>,
    /// The first frame of transitions that stays.
    pub frames_from: u64,
    /// What the frames before it say of dead letters, in order.
    pub endings: Vec<Ending>,
    /// How far the rules have come with this.
    pub progress: Progress,
}

/// The delivery to this endpoint of this event became a dead letter, or was put back.
pub type Ending = (u32, Seq, bool);

/// Events that are to go.
#[derive(Debug, Default)]
pub struct Sifted {
    pub seqs: BlockSet,
    /// Of each rule by which some go, the greatest.
    pub greatest: BTreeMap<String, Seq>,
    /// Attempts that were made before this event are of no event that is kept on its own account.
    pub cut: Seq,
    /// Where `cut` is one of age: attempts that are younger stay.
    pub age: Option<Duration>,
    /// How far the rules have come.
    pub progress: Progress,
}

impl<B: Backend> Log<B> {
    /// What is to go, if anything is: events below `below`, and transitions that came before them.
    pub(super) fn decide(&self, below: Seq) -> Result<Option<Decided>, StoreError> {
        let retention = &self.options.retention;
        let held = self.shared().state.held();
        // What has died since is among the held; the others' ends are in the records after this.
        self.save_settlements()?;
        let end = (*self.tail.borrow() + 1).min(below);
        let dead = self.dead_letters(end)?;
        let sifted = match retention.sources.is_empty() {
            true => Some(self.sift_all(end, &held, &dead)?),
            false => self.sift_by_source(end, &held, &dead)?,
        };
        let Some(Sifted {
            seqs,
            greatest,
            cut,
            age,
            progress,
        }) = sifted
        else {
            return Ok(None);
        };
        let attempts_cut = match retention.attempts_max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => cut,
        };
        // Where no event has come in for so long, attempts of older ones are young nevertheless.
        let attempts_age = retention.attempts_max_age.or(age);
        let young_from = attempts_age.map(|age| self.ago(age));
        let frames_before = self.shared().state.expired.frames_from;
        let (frames_from, endings) =
            self.first_frame_behind(attempts_cut.min(below - 1), young_from)?;
        if seqs.is_empty() && frames_from < frames_before + FRAMES_MIN {
            self.shared().state.expired.progress = progress;
            return Ok(None);
        }
        let dead = dead.into_iter().filter(|(_, seq)| seqs.contains(*seq));
        Ok(Some(Decided {
            dead: dead.collect(),
            seqs,
            greatest,
            frames_from,
            endings,
            progress,
        }))
    }

    /// What is to go where one rule holds for every source: no event has to be read.
    fn sift_all(&self, end: Seq, held: &SeqSet, dead: &[(u32, Seq)]) -> Result<Sifted, StoreError> {
        let retention = &self.options.retention;
        let by_age = match retention.max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => 1,
        };
        let by_bytes = self.first_within_bytes()?;
        let cut = by_age.max(by_bytes).min(end);
        let dead_from = match retention.dead_letters_max_age {
            Some(age) => self.first_received_from(self.ago(age))?,
            None => 1,
        };
        let mut seqs = BlockSet::default();
        seqs.insert_range(1, cut - 1);
        {
            let shared = self.shared();
            seqs.remove_all(shared.state.expired.seqs());
            seqs.remove_runs(shared.state.lost().iter_runs());
        }
        seqs.remove_runs(held.iter_runs());
        for (_, seq) in dead.iter().filter(|(_, seq)| *seq >= dead_from) {
            seqs.remove_range(*seq, *seq);
        }
        let greatest = seqs.last_to(Seq::MAX);
        let greatest = greatest.map(|seq| (GENERAL.to_owned(), seq));
        Ok(Sifted {
            seqs,
            greatest: greatest.into_iter().collect(),
            cut,
            age: (by_age >= by_bytes).then_some(retention.max_age).flatten(),
            progress: Progress::default(),
        })
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
        let tail = *self.tail.borrow();
        let mut frames = Frames::new(b"e", key::events(1));
        let mut cut = 1;
        while excess > 0 && !self.is_ending() {
            let Some((first, bytes)) = frames.next(&self.backend)? else {
                break;
            };
            let frame = codec::open(&bytes, Kind::Events).and_then(EventFrame::read);
            let Ok(frame) = frame else {
                continue;
            };
            let behind = frame.behind();
            let is_held = held.next_from(first).is_some_and(|seq| seq < behind);
            let is_left = self
                .gone_until(first)
                .is_some_and(|last| last + 1 >= behind);
            if is_held || is_left {
                // A backlog is not read through at each look.
                let run = held.run_of(behind).map(|(_, last)| last.min(tail));
                if let Some(last) = run.filter(|last| *last > behind + FAR) {
                    let found = self.backend.last(b"e", &key::events(last))?;
                    let from = found.map(|(entry, _)| entry).max(Some(key::events(behind)));
                    frames = Frames::new(b"e", from.unwrap_or_default());
                }
                continue;
            }
            let parts = frame.iter().map(|(_, record)| record.parts().1);
            excess = excess.saturating_sub(bytes.len() as u64 + parts.sum::<u64>());
            cut = behind;
        }
        Ok(cut)
    }

    /// The first frame of transitions that came behind event `cut`, or that has something in it from
    /// `young_from` on, or the last one of all; and what those before it say of dead letters.
    fn first_frame_behind(
        &self,
        cut: Seq,
        young_from: Option<Timestamp>,
    ) -> Result<(u64, Vec<Ending>), StoreError> {
        // What was written on a clock that ran ahead must not be in the way of all the rest.
        let now = self.clock.now();
        let is_young = |at: Timestamp| young_from.is_some_and(|from| from <= at && at <= now);
        let (last, mut number) = {
            let writer = self.writer();
            let shared = self.shared();
            (writer.next_frame - 1, shared.state.expired.frames_from)
        };
        let mut endings = Vec::new();
        let mut frames = Frames::new(b"t", key::transitions(number));
        while number < last && !self.is_ending() {
            let Some((found, bytes)) = frames.next(&self.backend)? else {
                break;
            };
            let frame = codec::open(&bytes, Kind::Transitions);
            // One that is damaged must be named by a start, and stays.
            let Ok(body) = frame.and_then(|frame| kept::read(&frame)) else {
                break;
            };
            let mut times = body.transitions.iter().filter_map(time_of);
            if found != number || body.as_of > cut || times.any(is_young) {
                break;
            }
            for transition in &body.transitions {
                match transition {
                    Transition::Attempt(record) if record.then == Then::Dead => {
                        endings.push((record.endpoint, record.seq, true));
                    }
                    Transition::Replay(replay) => {
                        let put_back = replay.deliveries.iter().filter(|it| it.was_dead);
                        endings.extend(put_back.map(|it| (replay.endpoint, it.seq, false)));
                    }
                    _ => {}
                }
            }
            number += 1;
        }
        Ok((number, endings))
    }

    /// An earlier program has let the records of some dead letters' attempts expire, and has written
    /// down nowhere of which.
    pub(super) fn remember_forgotten_dead_letters(&self) -> Result<(), StoreError> {
        let mut forgotten = Vec::new();
        for (endpoint, seq) in self.dead_letters(Seq::MAX)? {
            let attempts = &key::attempt(endpoint, seq, 0)[..13];
            if self.backend.scan(attempts, attempts, 1)?.is_empty() {
                forgotten.push((endpoint, seq, true));
            }
        }
        self.shared().state.expired.take_note(&forgotten);
        Ok(())
    }
}

fn time_of<E>(transition: &Transition<E>) -> Option<Timestamp> {
    match transition {
        Transition::Attempt(record) => Some(record.attempt.ended_at),
        Transition::Replay(record) => Some(record.at),
        Transition::Endpoint(..) | Transition::Lost(..) => None,
    }
}
