//! Taking away what has expired, in small batches. Each may be cut off by a crash: what is left is
//! found again, for a run of expired events is gone through from its beginning.

use super::super::StoreError;
use super::super::backend::{Backend, Change, Durability, Entry};
use super::super::log::Log;
use super::super::record::{Body, EventRecord, key};
use crate::id::Seq;
use crate::store::commit::write::index;
use crate::store::projection::seqset::SeqSet;
use crate::store::record::codec::{self, Kind};
use crate::store::sealing::kept;

/// Keys in one batch.
const KEYS_PER_WRITE: usize = 256;

/// Frames that are read in one go.
const FRAMES_PER_READ: usize = 16;

/// Deletes what is gathered, batch by batch.
struct Deletions<'a, B> {
    log: &'a Log<B>,
    keys: Vec<Vec<u8>>,
}

impl<B: Backend> Deletions<'_, B> {
    fn take(&mut self, keys: impl IntoIterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        self.keys.extend(keys);
        match self.keys.len() < KEYS_PER_WRITE {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let changes: Vec<Change> = self.keys.drain(..).map(Change::Delete).collect();
        match changes.is_empty() {
            true => Ok(()),
            // What survives a crash is deleted again.
            false => self.log.backend.write(changes, Durability::Process),
        }
    }
}

impl<B: Backend> Log<B> {
    fn deletions(&self) -> Deletions<'_, B> {
        Deletions {
            log: self,
            keys: Vec::new(),
        }
    }

    /// Deletes the frames that lie within runs of expired events, with the parts of their bodies;
    /// but none that is the last one before `base_end`, by which a base knows its log.
    pub(super) fn delete_what_has_expired(
        &self,
        base_end: Seq,
        runs: &SeqSet,
    ) -> Result<(), StoreError> {
        let mut deletions = self.deletions();
        for (from, to) in runs.iter_runs() {
            let mut next = key::events(from);
            while !self.is_ending() {
                let frames = self.backend.scan(b"e", &next, FRAMES_PER_READ)?;
                let Some((last, _)) = frames.last() else {
                    break;
                };
                next = [last.as_slice(), &[0]].concat();
                let mut is_within = true;
                for frame in frames {
                    let Some((behind, keys)) = keys_of(frame) else {
                        continue;
                    };
                    is_within = behind <= to + 1;
                    if !is_within || behind >= base_end {
                        break;
                    }
                    deletions.take(keys)?;
                }
                if !is_within {
                    break;
                }
            }
        }
        deletions.write()
    }

    /// Deletes those of `dead` whose events have expired.
    pub(super) fn delete_dead_letters(
        &self,
        dead: &[(u32, Seq)],
        expired: &SeqSet,
    ) -> Result<(), StoreError> {
        let mut deletions = self.deletions();
        // One that was put back since has no such key any more.
        for (endpoint, seq) in dead.iter().filter(|(_, seq)| expired.contains(*seq)) {
            deletions.take([key::dead(*endpoint, *seq)])?;
        }
        deletions.write()
    }

    /// Deletes the frames of transitions from `from` on that are below `end`, with their index; but
    /// for the dead letters, which go with their events.
    pub(super) fn delete_transitions(&self, from: u64, end: u64) -> Result<(), StoreError> {
        let mut deletions = self.deletions();
        let mut next = key::transitions(from);
        'all: while !self.is_ending() {
            let frames = self.backend.scan(b"t", &next, FRAMES_PER_READ)?;
            let Some((last, _)) = frames.last() else {
                break;
            };
            next = [last.as_slice(), &[0]].concat();
            for (entry, bytes) in frames {
                let number = key::number(&entry, 1).unwrap_or(end);
                if number >= end {
                    break 'all;
                }
                let frame = codec::open(&bytes, Kind::Transitions);
                let body = frame.and_then(|frame| kept::read(&frame));
                let transitions = body.map(|body| body.transitions).unwrap_or_default();
                let index = index(number, &transitions)
                    .into_iter()
                    .map(Change::into_key);
                deletions.take(index.filter(|key| key[0] != b'x').chain([entry]))?;
            }
        }
        deletions.write()
    }
}

/// The position behind a frame of events, its key, and those of the parts of its bodies.
fn keys_of((entry, bytes): Entry) -> Option<(Seq, Vec<Vec<u8>>)> {
    let first = key::number(&entry, 1)?;
    let frame = codec::open(&bytes, Kind::Events).ok()?;
    let records: Vec<EventRecord<'_>> = frame.decode().ok()?;
    let parts = |record: &EventRecord<'_>| match record.body {
        Body::Chunked { parts, .. } => parts,
        Body::Inline(_) => 0,
    };
    let mut keys = Vec::new();
    for (record, seq) in records.iter().zip(first..) {
        keys.extend((0..parts(record)).map(|part| key::chunk(seq, part)));
    }
    // Last: as long as it is there, they can be found by it.
    keys.push(entry);
    Some((first + records.len() as u64, keys))
}
