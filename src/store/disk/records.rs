//! The records of one volume, one after another.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::location::Location;
use super::volume::{self, BLOCK, HEAD, RECORD_HEAD};

/// No record of ours is longer, however long an endpoint's certificate is.
const RECORD_MAX: u32 = 16 << 20;

/// Goes through a volume; what a crash left in it, and what is damaged, is stepped over.
pub struct Records {
    file: File,
    number: u32,
    salt: Option<u64>,
    at: u64,
    len: u64,
    damaged: bool,
}

impl Records {
    /// Those of volume `number` in `file`.
    pub fn of(file: File, number: u32) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let mut head = [0; HEAD];
        let read = file.read_at(&mut head, 0)?;
        let salt = volume::salt(&head[..read]);
        Ok(Self {
            file,
            number,
            salt,
            at: BLOCK,
            len,
            damaged: salt.is_none(),
        })
    }

    /// Whether nothing was stepped over.
    pub fn all_were_whole(&self) -> bool {
        !self.damaged
    }

    fn record(&mut self) -> io::Result<Option<(Location, Vec<u8>)>> {
        let mut head = [0; RECORD_HEAD];
        self.file.read_exact_at(&mut head, self.at)?;
        if head == [0; RECORD_HEAD] {
            return Ok(None);
        }
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let behind = self.at + RECORD_HEAD as u64 + u64::from(len);
        let at = u32::try_from(self.at + RECORD_HEAD as u64).map_err(io::Error::other)?;
        let location = Location {
            volume: self.number,
            at,
            len,
        };
        if behind > self.len || len > RECORD_MAX {
            self.damaged = true;
            return Ok(None);
        }
        let mut record = vec![0; RECORD_HEAD + len as usize];
        self.file.read_exact_at(&mut record, self.at)?;
        let salt = self.salt.unwrap_or(0);
        if !volume::is_whole(&record, salt, location) {
            self.damaged = true;
            return Ok(None);
        }
        self.at = behind;
        Ok(Some((location, record.split_off(RECORD_HEAD))))
    }
}

impl Iterator for Records {
    type Item = io::Result<(Location, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.salt.is_some() && self.at + RECORD_HEAD as u64 <= self.len {
            match self.record() {
                Ok(Some(record)) => return Some(Ok(record)),
                // A batch begins in a block of its own.
                Ok(None) => self.at = (self.at + 1).next_multiple_of(BLOCK),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}
