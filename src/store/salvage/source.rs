//! Where records are looked for, and read again: the database's file, the volumes, the journal.

use std::fs::File;
use std::io;
use std::path::Path;

use super::super::backend::Change;
use super::super::disk::{Live, Location, Volumes};
use crate::store::files::segments;

/// Where the records of the journal lie, as if they followed the largest file that there can be.
pub const JOURNAL_AT: u64 = 1 << 62;

/// Where those of volumes lie: the number of the volume in the upper half.
const VOLUMES_AT: u64 = 1 << 61;

/// The files of a store, read only.
#[derive(Debug)]
pub struct Sources {
    /// The database's.
    pub file: File,
    /// The values in the journal, one behind the other.
    pub journal: Vec<u8>,
    volumes: Volumes,
}

/// Where a record of a volume lies.
pub fn at(location: Location) -> u64 {
    VOLUMES_AT + (u64::from(location.volume) << 32) + u64::from(location.at)
}

impl Sources {
    /// Those of the store in `dir`; `file` is its database's.
    pub fn of(dir: &Path, file: File) -> io::Result<Self> {
        let changes = Live::read(dir)?.into_changes();
        Ok(Self {
            file,
            journal: changes.flat_map(Change::into_value).collect(),
            volumes: Volumes::of(dir, 0),
        })
    }

    /// The `len` bytes at a place where a record was found.
    pub fn read(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        if let Some(at) = at.checked_sub(JOURNAL_AT) {
            let at = at as usize;
            return Ok(self.journal[at..at + len].to_vec());
        }
        match at.checked_sub(VOLUMES_AT) {
            Some(at) => {
                let location = Location {
                    volume: (at >> 32) as u32,
                    at: at as u32,
                    len: len as u32,
                };
                self.volumes.read(location).map(|record| record.value)
            }
            None => segments::read(&self.file, at, len),
        }
    }
}
