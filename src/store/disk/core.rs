//! What the committer, the readers and the checkpointer share.

use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::super::StoreError;
use super::super::backend::{Durability, Entry};
use super::checkpoint::Progress;
use super::database::Database;
use super::journal::{self, Journal};
use super::overlay::{Overlay, Way, merge};

/// How a [`Disk`](super::Disk) is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes of the database's pages in memory.
    pub cache_bytes: u64,
    /// The length of a file of the journal; 0 writes straight to the database.
    pub journal_bytes: u64,
    /// By which entries of the journal are known: what no sender can guess.
    pub salt: u64,
}

/// What the checkpointer shares with the rest.
pub struct Core {
    pub dir: PathBuf,
    pub settings: Settings,
    pub database: Database,
    pub overlay: RwLock<Overlay>,
    /// Held while something is written.
    pub writing: Mutex<Writing>,
    pub progress: Progress,
}

pub struct Writing {
    /// None before the first write, and after a checkpoint of everything.
    pub journal: Option<Journal>,
    /// The last one that was written before `journal`.
    pub generation: u64,
    /// Whether there are files to be taken away.
    pub leaves_files: bool,
}

/// The journal cannot be written.
pub fn unwritable(error: io::Error) -> StoreError {
    StoreError::Stopped(format!("journal: {error}"))
}

impl Core {
    pub fn writing(&self) -> MutexGuard<'_, Writing> {
        // A write that panics has failed, and none comes after it.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn overlay<T>(&self, look: impl FnOnce(&Overlay) -> T) -> T {
        look(&self.overlay.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn overlay_mut<T>(&self, change: impl FnOnce(&mut Overlay) -> T) -> T {
        change(&mut self.overlay.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings all that is in the overlay into the database, and takes the journal away.
    pub fn checkpoint_all(&self, writing: &mut Writing) -> Result<(), StoreError> {
        self.progress.wait_until_idle()?;
        if let Some(journal) = &mut writing.journal {
            // The database must not be ahead of it: what a power cut takes of it would come back
            // half.
            journal.append(&[], Durability::Disk).map_err(unwritable)?;
            writing.generation = journal.generation();
        }
        if !self.overlay(Overlay::is_empty) {
            let lowered = self.overlay_mut(Overlay::lower);
            self.take_in(&lowered)?;
            self.overlay_mut(Overlay::drop_lower);
        }
        writing.journal = None;
        if std::mem::take(&mut writing.leaves_files) {
            journal::remove(&self.dir, writing.generation).map_err(unwritable)?;
        }
        Ok(())
    }

    /// The journal, begun if need be.
    pub fn journal<'a>(&self, writing: &'a mut Writing) -> Result<&'a mut Journal, StoreError> {
        let journal = match writing.journal.take() {
            Some(journal) => journal,
            None => {
                self.checkpoint_all(writing)?;
                let next = writing.generation + 1;
                writing.leaves_files = true;
                Journal::begin(&self.dir, next, self.settings.salt).map_err(unwritable)?
            }
        };
        Ok(writing.journal.insert(journal))
    }

    pub fn merged(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        prefix: &[u8],
        limit: usize,
        way: Way,
    ) -> Result<Vec<Entry>, StoreError> {
        let over = self.overlay(|overlay| overlay.range(range, prefix, limit, way));
        merge(over, limit, way, |behind| {
            let beyond = match (behind, way) {
                (None, _) => range,
                (Some(key), Way::Up) => (Bound::Excluded(key), range.1),
                (Some(key), Way::Down) => (range.0, Bound::Excluded(key)),
            };
            self.database.range(beyond, prefix, limit, way)
        })
    }
}
