//! A new database of what was found in the old one, put in its place; the old one is kept.
//!
//! The new files are made in `rebuilding`, which becomes `rebuilt` when they are whole and synced.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::super::StoreError;
use super::super::backend::Change;
use super::super::disk::{Disk, Settings, free_bytes, make_volumes};
use super::super::record::key;
use super::Salvage;
use super::batches::Batches;
use super::place::{FINISHED, clear, finish, sync};
use crate::store::commit::write::index;
use crate::store::files::high_water::{HighWater, Mark};
use crate::store::files::lock::Lock;
use crate::store::files::segments::SEGMENT_BYTES;
use crate::store::opening::snapshot::{self, KeptSnapshot};
use crate::store::record::codec::{FIRST_VERSION, Head, Kind, SEALED_VERSION, THINNED_VERSION};
use crate::store::sealing::kept::{self, KeptFrame};

const UNFINISHED: &str = "rebuilding";

impl Salvage {
    /// Puts a new database with everything that was found in the place of the one in `dir`.
    ///
    /// What is missing of the transitions is left out, and those behind it are numbered anew: the
    /// chain is whole again. Missing events stay missing; the next start asks about them.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::Directory`] or [`StoreError::Stopped`] if the disk does
    /// not take it. The old database is untouched then.
    pub fn rebuild(mut self, dir: &Path, settings: Settings) -> Result<(), StoreError> {
        let unfinished = dir.join(UNFINISHED);
        let cleared =
            || clear(&unfinished).map_err(|error| StoreError::of_file(&unfinished, &error));
        cleared()?;
        let needed = self.record_bytes();
        let free = free_bytes(dir);
        let no_room = || no_room(&unfinished, needed, free.unwrap_or(0));
        if free.is_some_and(|free| free < needed) {
            return Err(no_room());
        }
        if let Err(error) = self.write(&unfinished, settings) {
            let left = free_bytes(dir);
            cleared()?;
            // The database takes a segment at a time.
            let is_full = left.is_some_and(|left| left < SEGMENT_BYTES as u64);
            let stopped = matches!(error, StoreError::Stopped(_));
            return Err(if is_full && stopped { no_room() } else { error });
        }
        let rename = sync(&unfinished).and_then(|()| fs::rename(&unfinished, dir.join(FINISHED)));
        rename.map_err(|error| StoreError::of_file(&unfinished, &error))?;
        finish(dir)
    }

    /// What of the new database are records: it takes no less.
    fn record_bytes(&self) -> u64 {
        let frames = self.events.values().chain(self.transitions.values());
        let parts = self.parts.values().flatten();
        let lens = frames
            .map(|piece| piece.len)
            .chain(parts.map(|(_, len, _)| *len));
        lens.map(|len| len as u64).sum()
    }

    fn write(&mut self, dir: &Path, settings: Settings) -> Result<(), StoreError> {
        let disk = Arc::new(Disk::open_locked(dir, settings, Lock::take(dir)?)?);
        // Also if it stays empty: it takes the place of the old one.
        make_volumes(dir).map_err(|error| StoreError::of_file(dir, &error))?;
        let mut batches = Batches::to(disk);
        let base = self.base.as_ref();
        let thinned = self.events.values().any(|piece| !piece.left_out.is_empty());
        let version = match base.map(|(_, base)| base.version()) {
            _ if thinned => THINNED_VERSION,
            Some(version) => version,
            None => FIRST_VERSION,
        };
        batches.change(vec![self.only_meta()?.record(version)?])?;
        let next_frame = self.put_transitions(&mut batches)?;
        if let Some((number, base)) = &self.base {
            batches.change(base.encode(*number)?)?;
        }
        for (first, piece) in &self.events {
            batches.put(key::events(*first), self.bytes(piece.at, piece.len)?)?;
        }
        for ((seq, part), found) in &self.parts {
            // Two that differ are none.
            if let [(at, len, _)] = found.as_slice() {
                batches.put(key::chunk(*seq, *part), self.bytes(*at, *len)?)?;
            }
        }
        batches.end()?;
        self.put_files(dir, next_frame)
    }

    /// Gives the number of the next frame.
    fn put_transitions(&mut self, batches: &mut Batches) -> Result<u64, StoreError> {
        let first = self.transitions.values().next();
        let (mut next, mut crc) = match (&self.base, first) {
            // It names the CRC of one that has expired.
            (Some(_), Some(first)) => (self.frames_from(), first.previous),
            _ => (1, 0),
        };
        let mut snapshot = self.snapshot.take();
        let mut base = self.base.take();
        // Behind them come those of which attempts are kept, and what puts either back.
        if let Some((_, base)) = &base {
            batches.change(base.expired.dead_letters())?;
        }
        let expired = base.as_ref().map(|(_, base)| base.expired.seqs().clone());
        let expired = expired.as_ref();
        let mut snapshots: Vec<(&mut KeptSnapshot, u64, (u64, u32))> = snapshot
            .iter_mut()
            .chain(base.iter_mut().map(|(_, base)| &mut base.snapshot))
            .map(|snapshot| {
                let ends_at = snapshot.next_frame;
                (snapshot, ends_at, (next, crc))
            })
            .collect();
        for (number, piece) in &self.transitions {
            let body = self.read_transitions(piece)?;
            let bytes;
            (bytes, crc) = if piece.previous == crc && *number == next {
                (self.bytes(piece.at, piece.len)?, piece.crc)
            } else {
                renumbered(next, crc, &body)?
            };
            batches.put(key::transitions(next), bytes)?;
            // What told of dead letters may outlive them.
            let is_kept = |change: &Change| match change {
                Change::Put(entry, _) if entry[0] == b'x' => key::number(entry, 5)
                    .is_none_or(|seq| expired.is_none_or(|set| !set.contains(seq))),
                _ => true,
            };
            let index = index(next, &body.transitions).into_iter().filter(is_kept);
            batches.change(index.collect())?;
            next += 1;
            for (_, ends_at, end) in &mut snapshots {
                if *number < *ends_at {
                    *end = (next, crc);
                }
            }
        }
        for (snapshot, _, end) in snapshots {
            (snapshot.next_frame, snapshot.transitions_crc) = end;
            let before = self.events.range(..snapshot.next_seq).next_back();
            snapshot.events_crc = before.map_or(0, |(_, piece)| piece.crc);
        }
        (self.snapshot, self.base) = (snapshot, base);
        Ok(next)
    }

    /// The snapshot of the projections, which knows what the lost transitions did, and the mark.
    fn put_files(&self, dir: &Path, next_frame: u64) -> Result<(), StoreError> {
        if let Some(snapshot) = &self.snapshot {
            snapshot::save(&dir.join("projections"), SEALED_VERSION, snapshot)
                .map_err(|error| StoreError::of_file(dir, &error))?;
        }
        let (high_water, _) = HighWater::open(&dir.join("high-water"))?;
        high_water.write(Mark {
            next_seq: self.reached.next_seq.max(1),
            next_frame,
        })?;
        high_water.sync()
    }
}

fn renumbered(number: u64, previous: u32, body: &KeptFrame) -> Result<(Vec<u8>, u32), StoreError> {
    let head = Head {
        kind: Kind::Transitions,
        previous,
        first: number,
        count: body.transitions.len() as u32,
    };
    kept::write_again(head, body).map_err(|error| error.into_store_error("a frame of transitions"))
}

fn no_room(path: &Path, needed: u64, free: u64) -> StoreError {
    StoreError::NoRoom {
        path: path.display().to_string(),
        cause: format!(
            "the records alone take {needed} bytes, a new database of them perhaps as much as the old one, and {free} bytes are free"
        ),
    }
}
