//! One volume: a file of records, each written once and never moved.
//!
//! ```text
//!  volume:  salt u64, CRC32C of it u32, zeros up to byte 4096, then records
//!  record:  length u32, check u32, the value
//! ```
//!
//! The check is the CRC32C of the salt, the location and the value. With the salt it tells a record
//! from bytes that a sender chose, and with the location from one that has moved.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::entry;
use super::location::Location;
use crate::store::files::{blocks, private};

/// The directory of the volumes, within that of the store.
pub const DIRECTORY: &str = "records";

/// What the head says is in so many bytes; the first record begins in the next block.
pub const HEAD: usize = 64;

/// What a write begins at: no write touches a block in which there is something that was synced, for
/// a power cut may take all of it.
pub const BLOCK: u64 = 4096;

/// What comes before a value.
pub const RECORD_HEAD: usize = 8;

/// How much is gathered for one write.
const WRITE_BYTES: usize = 1 << 20;

/// A volume that is written.
#[derive(Debug)]
pub struct Volume {
    /// Its number.
    pub number: u32,
    file: File,
    salt: u64,
    /// Where the next write goes.
    pub end: u64,
    /// What of it is not in the file yet.
    unwritten: Vec<u8>,
}

/// The file of a volume of the store in `dir`.
pub fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(DIRECTORY).join(format!("{number:08}"))
}

/// The volumes of the store in `dir`, the oldest first.
pub fn numbers(dir: &Path) -> io::Result<Vec<u32>> {
    let entries = match fs::read_dir(dir.join(DIRECTORY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the directory of the volumes, if it is not there.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    if !dir.join(DIRECTORY).is_dir() {
        private::make_dir(&dir.join(DIRECTORY))?;
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

fn check(salt: u64, location: Location, value: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&salt.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &location.encode());
    crc32c::crc32c_append(crc, value)
}

fn encode_head(salt: u64, location: Location, value: &[u8]) -> [u8; RECORD_HEAD] {
    let mut head = [0; RECORD_HEAD];
    head[..4].copy_from_slice(&location.len.to_le_bytes());
    head[4..].copy_from_slice(&check(salt, location, value).to_le_bytes());
    head
}

/// Whether these bytes, from the record's head on, are what was written to that location of a volume
/// with this salt.
pub fn is_whole(record: &[u8], salt: u64, location: Location) -> bool {
    record.split_first_chunk().is_some_and(|(head, value)| {
        value.len() == location.len as usize && *head == encode_head(salt, location, value)
    })
}

/// The salt at the beginning of a volume, unless it is damaged.
pub fn salt(head: &[u8]) -> Option<u64> {
    entry::decode_head(head)
}

impl Volume {
    /// Goes on with the last volume in `dir`, unless it is full or its head is damaged.
    pub fn go_on(dir: &Path, salt: u64, volume_bytes: u64) -> io::Result<Self> {
        let Some(number) = numbers(dir)?.last().copied() else {
            return Self::begin(dir, 1, salt);
        };
        let file = private::options().open(path(dir, number))?;
        let mut head = [0; HEAD];
        let (read, _) = blocks::fill(&mut head, 0, |to, at| file.read_at(to, at))?;
        let end = file.metadata()?.len();
        match entry::decode_head(&head[..read]) {
            Some(salt) if (HEAD as u64..volume_bytes).contains(&end) => Ok(Self {
                number,
                file,
                salt,
                end,
                unwritten: Vec::new(),
            }),
            _ => Self::begin(dir, number + 1, salt),
        }
    }

    /// Makes a volume.
    pub fn begin(dir: &Path, number: u32, salt: u64) -> io::Result<Self> {
        make_dir(dir)?;
        let file = private::options().open(path(dir, number))?;
        let head = &entry::encode_head(salt)[..HEAD];
        file.write_all_at(head, 0)?;
        file.sync_all()?;
        File::open(dir.join(DIRECTORY))?.sync_all()?;
        Ok(Self {
            number,
            file,
            salt,
            end: BLOCK,
            unwritten: Vec::new(),
        })
    }

    /// What comes next begins in a block of its own.
    pub fn turn_the_page(&mut self) {
        self.end = self.end.next_multiple_of(BLOCK);
    }

    /// Takes away what was written behind `end`, of which nobody was told.
    pub fn cut(&self, end: u64) {
        // Where it cannot be, it costs room and nothing else.
        let _ = self.file.set_len(end);
    }

    /// Takes a value in; it is in the file after the next sync.
    pub fn put(&mut self, value: &[u8]) -> io::Result<Location> {
        let behind = self.end + self.unwritten.len() as u64 + RECORD_HEAD as u64;
        let too_large = |_| io::Error::other("a record is too large for a volume");
        let location = Location {
            volume: self.number,
            at: u32::try_from(behind).map_err(too_large)?,
            len: u32::try_from(value.len()).map_err(too_large)?,
        };
        self.unwritten
            .extend(encode_head(self.salt, location, value));
        self.unwritten.extend(value);
        if self.unwritten.len() >= WRITE_BYTES {
            self.write()?;
        }
        Ok(location)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.unwritten, self.end)?;
        self.end += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// Everything that was taken in is safe from a power cut.
    pub fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        self.file.sync_data()
    }

    /// Whether it is as long as a volume gets.
    pub fn is_full(&self, volume_bytes: u64) -> bool {
        self.end + self.unwritten.len() as u64 >= volume_bytes
    }
}
