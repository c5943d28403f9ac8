//! A new database, moved into the place of the old one.
//!
//! It lies in `rebuilt`, whole and synced. From there its files are moved one by one, each after the
//! file in whose place it comes, so that a start after a crash can go on with it: what is still in
//! `rebuilt` has not been moved.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::super::disk::Database;
use crate::store::files::private;

pub const FINISHED: &str = "rebuilt";

/// What is moved; `conf`, `blobs` and `records` belong to `db`.
const NAMES: [&str; 6] = [
    "high-water",
    "projections",
    "blobs",
    "records",
    "conf",
    "db",
];

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
    Database::is_readable_again(dir)?;
    sync(dir)?;
    clear(rebuilt)
}

fn move_in(dir: &Path, rebuilt: &Path, kept: &Path) -> io::Result<()> {
    // sled's own snapshots know nothing of the new database, which has what the journal held.
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") || name.starts_with("journal-") {
            fs::rename(entry.path(), kept.join(entry.file_name()))?;
        }
    }
    // A journal that came back with a crash would lie over the new database.
    sync(kept)?;
    sync(dir)?;
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

pub fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
