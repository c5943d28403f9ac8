//! The journal: every write, synced once, before the database has it.
//!
//! sled makes a group durable with two writes and wakes all of its threads for each; a file that is
//! written over and over again needs one write and changes nothing of its own description. So a
//! group is answered for when it is here, and sled gets hundreds of them in one batch.
//!
//! Two files take turns. Each turn is a *generation*: while one is written, the database takes in
//! the one before it. Every file begins with a page that holds the store's salt, by which entries
//! are known from bytes that a sender chose; each entry begins on a page of its own, so that no
//! write ever touches what was answered for.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::backend::{Change, Durability};
use super::entry::{self, Place};
use crate::store::files::private;

/// An entry begins at a multiple of this.
pub const PAGE: usize = 4096;

/// A file grows by so many zeros at a time: writing over what is there is what makes the sync cheap.
const GROWTH: usize = 1 << 20;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The file of a generation.
pub fn path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("journal-{}", generation % 2))
}

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    files: [File; 2],
    /// How far each file was written, be it with zeros.
    grown: [u64; 2],
    salt: u64,
    at: u64,
    /// Of the entry that comes next.
    place: Place,
    /// The CRC of the last entry.
    crc: u32,
    /// What the last sync of an entry promised about the oldest generation.
    noted: u64,
    bytes: Vec<u8>,
}

impl Journal {
    /// Begins with this generation. Nothing that is in the files is wanted any more.
    pub fn begin(dir: &Path, generation: u64, salt: u64) -> io::Result<Self> {
        let open = |generation| private::options().open(path(dir, generation));
        let files = [open(0)?, open(1)?];
        let head = entry::encode_head(salt);
        for file in &files {
            file.set_len(0)?;
            file.write_all_at(&head, 0)?;
            file.sync_all()?;
        }
        File::open(dir)?.sync_all()?;
        Ok(Self {
            files,
            grown: [PAGE as u64; 2],
            salt,
            at: PAGE as u64,
            place: Place {
                generation,
                number: 0,
                synced: 0,
                oldest: generation,
            },
            crc: 0,
            noted: generation,
            bytes: Vec::new(),
        })
    }

    /// Writes `changes` behind everything else.
    pub fn append(&mut self, changes: &[Change], durability: Durability) -> io::Result<()> {
        if !changes.is_empty() {
            self.write(changes)?;
        }
        match durability {
            Durability::Disk => self.sync(),
            Durability::Process => Ok(()),
        }
    }

    fn write(&mut self, changes: &[Change]) -> io::Result<()> {
        self.bytes.clear();
        let crc = entry::encode(&mut self.bytes, self.salt, self.place, self.crc, changes)
            .map_err(io::Error::other)?;
        let slot = self.slot();
        let end = self.at + self.bytes.len() as u64;
        while self.grown[slot] < end {
            self.grow(slot)?;
        }
        self.files[slot].write_all_at(&self.bytes, self.at)?;
        (self.at, self.crc) = (end, crc);
        self.place.number += 1;
        Ok(())
    }

    fn grow(&mut self, slot: usize) -> io::Result<()> {
        for _ in 0..GROWTH / ZEROS.len() {
            self.files[slot].write_all_at(&ZEROS, self.grown[slot])?;
            self.grown[slot] += ZEROS.len() as u64;
        }
        Ok(())
    }

    /// Everything that was written is safe from a power cut.
    fn sync(&mut self) -> io::Result<()> {
        if self.place.synced < self.place.number {
            self.files[self.slot()].sync_data()?;
            self.place.synced = self.place.number;
            self.noted = self.place.oldest;
        }
        Ok(())
    }

    /// Whether the present generation has come to its end; an empty one never has.
    pub fn is_full(&self, bytes_max: u64) -> bool {
        self.place.number > 0 && self.at >= bytes_max
    }

    /// The generation that is being written.
    pub fn generation(&self) -> u64 {
        self.place.generation
    }

    /// The database has everything of earlier generations.
    pub fn release(&mut self) {
        self.place.oldest = self.place.generation;
    }

    /// Goes on with the next generation, over the one before this one, which was released.
    pub fn turn(&mut self) -> io::Result<()> {
        if self.noted < self.place.generation {
            // Or a crash could not tell what is written over from what is damaged.
            self.write(&[])?;
        }
        self.sync()?;
        self.place.generation += 1;
        self.place.number = 0;
        self.place.synced = 0;
        self.at = PAGE as u64;
        Ok(())
    }

    fn slot(&self) -> usize {
        (self.place.generation % 2) as usize
    }
}

/// Takes the files away, the one that was written last at last: its entries come after the others'
/// and may take back what those did.
pub fn remove(dir: &Path, last_generation: u64) -> io::Result<()> {
    for generation in [last_generation + 1, last_generation] {
        match fs::remove_file(path(dir, generation)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => File::open(dir)?.sync_all()?,
        }
    }
    Ok(())
}

/// How long the files are.
pub fn used_bytes(dir: &Path) -> u64 {
    let files = [0, 1].map(|generation| fs::metadata(path(dir, generation)));
    files.iter().flatten().map(fs::Metadata::len).sum()
}

/// Syncs what another process wrote.
pub fn sync(dir: &Path) -> io::Result<()> {
    for generation in [0, 1] {
        match File::open(path(dir, generation)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
