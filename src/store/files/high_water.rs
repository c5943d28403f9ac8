//! The high-water mark: how far the log reaches, kept outside the database.
//!
//! A database that has lost its end still opens and looks whole. This file of two 32-byte slots,
//! written in turn after each group that was synced, tells that something was there. It is synced
//! every few hundred times and at the end: a power cut can set it back, never forward of the log.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::private;
use crate::id::Seq;
use crate::store::error::StoreError;

const SLOT: usize = 32;

/// The mark is synced each time it was written so often.
const WRITES_PER_SYNC: u64 = 256;

/// How far the log reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The sequence number of the next event.
    pub next_seq: Seq,
    /// The number of the next frame of transitions.
    pub next_frame: u64,
}

/// The open file.
#[derive(Debug)]
pub struct HighWater {
    file: File,
    turns: Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    written: u64,
    unsynced: u64,
    sync_next: bool,
}

impl HighWater {
    /// The greatest mark that can be read from the file at `path`, which stays as it is.
    pub fn read(path: &Path) -> Option<Mark> {
        let file = File::open(path).ok()?;
        latest(&file).map(|(_, mark)| mark)
    }

    /// Opens or makes the file; gives the greatest mark that can be read from it.
    pub fn open(path: &Path) -> Result<(Self, Option<Mark>), StoreError> {
        let directory_error = |error: std::io::Error| StoreError::of_file(path, &error);
        let is_new = !path.exists();
        let file = private::options().open(path).map_err(directory_error)?;
        if let Some(dir) = path.parent().filter(|_| is_new) {
            // Its name, too, must survive a power cut.
            let synced = File::open(dir).and_then(|dir| dir.sync_all());
            synced.map_err(directory_error)?;
        }
        let best = latest(&file);
        let high_water = Self {
            file,
            turns: Mutex::new(Turns {
                written: best.map_or(0, |(turn, _)| turn),
                unsynced: 0,
                // A power cut sets it back, but not to nothing once an answer was given.
                sync_next: best.is_none(),
            }),
        };
        Ok((high_water, best.map(|(_, mark)| mark)))
    }

    /// Writes the mark into the slot whose turn it is; the other one stays whole. Now and then,
    /// syncs it.
    pub fn write(&self, mark: Mark) -> Result<(), StoreError> {
        let mut turns = self.turns();
        turns.written += 1;
        turns.unsynced += 1;
        let at = (turns.written % 2) * SLOT as u64;
        self.file
            .write_all_at(&encode(turns.written, mark), at)
            .map_err(|error| StoreError::Stopped(format!("high-water mark: {error}")))?;
        if turns.sync_next || turns.unsynced >= WRITES_PER_SYNC {
            self.sync()?;
            (turns.unsynced, turns.sync_next) = (0, false);
        }
        Ok(())
    }

    /// The next mark is synced as it is written.
    pub fn sync_next(&self) {
        self.turns().sync_next = true;
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the mark survive a power cut.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.file
            .sync_data()
            .map_err(|error| StoreError::Stopped(format!("high-water mark: {error}")))
    }
}

/// The slot that was written last, and the turn of its writing.
fn latest(file: &File) -> Option<(u64, Mark)> {
    let mut slots = [0; 2 * SLOT];
    let read = file.read_at(&mut slots, 0).unwrap_or(0);
    slots[..read]
        .chunks_exact(SLOT)
        .filter_map(decode)
        .max_by_key(|(turn, _)| *turn)
}

fn encode(turn: u64, mark: Mark) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[0..8].copy_from_slice(&turn.to_le_bytes());
    slot[8..16].copy_from_slice(&mark.next_seq.to_le_bytes());
    slot[16..24].copy_from_slice(&mark.next_frame.to_le_bytes());
    let crc = crc32c::crc32c(&slot[..24]);
    slot[24..28].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<(u64, Mark)> {
    let number = |at: usize| {
        slot.get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_le_bytes)
    };
    let crc = slot.get(24..28)?.try_into().ok().map(u32::from_le_bytes)?;
    let mark = Mark {
        next_seq: number(8)?,
        next_frame: number(16)?,
    };
    let whole = crc32c::crc32c(slot.get(..24)?) == crc && number(0)? > 0;
    whole.then_some((number(0)?, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_leaves_the_mark_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        let (high_water, none) = HighWater::open(&path).unwrap();
        assert_eq!(none, None);
        for n in 1..=3 {
            let mark = Mark {
                next_seq: n * 10,
                next_frame: n,
            };
            high_water.write(mark).unwrap();
        }
        let (_, last) = HighWater::open(&path).unwrap();
        assert_eq!(
            last,
            Some(Mark {
                next_seq: 30,
                next_frame: 3
            })
        );
        // The third write went into the second slot.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[SLOT + 9] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (_, before) = HighWater::open(&path).unwrap();
        assert_eq!(
            before,
            Some(Mark {
                next_seq: 20,
                next_frame: 2
            })
        );
    }
}
