//! A directory in the making.
//!
//! It is written as `DIR.partial`, read back record by record, and only then given its name: what
//! is called `DIR` is a whole backup. What an interrupted backup left behind is gone on with.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::super::backend::{Backend, Change};
use super::super::disk::{Disk, Settings, free_bytes, make_volumes};
use super::super::record::key;
use super::super::verify::verify;
use super::super::{Report, StoreError};
use super::files::{mark, of_the_copy, sync_all, sync_parent};
use super::held::{expect_same, held};
use super::piece::{Have, Piece, Place, Point};
use super::reseal::Reseal;
use super::{BackupError, dead};
use crate::id::Seq;
use crate::store::commit::write::index;
use crate::store::files::high_water::{HighWater, Mark};
use crate::store::files::lock::Lock;
use crate::store::record::codec::{self, Blob, Kind};
use crate::store::salvage::batches::Batches;
use crate::store::sealing::kept;
use crate::store::sealing::keyring::Keyring;

/// A directory in the making.
pub struct Target {
    dir: PathBuf,
    partial: PathBuf,
    cache_bytes: u64,
    disk: Arc<Disk>,
    batches: Batches,
    have: Have,
    place: Place,
    point: Option<Point>,
    records: u64,
    store_bytes: u64,
    is_whole: bool,
    /// Dead letters that came by their keys, where an earlier part is gone on with.
    dead: Option<BTreeSet<(u32, Seq)>>,
    reseal: Option<Reseal>,
}

/// What a finished backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Where it is.
    pub dir: PathBuf,
    /// What was read back; its last position is that of the newest event in it.
    #[serde(flatten)]
    pub report: Report,
}

impl Target {
    /// A backup that is to be `dir`. `salt` is what no sender can guess.
    ///
    /// # Errors
    /// [`BackupError::NotEmpty`] if there is something at `dir`; those of opening a store if what
    /// an earlier backup left beside it cannot be gone on with.
    pub fn begin(dir: &Path, cache_bytes: u64, salt: u64) -> Result<Self, BackupError> {
        let of_dir = |error: io::Error| StoreError::of_file(dir, &error);
        let is_empty = match fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(of_dir(error).into()),
        };
        if !is_empty {
            return Err(BackupError::NotEmpty(dir.to_owned()));
        }
        let no_name = || BackupError::NoName(dir.to_owned());
        let mut name = dir.file_name().ok_or_else(no_name)?.to_owned();
        name.push(".partial");
        let partial = dir.with_file_name(name);
        let open = || {
            let lock = Lock::take(&partial)?;
            let settings = Settings {
                cache_bytes,
                journal_bytes: 0,
                salt,
            };
            let disk = Arc::new(Disk::open_locked(&partial, settings, lock)?);
            make_volumes(&partial).map_err(|error| StoreError::of_file(&partial, &error))?;
            held(&*disk).map(|have| (disk, have))
        };
        let opened = open().map_err(|error| of_the_copy(&partial, error.into()));
        let (disk, have) = opened?;
        Ok(Self {
            dir: dir.to_owned(),
            have,
            dead: (have != Have::NOTHING).then(BTreeSet::new),
            partial,
            cache_bytes,
            batches: Batches::to(disk.clone()),
            disk,
            place: Place::default(),
            point: None,
            records: 0,
            store_bytes: 0,
            is_whole: false,
            reseal: None,
        })
    }

    /// With every endpoint's secrets sealed by the present one of `keys`.
    ///
    /// # Errors
    /// [`BackupError::NotEmpty`] if a part is there: it is of another sealing.
    pub fn sealed_with(self, keys: Arc<Keyring>) -> Result<Self, BackupError> {
        if self.have != Have::NOTHING {
            return Err(BackupError::NotEmpty(self.partial));
        }
        Ok(Self {
            reseal: Some(Reseal::with(keys)),
            ..self
        })
    }

    /// What is there already, and need not come again.
    pub fn have(&self) -> Have {
        self.have
    }

    /// Where it is written.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// About how many bytes the store that is copied takes on its own disk; 0 until that is known.
    pub fn store_bytes(&self) -> u64 {
        self.store_bytes
    }

    /// There will be no copy. What came stays, to be gone on with; where nothing came, nothing stays.
    pub fn give_up(self) {
        let has_nothing = self.records == 0 && self.have == Have::NOTHING;
        let Self {
            partial,
            disk,
            batches,
            ..
        } = self;
        drop((batches, disk));
        if has_nothing {
            // An empty directory that stays is no harm.
            let _ = fs::remove_dir_all(partial);
        }
    }

    /// Takes the next piece, without its length.
    ///
    /// # Errors
    /// [`BackupError::Broken`] if it is not the piece that comes here, or `bytes` were changed on
    /// their way; [`BackupError::Behind`] if the store is not the one that the earlier pieces are
    /// of; [`BackupError::NoRoom`], or [`BackupError::Store`] if the disk does not take it.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let taken = self.take_piece(bytes);
        taken.map_err(|error| of_the_copy(&self.partial, error))
    }

    fn take_piece(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        match self.place.decode(bytes)? {
            Piece::Begin { point, store_bytes } => self.begin_at(point, store_bytes),
            Piece::Records(records) => {
                self.records += records.len() as u64;
                for (Blob(key), Blob(value)) in records {
                    self.record(key, value)?;
                }
                Ok(())
            }
            Piece::End { records } if records == self.records => {
                if let Some(reseal) = &mut self.reseal {
                    self.batches.change(reseal.base()?)?;
                }
                self.batches.flush()?;
                let delete = |changes: &[Change]| self.disk.take_in(changes);
                dead::tidy(&*self.disk, self.dead.as_ref(), delete)?;
                self.is_whole = true;
                Ok(())
            }
            Piece::Failed(what) => Err(BackupError::Refused(what)),
            Piece::End { records } => Err(BackupError::broken(format!(
                "{} of {records} records came",
                self.records
            ))),
        }
    }

    fn begin_at(&mut self, point: Point, store_bytes: u64) -> Result<(), BackupError> {
        if self.have.tag.is_some_and(|tag| tag != point.tag) {
            return Err(BackupError::OtherStore);
        }
        self.point = Some(point);
        self.store_bytes = store_bytes;
        let there = self.disk.used_bytes();
        let free = free_bytes(&self.partial);
        match free.filter(|free| free.saturating_add(there) < store_bytes) {
            Some(free) => Err(BackupError::NoRoom {
                path: self.partial.clone(),
                cause: format!("the store takes {store_bytes} bytes, and {free} bytes are free"),
            }),
            None => Ok(()),
        }
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), BackupError> {
        let number = key::number(key, 1);
        let is_joint = self.have.asks_again_for(key);
        let is_joint = is_joint
            .ok_or_else(|| BackupError::broken("a record that this version does not know"))?;
        if is_joint && self.reseal.is_none() {
            expect_same(&*self.disk, key, value)?;
        }
        if let (Some(b'p'), Some(number), Some(reseal)) = (key.first(), number, &mut self.reseal) {
            reseal.part_of_base(number, value);
            return Ok(());
        }
        if let Some(dead) = self.dead.as_mut().filter(|_| key.first() == Some(&b'x')) {
            dead.extend(dead::of_key(key));
        }
        let mut value = value.to_owned();
        if let (Some(b't'), Some(number), Some(reseal)) = (key.first(), number, &mut self.reseal) {
            value = reseal.frame(number, &value)?;
        }
        self.batches.put(key.to_owned(), value.clone())?;
        if let (Some(b't'), Some(number)) = (key.first(), number) {
            let what = || format!("frame of transitions {number}");
            let body = codec::open(&value, Kind::Transitions)
                .and_then(|frame| kept::read(&frame))
                .map_err(|error| error.into_store_error(&what()))?;
            self.batches.change(index(number, &body.transitions))?;
        }
        Ok(())
    }

    /// Reads every record back, and gives the directory its name.
    ///
    /// # Errors
    /// [`BackupError::Broken`] if the last piece has not come; [`BackupError::Unverified`] if what
    /// was written is not read back; [`BackupError::NoRoom`] and those of the disk.
    pub fn finish(self) -> Result<Summary, BackupError> {
        let partial = self.partial.clone();
        let finished = self.end();
        finished.map_err(|error| of_the_copy(&partial, error))
    }

    fn end(mut self) -> Result<Summary, BackupError> {
        let Some(point) = self.point.filter(|_| self.is_whole) else {
            // What came need not come again.
            self.batches.flush()?;
            return Err(BackupError::broken("it ended before its end"));
        };
        let Self {
            dir,
            partial,
            cache_bytes,
            disk,
            batches,
            ..
        } = self;
        let of_partial = |error: io::Error| StoreError::of_file(&partial, &error);
        let written = batches.end();
        // The last handle but ours is gone; ours closes the database.
        drop(disk);
        written?;
        let (high_water, _) = HighWater::open(&partial.join("high-water"))?;
        high_water.write(Mark {
            next_seq: point.next_seq,
            next_frame: point.next_frame,
        })?;
        high_water.sync()?;
        drop(high_water);
        let report = verify(&partial, cache_bytes)?;
        let unverified = |what: String| BackupError::Unverified {
            path: partial.clone(),
            what,
        };
        if let Some(finding) = report.findings.first() {
            return Err(unverified(finding.what.clone()));
        }
        if report.last_seq + 1 != point.next_seq {
            return Err(unverified(format!(
                "it ends with event {}",
                report.last_seq
            )));
        }
        mark(&partial)
            .and_then(|()| sync_all(&partial))
            .map_err(of_partial)?;
        fs::rename(&partial, &dir).map_err(of_partial)?;
        sync_parent(&dir)?;
        Ok(Summary { dir, report })
    }
}
