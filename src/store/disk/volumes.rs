//! Records in files of their own, and not in sled.
//!
//! sled reads its whole log when it opens, and writes a page again for every record that comes into
//! it; so it holds where the records are, and not what is in them: a location of 13 bytes where the
//! record would stand.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::location::Location;
use super::records::Records;
use super::volume::{self, DIRECTORY, HEAD, RECORD_HEAD, Volume, numbers, path};
use crate::store::files::blocks;

/// A volume of this length gets no more records.
pub const VOLUME_BYTES: u64 = 64 << 20;

/// How long a writer waits for a descriptor: half a minute in all.
const OPEN_TRIES: u32 = 3_000;
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// Volumes that stay open to be read.
const OPEN_MAX: usize = 4;

/// The volumes of a store.
#[derive(Debug)]
pub struct Volumes {
    dir: PathBuf,
    salt: u64,
    volume_bytes: u64,
    /// The one that is written.
    last: Mutex<Option<Volume>>,
    /// Those that are read, the one that was opened last at the end.
    open: Mutex<Vec<(u32, Arc<Opened>)>>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    salt: Option<u64>,
}

/// What is read of a record.
#[derive(Debug, Default)]
pub struct Record {
    /// Its bytes, as far as they are there.
    pub value: Vec<u8>,
    /// Whether they are what was written.
    pub is_whole: bool,
    /// Whether the disk gave all of them back.
    pub is_readable: bool,
}

impl Volumes {
    /// Those of the store in `dir`; `salt` is of the volumes to come.
    pub fn of(dir: &Path, salt: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            salt,
            volume_bytes: VOLUME_BYTES,
            last: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// Writes `values` behind everything else, and syncs them; gives the location of each.
    pub fn append<'a>(&self, values: impl Iterator<Item = &'a [u8]>) -> io::Result<Vec<Location>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut volume = match last.take() {
            Some(volume) => volume,
            None => self.opened(|| Volume::go_on(&self.dir, self.salt, self.volume_bytes))?,
        };
        volume.turn_the_page();
        let (mut locations, mut begin) = (Vec::new(), volume.end);
        let append = || {
            for value in values {
                if volume.is_full(self.volume_bytes) {
                    volume.sync()?;
                    let next = volume.number + 1;
                    volume = self.opened(|| Volume::begin(&self.dir, next, self.salt))?;
                    begin = volume.end;
                }
                locations.push(volume.put(value)?);
            }
            volume.sync()
        };
        match append() {
            Ok(()) => *last = Some(volume),
            Err(error) => {
                volume.cut(begin);
                return Err(error);
            }
        }
        Ok(locations)
    }

    /// Opens a file, when there is a descriptor for it.
    fn opened<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let mut tries_left = OPEN_TRIES;
        loop {
            match open() {
                Err(error) if is_a_shortage(&error) && tries_left > 0 => {
                    self.open().clear();
                    tries_left -= 1;
                    std::thread::sleep(OPEN_PAUSE);
                }
                opened => return opened,
            }
        }
    }

    /// What lies at `location`. Of what is missing, be it the whole volume, there is nothing; what the
    /// disk does not give back is zeros.
    pub fn read(&self, location: Location) -> io::Result<Record> {
        let volume = match self.volume(location.volume) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
            volume => volume?,
        };
        let at = u64::from(location.at).saturating_sub(RECORD_HEAD as u64);
        let there = volume.file.metadata()?.len().saturating_sub(at);
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let mut bytes = vec![0; there.min(RECORD_HEAD + location.len as usize)];
        let read = blocks::fill(&mut bytes, at, |to, at| volume.file.read_at(to, at))?;
        bytes.truncate(read.0);
        let salt = volume.salt;
        Ok(Record {
            is_whole: salt.is_some_and(|salt| volume::is_whole(&bytes, salt, location)),
            is_readable: read.1 == 0 && salt.is_some(),
            value: bytes.get(RECORD_HEAD..).unwrap_or_default().to_vec(),
        })
    }

    fn volume(&self, number: u32) -> io::Result<Arc<Opened>> {
        let mut open = self.open();
        if let Some((_, volume)) = open.iter().find(|(of, _)| *of == number) {
            return Ok(volume.clone());
        }
        let path = path(&self.dir, number);
        let file = match File::open(&path) {
            // There are no descriptors left but those that we hold.
            Err(error) if !open.is_empty() && is_a_shortage(&error) => {
                open.clear();
                File::open(&path)
            }
            file => file,
        }?;
        let mut head = [0; HEAD];
        let (read, _) = blocks::fill(&mut head, 0, |to, at| file.read_at(to, at))?;
        let salt = volume::salt(&head[..read]);
        if open.len() >= OPEN_MAX {
            open.remove(0);
        }
        let volume = Arc::new(Opened { file, salt });
        // One whose head cannot be read is looked at again.
        if salt.is_some() {
            open.push((number, volume.clone()));
        }
        Ok(volume)
    }

    fn open(&self) -> MutexGuard<'_, Vec<(u32, Arc<Opened>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their numbers, the oldest first.
    pub fn numbers(&self) -> io::Result<Vec<u32>> {
        numbers(&self.dir)
    }

    /// Bytes that volume `number` takes.
    pub fn len(&self, number: u32) -> u64 {
        fs::metadata(path(&self.dir, number)).map_or(0, |file| file.len())
    }

    /// The records of volume `number`.
    pub fn records(&self, number: u32) -> io::Result<Records> {
        let file = self.opened(|| File::open(path(&self.dir, number)))?;
        Records::of(file, number)
    }

    /// Deletes volume `number`, to which nothing points any more.
    pub fn remove(&self, number: u32) -> io::Result<()> {
        fs::remove_file(path(&self.dir, number))?;
        // An open one takes its room until it is closed.
        self.open().retain(|(of, _)| *of != number);
        self.opened(|| File::open(self.dir.join(DIRECTORY)))?
            .sync_all()
    }

    /// Bytes that they take.
    pub fn used_bytes(&self) -> u64 {
        let numbers = numbers(&self.dir).unwrap_or_default().into_iter();
        let files = numbers.map(|number| fs::metadata(path(&self.dir, number)));
        files.flatten().map(|file| file.len()).sum()
    }
}

fn is_a_shortage(error: &io::Error) -> bool {
    let codes = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    codes
        .iter()
        .any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

#[cfg(test)]
mod tests;
