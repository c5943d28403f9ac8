//! sled's files: opened, synced, measured.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::error::StoreError;
use super::guarded::{Fault, guarded};
use super::volume;
use crate::store::files::segments;

/// See [`open`]: five seconds in all.
const OPEN_TRIES: u32 = 500;
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// Opens sled's files. The directory is ours by our own lock, so if sled finds its files locked,
/// it is by threads of a handle that this process has just dropped, and they are about to end.
pub fn open(dir: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
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

/// Bytes of all files in `dir` and below. One that goes meanwhile counts as nothing.
pub fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// After creation: the files that sled makes once and never syncs, and the directories that
/// name them.
pub fn sync(db: &sled::Db, dir: &Path) -> Result<(), StoreError> {
    guarded("flushing", || db.flush()).map_err(|fault| StoreError::Stopped(fault.words))?;
    let parent = dir.parent().filter(|p| !p.as_os_str().is_empty());
    let places =
        ["conf", "db", "snapshots", "blobs", volume::DIRECTORY, ""].map(|name| dir.join(name));
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
