//! The sled database, with what sled 0.34 needs so that `Ok` means on disk.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::backend::{Durability, Entry};
use super::super::error::StoreError;
use super::super::{private, segments};
use super::guarded::{Fault, guarded};
use super::overlay::Way;

/// A value of this size makes its page worth evicting.
const LARGE_BYTES: usize = 1024;

/// See [`Database::touch`]: with three, a log of a million events of 1 KiB was written within 75 MiB,
/// without any in 95; more cost time and save nothing.
const TOUCHES: usize = 3;

/// See [`open_sled`]: five seconds in all.
const OPEN_TRIES: u32 = 500;
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// A file whose being there says that a page could not be read.
const UNREADABLE: &str = "unreadable";

/// A key and its value, as sled gives them.
type Pair = (sled::IVec, sled::IVec);

/// A key, and its value, if it is not taken out.
pub type ChangeRef<'a> = (&'a [u8], Option<&'a [u8]>);

/// A sled database in a directory that this process owns.
pub struct Database {
    db: sled::Db,
    dir: PathBuf,
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
    /// Opens the database in `dir`, making it if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Directory`] if its files cannot be read or made, [`StoreError::Corrupt`] if
    /// sled cannot open them.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        segments::snapshot_lsn(dir).map_err(|error| StoreError::of_file(dir, &error))?;
        let db = open_sled(dir, cache_bytes)?;
        let data_file = File::options()
            .read(true)
            .write(true)
            .open(dir.join("db"))
            .map_err(|error| StoreError::of_file(dir, &error))?;
        let database = Self {
            db,
            dir: dir.to_owned(),
            data_file,
            failed: AtomicBool::new(false),
        };
        let synced = database.sync_everything();
        database.failed.store(synced.is_err(), Ordering::Release);
        synced?;
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

    /// The words of a fault; a page that cannot be read is taken note of, so that the next start
    /// looks for its records elsewhere in the file. After a failed write sled fails at everything,
    /// which says nothing of what is in the file.
    fn noted(&self, fault: Fault) -> String {
        let is_about_the_disk = fault.io.is_some() || self.failed.load(Ordering::Acquire);
        if !is_about_the_disk {
            let noted = private::options().open(self.dir.join(UNREADABLE));
            if let Err(error) = noted {
                tracing::warn!(%error, "that the database is damaged cannot be noted");
            }
        }
        fault.words
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
        found.map_err(|fault| match fault.io {
            Some(_) => StoreError::Disk(fault.words),
            None => StoreError::Read(self.noted(fault)),
        })
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
        guarded("measuring", || self.db.size_on_disk()).unwrap_or(0)
    }

    /// After creation: the files that sled makes once and never syncs, and the directories that
    /// name them.
    fn sync_everything(&self) -> Result<(), StoreError> {
        guarded("flushing", || self.db.flush())
            .map_err(|fault| StoreError::Stopped(fault.words))?;
        let parent = self.dir.parent().filter(|p| !p.as_os_str().is_empty());
        let places = ["conf", "db", "snapshots", "blobs", ""].map(|name| self.dir.join(name));
        for path in places.iter().map(PathBuf::as_path).chain(parent) {
            match File::open(path).and_then(|file| file.sync_all()) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                // A parent that may not be opened for reading is not ours to sync.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(StoreError::of_file(path, &error)),
            }
        }
        Ok(())
    }
}

/// Opens sled's files. The directory is ours by our own lock, so if sled finds its files locked,
/// it is by threads of a handle that this process has just dropped, and they are about to end.
fn open_sled(dir: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let mut tries_left = OPEN_TRIES;
    loop {
        let opened = guarded("opening the database", || {
            sled::Config::default()
                .path(dir)
                .segment_size(segments::SEGMENT_BYTES)
                .cache_capacity(cache_bytes)
                .flush_every_ms(None)
                .open()
        });
        match opened {
            Ok(db) => return Ok(db),
            Err(fault) if tries_left > 0 && fault.words.contains("could not acquire lock") => {
                tries_left -= 1;
                std::thread::sleep(OPEN_PAUSE);
            }
            Err(Fault {
                io: Some(error), ..
            }) => return Err(StoreError::of_file(dir, &error)),
            Err(fault) => return Err(StoreError::Corrupt(fault.words)),
        }
    }
}

/// Bytes left on the disk of `dir`, where that is known.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
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
