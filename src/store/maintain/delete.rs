//! Taking away what has expired, in small batches. Each may be cut off by a crash: what is left is
//! found again, for the base says what was to go last.

use std::ops::ControlFlow;

use super::super::StoreError;
use super::super::backend::{Backend, Change, Durability};
use super::super::log::Log;
use super::super::record::key;
use crate::id::Seq;
use crate::store::commit::write::index;
use crate::store::projection::blockset::BlockSet;
use crate::store::record::codec::{self, Kind, THINNED_VERSION};
use crate::store::sealing::kept;

/// Changes in one batch, and their bytes, about.
const CHANGES_PER_WRITE: usize = 256;
const BYTES_PER_WRITE: usize = 256 << 10;

/// Frames that are read in one go.
const FRAMES_PER_READ: usize = 16;

/// A frame is written again when at least one in so many of its bytes has expired: so what is left of
/// those that are not takes a third more than it has to, at most.
const THINNED_SHARE: u64 = 4;

/// Writes what is gathered, batch by batch.
struct Deletions<'a, B> {
    log: &'a Log<B>,
    changes: Vec<Change>,
    bytes: usize,
    thinned: u64,
}

impl<B: Backend> Deletions<'_, B> {
    fn take(&mut self, keys: impl IntoIterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        self.changes.extend(keys.into_iter().map(Change::Delete));
        match self.changes.len() < CHANGES_PER_WRITE && self.bytes < BYTES_PER_WRITE {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// Puts a thinned frame in the place of the one at `key`.
    fn put(&mut self, key: Vec<u8>, bytes: Vec<u8>) -> Result<(), StoreError> {
        if self.thinned == 0
            && let Some(change) = self.log.raised_to(THINNED_VERSION)?
        {
            self.log.backend.write(vec![change], Durability::Disk)?;
        }
        self.thinned += 1;
        self.bytes += bytes.len();
        self.changes.push(Change::Put(key, bytes));
        self.take([])
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        match self.changes.is_empty() {
            true => Ok(()),
            // What survives a crash is deleted again, and thinned.
            false => {
                let changes = std::mem::take(&mut self.changes);
                self.log.backend.write(changes, Durability::Process)
            }
        }
    }
}

impl<B: Backend> Log<B> {
    fn deletions(&self) -> Deletions<'_, B> {
        Deletions {
            log: self,
            changes: Vec::new(),
            bytes: 0,
            thinned: 0,
        }
    }

    /// Deletes the parts of the bodies of `fresh`, which have expired, and the frames of which
    /// nothing is left; others of which enough has expired are written again with what is left, and
    /// counted. The last frame before `base_end`, by which a base knows its log, is not deleted.
    pub(super) fn delete_what_has_expired(
        &self,
        base_end: Seq,
        fresh: &BlockSet,
    ) -> Result<u64, StoreError> {
        let gone = {
            let shared = self.shared();
            let mut gone = shared.state.expired.seqs().clone();
            gone.insert_runs(shared.state.lost().iter_runs());
            gone
        };
        let mut deletions = self.deletions();
        self.each_frame(fresh, |first, frame| {
            let (mut all, mut expired, mut is_any_left) = (0, 0, false);
            for (seq, record) in frame.iter() {
                let bytes = record.encoded_len() as u64;
                all += bytes;
                if !gone.contains(seq) {
                    is_any_left = true;
                    continue;
                }
                expired += bytes;
                if fresh.contains(seq) {
                    let (parts, _) = record.parts();
                    deletions.take((0..parts).map(|part| key::chunk(seq, part)))?;
                }
            }
            // Behind the parts of its bodies: as long as it is there, they can be found by it.
            let key = key::events(first);
            if !is_any_left && frame.behind() < base_end {
                deletions.take([key])?;
            } else if expired > 0 && expired * THINNED_SHARE >= all {
                let thinned = frame.thinned(|seq| !gone.contains(seq));
                let bytes = thinned.map_err(|e| e.into_store_error("a frame of events"))?;
                deletions.put(key, bytes)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        deletions.write()?;
        Ok(deletions.thinned)
    }

    /// Deletes those of `dead` whose events have expired.
    pub(super) fn delete_dead_letters(
        &self,
        dead: &[(u32, Seq)],
        expired: &BlockSet,
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
