//! The database: sled, with what sled 0.34 needs so that `Ok` means on disk, and the volumes with
//! the records to which it points.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::backend::{Durability, Entry};
use super::super::error::StoreError;
use super::guarded::{Fault, guarded};
use super::location::Location;
use super::overlay::Way;
use super::reclaim::Live;
use super::sled_files;
use super::volumes::Volumes;
use crate::store::files::{private, segments};

/// A value of this size makes its page worth evicting.
const LARGE_BYTES: usize = 1024;

/// See [`Database::touch`]: with three, a log of a million events of 1 KiB was written within 75 MiB,
/// without any in 95; more cost time and save nothing.
const TOUCHES: usize = 3;

/// A file whose being there says that a page could not be read.
const UNREADABLE: &str = "unreadable";

/// A key and its value, as sled gives them.
type Pair = (sled::IVec, sled::IVec);

/// A key, and its value, if it is not taken out.
pub type ChangeRef<'a> = (&'a [u8], Option<&'a [u8]>);

/// A sled database in a directory that this process owns.
pub struct Database {
    pub(super) db: sled::Db,
    pub(super) volumes: Volumes,
    dir: PathBuf,
    pub(super) live: Mutex<Live>,
    /// Held while records find their place.
    pub(super) taking: Mutex<()>,
    /// sled's own data file, for the `fdatasync` that its `flush` does not do.
    data_file: File,
    /// A write has failed.
    failed: AtomicBool,
}

impl Drop for Database {
    fn drop(&mut self) {
        // A handle that goes writes what it has left. After a failed write that would be a retry,
        // which must not be, and on a disk that has failed since sled panics; so this one stays
        // until the process ends.
        if self.failed.load(Ordering::Acquire) || self.data_file.sync_all().is_err() {
            std::mem::forget(self.db.clone());
        }
    }
}

impl Database {
    /// Opens the database in `dir`, making it if it is not there; `salt` is of volumes to come.
    ///
    /// # Errors
    /// [`StoreError::Directory`] if its files cannot be read or made, [`StoreError::Corrupt`] if
    /// sled cannot open them.
    pub fn open(dir: &Path, cache_bytes: u64, salt: u64) -> Result<Self, StoreError> {
        segments::snapshot_lsn(dir).map_err(|error| StoreError::of_file(dir, &error))?;
        let db = sled_files::open(dir, cache_bytes)?;
        let data_file = File::options()
            .read(true)
            .write(true)
            .open(dir.join("db"))
            .map_err(|error| StoreError::of_file(dir, &error))?;
        let mut database = Self {
            db,
            volumes: Volumes::of(dir, salt),
            dir: dir.to_owned(),
            live: Mutex::default(),
            taking: Mutex::default(),
            data_file,
            failed: AtomicBool::new(false),
        };
        let synced = sled_files::sync(&database.db, dir);
        database.failed.store(synced.is_err(), Ordering::Release);
        synced?;
        database.live = Mutex::new(database.load_live()?);
        Ok(database)
    }

    /// Makes sled's cache notice a page. It looks at what was used only when 64 accesses have come
    /// together in one of its 256 parts, and a page of ours has fewer in its whole life, so that
    /// without this the cache outgrows its bound many times over.
    fn touch(&self, key: &[u8]) -> sled::Result<()> {
        for _ in 0..TOUCHES {
            self.db.contains_key(key)?;
        }
        Ok(())
    }

    /// Whether a page of the database in `dir` could not be read, when it was last in use.
    pub fn was_unreadable(dir: &Path) -> bool {
        dir.join(UNREADABLE).exists()
    }

    /// The database in `dir` is a new one.
    pub fn is_readable_again(dir: &Path) -> io::Result<()> {
        match fs::remove_file(dir.join(UNREADABLE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The words of a fault; a page that cannot be read, like a record, is taken note of, so that the
    /// next start looks for it elsewhere. After a failed write sled fails at everything,
    /// which says nothing of what is in the file.
    pub(super) fn noted(&self, fault: Fault) -> String {
        let is_about_the_disk = fault.io.is_some() || self.failed.load(Ordering::Acquire);
        if !is_about_the_disk {
            self.note_that_it_is_unreadable();
        }
        fault.words
    }

    pub(super) fn note_that_it_is_unreadable(&self) {
        let noted = private::options().open(self.dir.join(UNREADABLE));
        if let Err(error) = noted {
            tracing::warn!(%error, "that the database is damaged cannot be noted");
        }
    }

    /// Takes out what `work` finds. However it was found, its pages must be noticed, or reading a
    /// long log once would keep all of it in memory.
    fn read<F: IntoIterator<Item = Pair>>(
        &self,
        work: impl FnOnce() -> sled::Result<F>,
    ) -> Result<Vec<Entry>, StoreError> {
        let found = guarded("reading", || {
            let mut entries = Vec::new();
            for (key, value) in work()? {
                if value.len() >= LARGE_BYTES {
                    self.touch(&key)?;
                }
                entries.push((key.to_vec(), value.to_vec()));
            }
            Ok(entries)
        });
        let mut found = found.map_err(|fault| match fault.io {
            Some(_) => StoreError::Disk(fault.words),
            None => StoreError::Read(self.noted(fault)),
        })?;
        let mut gone = false;
        for (key, value) in &mut found {
            if let Some(location) = Location::decode(value) {
                match self.record(key, location)? {
                    Some(record) => *value = record,
                    None => (gone, *key) = (true, Vec::new()),
                }
            }
        }
        if gone {
            found.retain(|(key, _)| !key.is_empty());
        }
        Ok(found)
    }

    fn write_once<'a>(
        &self,
        changes: impl Iterator<Item = ChangeRef<'a>>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut large: Vec<&[u8]> = Vec::new();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    batch.insert(key, value);
                    large.extend((value.len() >= LARGE_BYTES).then_some(key));
                }
                None => batch.remove(key),
            }
        }
        // A batch, be it of one change: where the last one begins tells the next start what was
        // synced.
        guarded("writing", || {
            self.db.apply_batch(batch)?;
            for key in large {
                self.touch(key)?;
            }
            self.db.flush()
        })
        .map_err(|fault| StoreError::Stopped(self.noted(fault)))?;
        if durability == Durability::Disk {
            // sled's flush is no fsync on Linux: after a power cut everything would be gone.
            self.data_file
                .sync_data()
                .map_err(|error| StoreError::Stopped(format!("fdatasync: {error}")))?;
        }
        Ok(())
    }

    /// Applies all of `changes` or, after a crash, none. An error means that nobody knows, and
    /// nothing may be written again.
    pub fn write<'a>(
        &self,
        changes: impl Iterator<Item = ChangeRef<'a>>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let written = self.write_once(changes, durability);
        self.failed.fetch_or(written.is_err(), Ordering::AcqRel);
        written
    }

    /// The value at `key`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.read(|| Ok(self.db.get(key)?.map(|value| (key.into(), value))))?;
        Ok(found.into_iter().next().map(|(_, value)| value))
    }

    /// Up to `limit` entries within `range`, as long as their keys begin with `prefix`.
    pub fn range(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        prefix: &[u8],
        limit: usize,
        way: Way,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(|| {
            let range = self.db.range::<&[u8], _>(range);
            match way {
                Way::Up => collect(prefix, limit, range),
                Way::Down => collect(prefix, limit, range.rev()),
            }
        })
    }

    /// Bytes that its files take.
    pub fn used_bytes(&self) -> u64 {
        let own = guarded("measuring", || self.db.size_on_disk()).unwrap_or(0);
        own + self.volumes.used_bytes()
    }

    /// Everything whose key begins with `prefix`, as sled holds it.
    pub(super) fn raw(&self, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let found = guarded("reading", || {
            let entries = self.db.scan_prefix(prefix);
            let entries = entries.map(|entry| entry.map(|(k, v)| (k.to_vec(), v.to_vec())));
            entries.collect::<sled::Result<Vec<Entry>>>()
        });
        found.map_err(|fault| StoreError::Read(self.noted(fault)))
    }

    /// Bytes that the volumes take.
    pub fn log_bytes(&self) -> u64 {
        self.volumes.used_bytes()
    }
}

fn collect(
    prefix: &[u8],
    limit: usize,
    entries: impl Iterator<Item = sled::Result<Pair>>,
) -> sled::Result<Vec<Pair>> {
    let within = |entry: &sled::Result<Pair>| {
        let key = entry.as_ref().map(|(key, _)| key);
        key.is_ok_and(|key| key.starts_with(prefix)) || entry.is_err()
    };
    entries.take(limit).take_while(within).collect()
}
