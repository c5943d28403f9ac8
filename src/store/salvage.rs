//! What can still be read of a store whose database cannot be opened, or has lost something.
//!
//! The database's own structure is one more thing that can be damaged, and it is less forgiving
//! than ours: one wrong bit and sled gives up a page of sixteen records, a segment or the whole
//! file. Our frames name themselves, are written once and carry checksums, so they are looked for
//! in the bytes of the files, wherever they lie. Nothing is written here.

mod base;
pub mod batches;
mod bodies;
mod chain;
mod frames;
mod place;
mod promises;
mod rebuild;
mod search;
mod source;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use super::files::blocks;
use super::files::high_water::{HighWater, Mark};
use super::files::segments;
use super::log::meta::Meta;
use super::maintain::base::Base;
use super::opening::loss::check;
use super::opening::snapshot::{self, KeptSnapshot};
use super::projection::seqset::SeqSet;
use super::record::Transition;
use super::record::codec::{self, Kind};
use super::sealing::kept::{self, KeptFrame};
use super::verify::report::Report;
use super::{Options, StoreError};
use crate::id::Seq;
use chain::Piece;
use frames::Content;
use search::{Part, scan};
use source::Sources;

pub use place::{expect_store, finish};
pub use promises::holds_promises;

/// What was found in the files of a store.
#[derive(Debug)]
pub struct Salvage {
    sources: Sources,
    meta: Vec<Meta>,
    events: BTreeMap<Seq, Piece>,
    transitions: BTreeMap<u64, Piece>,
    parts: BTreeMap<(Seq, u32), Vec<Part>>,
    snapshot: Option<KeptSnapshot>,
    /// What has expired, with the number of the base that says so.
    base: Option<(u64, Base)>,
    /// How far the log once reached, by every witness.
    reached: Mark,
    /// Events that were there and cannot be read, without those that were given up.
    pub missing: SeqSet,
    /// Frames of transitions that were there and cannot be read.
    pub missing_frames: SeqSet,
    /// Events that can be read.
    readable: u64,
    /// Bytes of their bodies.
    body_bytes: u64,
}

/// Whether looking for every record may find what could not be read, as `error` says. A disk that
/// cannot be read for once, or not at all, is no reason to.
pub fn may_help(dir: &Path, error: &StoreError) -> bool {
    match error {
        StoreError::Disk(_) => blocks::are_missing(&dir.join("db")),
        _ => error.is_damage(),
    }
}

impl Salvage {
    /// Reads every byte of the database in `dir`, its volumes and its journal.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if what the store is cannot be found any more,
    /// [`StoreError::Directory`] if the files cannot be read at all.
    pub fn of(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("db");
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                StoreError::Corrupt("its database, the file `db`, is gone".to_owned())
            }
            _ => StoreError::of_file(&path, &error),
        })?;
        let unusable = |error: io::Error| StoreError::of_file(&path, &error);
        let snapshot_lsn = segments::snapshot_lsn(dir).map_err(unusable)?;
        let survey = segments::survey(&file, snapshot_lsn).map_err(unusable)?;
        let sources = Sources::of(dir, file).map_err(unusable)?;
        let mut found = scan(dir, &sources, &survey).map_err(unusable)?;
        let snapshot = snapshot::load(&dir.join("projections"));
        let mark = HighWater::read(&dir.join("high-water"));
        let mut salvage = Self {
            sources,
            meta: found.meta,
            events: BTreeMap::new(),
            transitions: BTreeMap::new(),
            parts: found.parts,
            snapshot: None,
            base: None,
            reached: mark.unwrap_or_default(),
            missing: SeqSet::default(),
            missing_frames: SeqSet::default(),
            readable: 0,
            body_bytes: 0,
        };
        // A snapshot of another store says nothing of this one.
        let is_of = |meta: &Meta| snapshot.as_ref().is_some_and(|s| s.tag == meta.tag);
        let snapshot = if salvage.meta.iter().any(is_of) {
            salvage.meta.retain(is_of);
            snapshot
        } else {
            None
        };
        salvage.only_meta()?;
        if let Some(snapshot) = snapshot {
            salvage.reach(snapshot.next_seq, snapshot.next_frame);
            salvage.snapshot = Some(snapshot);
        }
        salvage.take_base(base::latest(&salvage.sources, &found.bases)?);
        let (events, transitions) = (&mut found.events, &mut found.transitions);
        let synced_seq = events.end_before_the_last_batch();
        if survey.last_batch_is_torn && mark.is_some() {
            // Nobody was promised anything of it, unless the mark says so.
            let reached = &salvage.reached;
            events.forget_the_last_batch(synced_seq.max(reached.next_seq));
            let synced_frame = transitions.end_before_the_last_batch();
            transitions.forget_the_last_batch(synced_frame.max(reached.next_frame));
        }
        salvage.transitions = found.transitions.chain();
        salvage.look_at_transitions(synced_seq)?;
        let lost = salvage.lost()?;
        found.events.forget(&lost);
        salvage.events = found.events.chain();
        salvage.look_at_events(&lost);
        Ok(salvage)
    }

    /// The one description of the store.
    fn only_meta(&self) -> Result<&Meta, StoreError> {
        match self.meta.as_slice() {
            [meta] => Ok(meta),
            [] => Err(StoreError::Corrupt(
                "nothing in it says any more which store it is".to_owned(),
            )),
            _ => Err(StoreError::Corrupt(
                "it holds the descriptions of several stores".to_owned(),
            )),
        }
    }

    fn reach(&mut self, next_seq: Seq, next_frame: u64) {
        let reached = &mut self.reached;
        reached.next_seq = reached.next_seq.max(next_seq);
        reached.next_frame = reached.next_frame.max(next_frame);
    }

    /// What is missing of the transitions. Behind what was synced, a power cut may have left a
    /// hole, and what comes after one that nobody was promised is not kept.
    fn look_at_transitions(&mut self, synced_seq: Seq) -> Result<(), StoreError> {
        let last = self.transitions.last_key_value().map_or(0, |(n, _)| *n);
        if self.reached.next_frame <= 1 {
            self.reached.next_frame = last + 1;
        }
        // The log tells more than a mark that was set back: whatever comes before an event that
        // was synced was synced as well.
        let unpromised = self.transitions.range(self.reached.next_frame..).rev();
        for (number, piece) in unpromised.filter(|(_, piece)| piece.trust.is_before_the_last_batch)
        {
            let frame = self.read_transitions(piece)?;
            if frame.as_of < synced_seq || Content::Transitions(frame).is_synced() {
                self.reached.next_frame = number + 1;
                break;
            }
        }
        let mut next = self.reached.next_frame.max(1);
        let first = self.frames_from();
        self.missing_frames.insert_range(first, next - 1);
        while self.transitions.contains_key(&next) {
            next += 1;
        }
        self.transitions
            .retain(|number, _| (first..next).contains(number));
        for number in self.transitions.keys() {
            self.missing_frames.remove(*number);
        }
        Ok(())
    }

    /// What was given up for lost, and what has expired; on the way, how far the transitions say that
    /// the log reached.
    fn lost(&mut self) -> Result<SeqSet, StoreError> {
        let mut lost = SeqSet::default();
        let mut reached = 0;
        let known = self.snapshot.as_ref().map(|snapshot| snapshot.state.lost());
        for (from, to) in known.unwrap_or_default() {
            lost.insert_range(*from, *to);
        }
        if let Some((_, base)) = &self.base {
            for (from, to) in base.expired.seqs().iter_runs() {
                lost.insert_range(from, to);
            }
        }
        for piece in self.transitions.values() {
            let frame = self.read_transitions(piece)?;
            reached = reached.max(frame.as_of);
            for transition in &frame.transitions {
                if let Transition::Lost(from, to) = transition {
                    lost.insert_range(*from, *to);
                }
            }
        }
        let last = lost.iter_runs().last().map_or(0, |(_, last)| last);
        self.reach(reached.max(last.saturating_add(1)), 0);
        Ok(lost)
    }

    fn look_at_events(&mut self, lost: &SeqSet) {
        let end = |(first, piece): (&Seq, &Piece)| first + piece.count;
        let end = self.events.last_key_value().map_or(1, end);
        self.reach(end, 0);
        let mut readable = SeqSet::default();
        for (first, piece) in &self.events {
            readable.insert_range(*first, first + piece.count - 1);
            self.body_bytes += piece.inline_bytes;
            for (place, parts, bytes) in &piece.bodies {
                let seq = first + u64::from(*place);
                if self.has_body(seq, *parts, *bytes) {
                    self.body_bytes += u64::from(*bytes);
                } else {
                    readable.remove(seq);
                }
            }
        }
        for (from, to) in lost.iter_runs() {
            readable.remove_range(from, to);
        }
        // Nor is a part kept for an event to come.
        let next_seq = self.reached.next_seq;
        self.parts.retain(|(seq, _), _| *seq < next_seq);
        self.readable = readable.len();
        self.missing
            .insert_range(1, self.reached.next_seq.max(1) - 1);
        for (from, to) in readable.iter_runs().chain(lost.iter_runs()) {
            self.missing.remove_range(from, to);
        }
    }

    /// Whether all that is missing is what made the start fail with `error`: then the database is
    /// good, and there is nothing more to be found.
    pub fn finds_what_is_missing_by(&self, error: &StoreError) -> bool {
        let options = Options::default();
        check(&self.missing, &self.missing_frames, &options).as_ref() == Err(error)
    }

    /// What there is, counted.
    pub fn report(&self) -> Result<Report, StoreError> {
        let mut report = Report {
            events: self.readable,
            body_bytes: self.body_bytes,
            last_seq: self.reached.next_seq.max(1) - 1,
            event_frames: self.events.len() as u64,
            transition_frames: self.transitions.len() as u64,
            ..Report::default()
        };
        for piece in self.transitions.values() {
            let transitions = self.read_transitions(piece)?.transitions;
            let attempts = transitions
                .iter()
                .filter(|t| matches!(t, Transition::Attempt(_)));
            report.attempts += attempts.count() as u64;
        }
        Ok(report)
    }

    fn bytes(&self, at: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let read = self.sources.read(at, len);
        read.map_err(|error| StoreError::Read(error.to_string()))
    }

    fn read_transitions(&self, piece: &Piece) -> Result<KeptFrame, StoreError> {
        let bytes = self.bytes(piece.at, piece.len)?;
        let frame = codec::open(&bytes, Kind::Transitions).and_then(|frame| kept::read(&frame));
        frame.map_err(|error| error.into_store_error("a frame of transitions"))
    }
}
