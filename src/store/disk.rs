//! The backend on disk: a journal in front of a database.
//!
//! | file | what is in it |
//! |---|---|
//! | `disk.rs` | [`Disk`]: a write goes to the journal, a read sees it over the database |
//! | `journal.rs`, `entry.rs`, `live.rs` | the journal: writing it, one entry of it, what a start takes from it |
//! | `core.rs` | what the committer, the readers and the checkpointer share |
//! | `overlay.rs` | what the database may not have yet, in memory |
//! | `turning.rs` | when the database is to take it in |
//! | `checkpoint.rs` | the thread by which it does |
//! | `database.rs`, `sled_files.rs`, `guarded.rs` | sled, its files, and the edge at which its panics become errors |
//! | `taking.rs` | a batch on its way into the database, a record on its way out |
//! | `reclaim.rs`, `records.rs` | giving back the room of records that nothing points to |
//! | `volumes.rs`, `volume.rs`, `location.rs` | the records: all files of them, one file, and what sled holds instead of a record |

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::Space;
use super::StoreError;
use super::backend::{Backend, Change, Durability, Entry};
use super::files::lock::Lock;

mod checkpoint;
mod core;
mod database;
mod entry;
mod guarded;
mod journal;
mod live;
mod location;
mod overlay;
mod reclaim;
mod records;
mod sled_files;
mod taking;
mod turning;
mod volume;
mod volumes;

pub(super) use checkpoint::{BATCH_BYTES, BATCH_CHANGES};
pub(super) use database::Database;
pub use guarded::panic_is_an_error;
pub(super) use live::Live;
pub(super) use location::{LOCATION_BYTES, Location};
pub(super) use sled_files::free_bytes;
pub(super) use volume::{
    HEAD as VOLUME_HEAD, RECORD_HEAD, is_whole as is_whole_record, make_dir as make_volumes,
    numbers as volumes_of, path as volume_path, salt as volume_salt,
};
pub(super) use volumes::Volumes;

use self::core::{Core, Writing, unwritable};
use checkpoint::Progress;
use overlay::{Overlay, Way};

pub use self::core::Settings;

/// A database with a journal in front of it, in a directory that this process owns.
pub struct Disk {
    core: Arc<Core>,
    checkpointer: Mutex<Option<JoinHandle<()>>>,
    _lock: Lock,
}

impl Disk {
    /// Opens the store in `dir`, making it, closed to other users, if it is not there, to read it or
    /// to write without a journal.
    ///
    /// # Errors
    /// [`StoreError::Directory`] if `dir` is no directory or not writable,
    /// [`StoreError::Locked`] if another process has it open, [`StoreError::Corrupt`] if the
    /// journal is not whole or sled cannot open its files.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::open_only(dir, cache_bytes, Lock::take(dir)?)
    }

    /// [`Disk::open`] in a directory that is ours already.
    pub(super) fn open_only(dir: &Path, cache_bytes: u64, lock: Lock) -> Result<Self, StoreError> {
        let settings = Settings {
            cache_bytes,
            journal_bytes: 0,
            salt: 0,
        };
        Self::open_locked(dir, settings, lock)
    }

    /// As it is to be, with or without a journal.
    pub(super) fn open_locked(
        dir: &Path,
        settings: Settings,
        lock: Lock,
    ) -> Result<Self, StoreError> {
        let live = read_journal(dir)?;
        if live.generation > 0 {
            // What a killed process had not synced yet is answered for from now on.
            journal::sync(dir).map_err(|error| StoreError::of_file(dir, &error))?;
        }
        let mut overlay = Overlay::default();
        let generation = live.generation;
        overlay.put(live.into_changes());
        let core = Core {
            dir: dir.to_owned(),
            settings,
            database: Database::open(dir, settings.cache_bytes, settings.salt)?,
            overlay: RwLock::new(overlay),
            writing: Mutex::new(Writing {
                journal: None,
                generation,
                leaves_files: generation > 0,
            }),
            progress: Progress::default(),
        };
        Ok(Self {
            core: Arc::new(core),
            checkpointer: Mutex::new(None),
            _lock: lock,
        })
    }

    /// Puts `changes` into the database as a checkpoint does, synced.
    pub(super) fn take_in(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.core
            .database
            .take_in(changes.iter().map(Change::as_ref))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.core.progress.end();
        let thread = self
            .checkpointer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // What it panicked of is the store's last error.
            let _ = thread.join();
        }
    }
}

/// What the journal in `dir` holds, if it is whole.
fn read_journal(dir: &Path) -> Result<Live, StoreError> {
    let live = Live::read(dir).map_err(|error| StoreError::of_file(dir, &error))?;
    match live.damage {
        Some(what) => Err(StoreError::Corrupt(format!(
            "the journal is not whole: {what}"
        ))),
        None => Ok(live),
    }
}

impl Backend for Disk {
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        let core = &self.core;
        let mut writing = core.writing();
        // Under the lock: whoever held it may have failed.
        core.progress.check()?;
        let written = if core.settings.journal_bytes == 0 {
            core.checkpoint_all(&mut writing).and_then(|()| {
                let changes = changes.iter().map(Change::as_ref);
                core.database.write_straight(changes, durability)
            })
        } else {
            core.journal(&mut writing).and_then(|journal| {
                if core.progress.is_idle() {
                    journal.release();
                }
                if journal.is_full(core.settings.journal_bytes) {
                    self.turn(journal)?;
                }
                journal.append(&changes, durability).map_err(unwritable)?;
                core.overlay_mut(|overlay| overlay.put(changes));
                Ok(())
            })
        };
        written.inspect_err(|error| core.progress.fail(error))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.core.overlay(|overlay| overlay.get(key)) {
            Some(known) => Ok(known),
            None => self.core.database.get(key),
        }
    }

    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let range = (Bound::Unbounded, Bound::Included(key));
        let found = self.core.merged(range, prefix, 1, Way::Down)?;
        Ok(found.into_iter().next())
    }

    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let range = (Bound::Included(key), Bound::Unbounded);
        self.core.merged(range, prefix, limit, Way::Up)
    }

    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let range = (Bound::Unbounded, Bound::Excluded(key));
        self.core.merged(range, prefix, limit, Way::Down)
    }

    fn prepare(&self) -> Result<(), StoreError> {
        if self.core.settings.journal_bytes == 0 {
            return Ok(());
        }
        let mut writing = self.core.writing();
        self.core.journal(&mut writing).map(drop)
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        let mut writing = self.core.writing();
        self.core.progress.check()?;
        let done = self.core.checkpoint_all(&mut writing);
        done.inspect_err(|error| self.core.progress.fail(error))
    }

    fn used_bytes(&self) -> u64 {
        self.core.database.used_bytes() + journal::used_bytes(&self.core.dir)
    }

    fn space(&self) -> Space {
        let log_bytes = self.core.database.log_bytes();
        Space {
            used_bytes: sled_files::bytes_below(&self.core.dir),
            log_bytes,
            live_bytes: self.core.database.live_bytes(),
        }
    }

    fn doomed_bytes(&self) -> Result<u64, StoreError> {
        let doomed = self.core.overlay(Overlay::taken_out);
        self.core.database.bytes_at(doomed)
    }

    fn reclaim(&self, stop: &dyn Fn() -> bool) -> Result<u64, StoreError> {
        self.core.progress.check()?;
        // A volume goes when sled, and not only the journal, points to none of it.
        let known = self.take_out();
        let reclaimed = known.and_then(|()| self.core.database.reclaim(stop));
        reclaimed.inspect_err(|error| self.core.progress.fail(error))
    }

    fn free_bytes(&self) -> Option<u64> {
        free_bytes(&self.core.dir)
    }
}
