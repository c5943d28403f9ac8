//! A new database of what was found in the old one, put in its place; the old one is kept.
//!
//! The new files are made in `rebuilding`, which becomes `rebuilt` when they are whole and synced.
//! From there they are moved one by one, each after the file in whose place it comes, so that a
//! start after a crash can go on with it: what is still in `rebuilt` has not been moved.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::super::backend::{Backend, Change, Durability};
use super::super::codec::{self, Head, Kind};
use super::super::disk::Disk;
use super::super::high_water::{HighWater, Mark};
use super::super::private;
use super::super::record::{TransitionFrame, key};
use super::super::snapshot;
use super::super::write::index;
use super::Salvage;

const UNFINISHED: &str = "rebuilding";
const FINISHED: &str = "rebuilt";

/// What is moved; `conf` and `blobs` belong to `db`.
const NAMES: [&str; 5] = ["high-water", "projections", "blobs", "conf", "db"];

/// One batch of the new database.
const BATCH_BYTES: usize = 1 << 20;

/// Writes what is gathered, batch by batch.
struct Batches<'a> {
    disk: &'a Disk,
    changes: Vec<Change>,
    bytes: usize,
}

impl Batches<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += key.len() + value.len();
        self.change(vec![Change::Put(key, value)])
    }

    fn change(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.changes.extend(changes);
        if self.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.bytes = 0;
        let changes = std::mem::take(&mut self.changes);
        self.disk.write(changes, Durability::Process)
    }

    fn end(self) -> Result<(), StoreError> {
        self.disk.write(self.changes, Durability::Disk)
    }
}

impl Salvage {
    /// Puts a new database with everything that was found in the place of the one in `dir`.
    ///
    /// What is missing of the transitions is left out, and those behind it are numbered anew: the
    /// chain is whole again. Missing events stay missing; the next start asks about them.
    ///
    /// # Errors
    /// [`StoreError::Directory`] or [`StoreError::Stopped`] if the disk does not take it. The old
    /// database is untouched then.
    pub fn rebuild(mut self, dir: &Path, cache_bytes: u64) -> Result<(), StoreError> {
        let unfinished = dir.join(UNFINISHED);
        let cleared =
            || clear(&unfinished).map_err(|error| StoreError::of_file(&unfinished, &error));
        cleared()?;
        if let Err(error) = self.write(&unfinished, cache_bytes) {
            cleared()?;
            return Err(error);
        }
        let rename = sync(&unfinished).and_then(|()| fs::rename(&unfinished, dir.join(FINISHED)));
        rename.map_err(|error| StoreError::of_file(&unfinished, &error))?;
        finish(dir)
    }

    fn write(&mut self, dir: &Path, cache_bytes: u64) -> Result<(), StoreError> {
        let disk = Disk::open(dir, cache_bytes)?;
        let mut batches = Batches {
            disk: &disk,
            changes: Vec::new(),
            bytes: 0,
        };
        let head = Head {
            kind: Kind::Meta,
            previous: 0,
            first: 0,
            count: 1,
        };
        let (meta, _) = codec::encode(head, self.only_meta()?)
            .map_err(|error| error.into_store_error("the store's own description"))?;
        batches.put(key::META.to_vec(), meta)?;
        let next_frame = self.put_transitions(&mut batches)?;
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
        drop(disk);
        self.put_files(dir, next_frame)
    }

    /// Gives the number of the next frame.
    fn put_transitions(&mut self, batches: &mut Batches<'_>) -> Result<u64, StoreError> {
        let (mut next, mut crc) = (1, 0);
        let mut snapshot = self.snapshot.take();
        let ends_at = snapshot.as_ref().map_or(0, |snapshot| snapshot.next_frame);
        let mut end = (next, crc);
        for (number, piece) in &self.transitions {
            let body = self.read_transitions(piece)?;
            let bytes;
            (bytes, crc) = if piece.previous == crc && *number == next {
                (self.bytes(piece.at, piece.len)?, piece.crc)
            } else {
                renumbered(next, crc, &body)?
            };
            batches.put(key::transitions(next), bytes)?;
            batches.change(index(next, &body.transitions))?;
            next += 1;
            if *number < ends_at {
                end = (next, crc);
            }
        }
        if let Some(snapshot) = &mut snapshot {
            (snapshot.next_frame, snapshot.transitions_crc) = end;
            let before = self.events.range(..snapshot.next_seq).next_back();
            snapshot.events_crc = before.map_or(0, |(_, piece)| piece.crc);
        }
        self.snapshot = snapshot;
        Ok(next)
    }

    /// The snapshot of the projections, which knows what the lost transitions did, and the mark.
    fn put_files(&self, dir: &Path, next_frame: u64) -> Result<(), StoreError> {
        if let Some(snapshot) = &self.snapshot {
            snapshot::save(&dir.join("projections"), snapshot)
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

fn renumbered(
    number: u64,
    previous: u32,
    body: &TransitionFrame<Vec<super::Transition>>,
) -> Result<(Vec<u8>, u32), StoreError> {
    let head = Head {
        kind: Kind::Transitions,
        previous,
        first: number,
        count: body.transitions.len() as u32,
    };
    codec::encode(head, body).map_err(|error| error.into_store_error("a frame of transitions"))
}

/// Whether `dir` holds a store, be its database still to be moved into its place.
///
/// # Errors
/// [`StoreError::Directory`] if it does not.
pub fn expect_store(dir: &Path) -> Result<(), StoreError> {
    if [dir.join("db"), dir.join(FINISHED).join("db")]
        .iter()
        .any(|path| path.is_file())
    {
        return Ok(());
    }
    Err(StoreError::Directory {
        path: dir.display().to_string(),
        cause: "there is no store in it".to_owned(),
    })
}

/// Moves what is in `rebuilt` into its place, if there is anything.
///
/// # Errors
/// [`StoreError::Directory`] if a file cannot be moved.
pub fn finish(dir: &Path) -> Result<(), StoreError> {
    let rebuilt = dir.join(FINISHED);
    if !rebuilt.is_dir() {
        return Ok(());
    }
    put_in_place(dir, &rebuilt).map_err(|error| StoreError::of_file(&rebuilt, &error))
}

fn put_in_place(dir: &Path, rebuilt: &Path) -> io::Result<()> {
    if NAMES.iter().any(|name| rebuilt.join(name).exists()) {
        let kept = kept(dir, rebuilt)?;
        move_in(dir, rebuilt, &kept)?;
        sync(&kept)?;
        let kept = kept.display();
        tracing::warn!(%kept, "the database has been put together anew from its records; the files as they were are kept, delete them if nothing in them is wanted");
    }
    // Before `rebuilt` is gone: what it holds nothing of any more is in its place.
    Disk::is_readable_again(dir)?;
    sync(dir)?;
    clear(rebuilt)
}

fn move_in(dir: &Path, rebuilt: &Path, kept: &Path) -> io::Result<()> {
    // sled's own snapshots know nothing of the new database.
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs::rename(entry.path(), kept.join(entry.file_name()))?;
        }
    }
    for name in NAMES {
        let (new, place) = (rebuilt.join(name), dir.join(name));
        if !new.exists() {
            continue;
        }
        if place.exists() {
            fs::rename(&place, kept.join(name))?;
        }
        fs::rename(new, place)?;
    }
    Ok(())
}

/// The directory for the old files: the one that a move before a crash began with, or a new one.
/// The first name is in every new database, so one without it is being moved.
fn kept(dir: &Path, rebuilt: &Path) -> io::Result<PathBuf> {
    let numbered = |number: u32| dir.join(format!("damaged-{number}"));
    let mut number = 1;
    while numbered(number + 1).exists() {
        number += 1;
    }
    let has_begun = !rebuilt.join(NAMES[0]).exists();
    if !has_begun && numbered(number).join("db").exists() {
        number += 1;
    }
    private::make_dir(&numbered(number))?;
    Ok(numbered(number))
}

fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
