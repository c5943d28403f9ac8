//! A look at the database before it is opened.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;

use super::snapshot;
use crate::store::StoreError;
use crate::store::backend::Change;
use crate::store::disk::{Database, Live, volumes_of};
use crate::store::files::high_water::HighWater;
use crate::store::files::segments;
use crate::store::salvage;

/// Whether the database may be opened: an opening overwrites what is behind the first thing that
/// cannot be read.
pub fn look_before(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join("db");
    let unusable = |error: io::Error| StoreError::of_file(&path, &error);
    let mark = HighWater::read(&dir.join("high-water"));
    let snapshot_lsn = segments::snapshot_lsn(dir).map_err(unusable)?;
    let file = match File::open(&path) {
        Ok(file) if file.metadata().map_err(unusable)?.len() > 0 => file,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        Ok(_) | Err(_) if mark.is_none() && snapshot::load(&dir.join("projections")).is_none() => {
            return Ok(());
        }
        Ok(_) | Err(_) => {
            return Err(StoreError::Corrupt(
                "the database, the file `db`, is gone or empty".to_owned(),
            ));
        }
    };
    if Database::was_unreadable(dir) {
        let what = "the database could not be read when it was last in use";
        return Err(StoreError::Corrupt(what.to_owned()));
    }
    let survey = segments::survey(&file, snapshot_lsn).map_err(unusable)?;
    if survey.unreadable_bytes > 0 {
        // Where sled cannot read its log, it takes it for ended as well.
        let what = format!("{}: bytes that it does not give back", path.display());
        return Err(StoreError::Disk(what));
    }
    if let Some(what) = &survey.damage {
        let what = format!("the database's log is not whole: {what}");
        return Err(StoreError::Corrupt(what));
    }
    if survey.cut_off.is_empty() {
        return Ok(());
    }
    if mark.is_none() && !volumes_of(dir).map_err(unusable)?.is_empty() {
        let what = "the database's log was cut off, and nothing says how far it reached";
        return Err(StoreError::Corrupt(what.to_owned()));
    }
    let journal = Live::read(dir).map_err(unusable)?;
    let journal: HashSet<Vec<u8>> = journal.into_changes().map(Change::into_key).collect();
    let is_elsewhere = |key: &[u8]| journal.contains(key);
    if salvage::holds_promises(&file, &survey, mark, is_elsewhere).map_err(unusable)? {
        let what = "the database's log ends before records that were synced";
        return Err(StoreError::Corrupt(what.to_owned()));
    }
    Ok(())
}
