//! The files of a directory in the making: synced, and a disk that is full.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::super::StoreError;
use super::super::disk::free_bytes;
use super::BackupError;
use crate::store::files::private;
use crate::store::files::segments::SEGMENT_BYTES;

/// A file whose being there says that this directory is a copy on which nothing was started yet.
const COPY: &str = "backup";

/// Notes that `dir` is a copy.
pub fn mark(dir: &Path) -> io::Result<()> {
    private::options().open(dir.join(COPY)).map(drop)
}

/// At a start that will send: says once that this directory is a copy, of which there is another.
pub fn warn_of_the_other(dir: &Path) {
    // Where it cannot be taken away, the warning comes again.
    if fs::remove_file(dir.join(COPY)).is_ok() {
        let dir = dir.display();
        tracing::warn!(%dir, "this store is a backup, started for the first time: if the server that it was made of runs still, stop it, for both send the same deliveries with the same ids");
    }
}

/// What keeps a copy from being written, in words that are not about the store: a disk that is full
/// says so in the words of whatever met it first.
pub fn of_the_copy(partial: &Path, error: BackupError) -> BackupError {
    let path = partial.to_owned();
    // The database takes a segment at a time.
    let left = || free_bytes(partial).filter(|left| *left < 2 * SEGMENT_BYTES as u64);
    match error {
        BackupError::Store(StoreError::NoRoom { cause, .. }) => BackupError::NoRoom { path, cause },
        BackupError::Store(StoreError::Stopped(cause)) => match left() {
            Some(left) => BackupError::NoRoom {
                path,
                cause: format!("{left} bytes are left"),
            },
            None => BackupError::Unwritten { path, cause },
        },
        BackupError::Store(StoreError::Directory { cause, .. }) => {
            BackupError::Unwritten { path, cause }
        }
        error => error,
    }
}

/// Syncs every file and directory in `dir`, and `dir` itself.
pub fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_all(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(dir)?.sync_all()
}

/// Syncs the name of `dir`.
pub fn sync_parent(dir: &Path) -> Result<(), StoreError> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    synced.map_err(|error| StoreError::of_file(parent, &error))
}
