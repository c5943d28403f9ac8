//! Giving back the room of records that nothing points to any more.
//!
//! How much of each volume is pointed to is kept in sled, in the batch that changes it. A volume to
//! which nothing points is deleted. When all of them are twice as long as what is pointed to, and one
//! volume more, the one with the least of it is copied to the end of the last one, some records at a
//! time, and deleted when sled, synced, points to none of it: most records are about to expire
//! anyway, and are not worth copying. A crash at any moment leaves records twice, never
//! a location without its record.

use std::collections::{BTreeMap, BTreeSet};

use super::super::backend::Durability;
use super::super::error::StoreError;
use super::super::record::key;
use super::database::{ChangeRef, Database};
use super::guarded::guarded;
use super::location::Location;
use super::volume::RECORD_HEAD;
use super::volumes::VOLUME_BYTES;
use crate::store::record::codec::{self, Kind};

/// What is copied in one go: whoever takes in the journal waits for no more.
const COPY_BYTES: usize = 1 << 20;

/// How much of each volume is pointed to.
#[derive(Debug, Default)]
pub struct Live {
    bytes: BTreeMap<u32, u64>,
    /// Not all of it is in sled: the store was written by an earlier version.
    pub is_unwritten: bool,
    /// Volumes that cannot be emptied, for something in them cannot be read.
    stuck: BTreeSet<u32>,
}

fn live_key(volume: u32) -> Vec<u8> {
    [&b"v"[..], &volume.to_be_bytes()].concat()
}

pub(super) fn size(location: Location) -> u64 {
    RECORD_HEAD as u64 + u64::from(location.len)
}

impl Live {
    /// These records are pointed to now, and those are not.
    pub fn change(&mut self, added: &[Location], removed: &[Location]) -> BTreeSet<u32> {
        for location in added {
            *self.bytes.entry(location.volume).or_default() += size(*location);
        }
        for location in removed {
            let bytes = self.bytes.entry(location.volume).or_default();
            *bytes = bytes.saturating_sub(size(*location));
        }
        let touched = added.iter().chain(removed);
        touched.map(|location| location.volume).collect()
    }

    /// What sled is to hold of these volumes; of all of them, if it does not yet.
    pub fn entries(&mut self, touched: BTreeSet<u32>) -> Vec<(Vec<u8>, [u8; 8])> {
        let all = std::mem::take(&mut self.is_unwritten);
        let entries = self.bytes.iter();
        let entries = entries.filter(|(volume, _)| all || touched.contains(volume));
        let entry = |(volume, bytes): (&u32, &u64)| (live_key(*volume), bytes.to_be_bytes());
        entries.map(entry).collect()
    }

    /// Bytes in all volumes.
    pub fn total(&self) -> u64 {
        self.bytes.values().sum()
    }

    fn of(&self, volume: u32) -> u64 {
        self.bytes.get(&volume).copied().unwrap_or(0)
    }
}

impl Database {
    /// What sled says is pointed to; counted anew where it does not say so of every volume but the
    /// last, of which a crash may have left nothing but the file.
    pub(super) fn load_live(&self) -> Result<Live, StoreError> {
        let numbers = self.volumes.numbers();
        let numbers = numbers.map_err(|error| StoreError::Disk(format!("records: {error}")))?;
        let mut live = Live::default();
        for (entry, value) in self.raw(b"v")? {
            let volume = key::small_number(&entry, 1).filter(|number| numbers.contains(number));
            live.bytes.extend(volume.zip(key::number(&value, 0)));
        }
        let is_known = |number: &u32| live.bytes.contains_key(number);
        if !numbers.iter().rev().skip(1).all(is_known) {
            live.bytes = numbers.iter().map(|number| (*number, 0)).collect();
            let locations = guarded("counting", || {
                let values = self.db.iter().values();
                let locations = values.filter_map(|value| match value {
                    Ok(value) => Location::decode(&value).map(Ok),
                    Err(error) => Some(Err(error)),
                });
                locations.collect::<Result<Vec<_>, _>>()
            });
            let locations = locations.map_err(|fault| StoreError::Read(fault.words))?;
            live.change(&locations, &[]);
            live.is_unwritten = true;
        }
        Ok(live)
    }

    /// Where the value at `key` lies, if it is in a volume.
    pub(super) fn location(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        let held = guarded("reading", || self.db.get(key));
        let held = held.map_err(|fault| StoreError::Stopped(fault.words))?;
        Ok(held.and_then(|held| Location::decode(&held)))
    }

    /// Empties and deletes volumes of which little is pointed to; says how many bytes it copied.
    pub fn reclaim(&self, stop: &dyn Fn() -> bool) -> Result<u64, StoreError> {
        let failed = |error| StoreError::Stopped(format!("records: {error}"));
        let mut copied = 0;
        let mut numbers = self.volumes.numbers().map_err(failed)?;
        // The last one is being written.
        numbers.pop();
        numbers.retain(|number| !self.live().stuck.contains(number));
        // In thousandths, the emptiest first; but those that are empty before one that is nearly so,
        // which may be there to stay.
        let share = |number: &u32| {
            let live = self.live().of(*number);
            (live > 0, 1000 * live / self.volumes.len(*number).max(1))
        };
        numbers.sort_by_key(share);
        for number in numbers {
            let live = self.live().of(number);
            let is_too_much = self.log_bytes() > 2 * self.live_bytes() + VOLUME_BYTES;
            if (live > 0 && !is_too_much) || stop() {
                break;
            }
            // Looked through even where nothing is counted: a count that is wrong must cost nothing.
            match self.copy_what_is_live(number, stop)? {
                Some(bytes) => copied += bytes,
                None => continue,
            }
            self.volumes.remove(number).map_err(failed)?;
            self.live().bytes.remove(&number);
            let change: [ChangeRef<'_>; 1] = [(&live_key(number), None)];
            self.write(change.into_iter(), Durability::Process)?;
        }
        Ok(copied)
    }

    /// Copies every record of the volume that is pointed to; none if not all of them can be.
    fn copy_what_is_live(
        &self,
        number: u32,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<u64>, StoreError> {
        let failed = |error| StoreError::Stopped(format!("records: {error}"));
        let mut records = self.volumes.records(number).map_err(failed)?;
        let (mut copied, mut all_known) = (0, true);
        loop {
            if stop() {
                return Ok(None);
            }
            let mut found = Vec::new();
            let mut bytes = 0;
            while bytes < COPY_BYTES
                && let Some((location, value)) = records.next().transpose().map_err(failed)?
            {
                if let Some(key) = key_of(&value) {
                    bytes += value.len();
                    found.push((key, value, location));
                } else {
                    all_known = false;
                }
            }
            if found.is_empty() {
                break;
            }
            copied += self.copy(found)?;
        }
        // What sled pointed to without its being counted is not there any more.
        if (all_known && records.all_were_whole()) || self.live().of(number) == 0 {
            return Ok(Some(copied));
        }
        tracing::warn!(
            volume = number,
            "a file of records cannot be emptied, for some of them cannot be read; `redeliver store verify` names them"
        );
        self.live().stuck.insert(number);
        Ok(None)
    }

    fn copy(&self, found: Vec<(Vec<u8>, Vec<u8>, Location)>) -> Result<u64, StoreError> {
        let _turn = self.taking();
        let mut wanted = Vec::new();
        for (key, value, location) in &found {
            if self.location(key)? == Some(*location) {
                wanted.push((key.as_slice(), Some(value.as_slice())));
            }
        }
        let lens = wanted.iter().filter_map(|(_, value)| *value);
        let bytes = lens.map(|value| value.len() as u64).sum();
        self.take_in_turn(wanted)?;
        Ok(bytes)
    }
}

/// The key at which a value of ours lies, as it says itself.
fn key_of(value: &[u8]) -> Option<Vec<u8>> {
    let (first, count) = codec::claims(value)?;
    let is = |kind: Kind| value.get(1) == Some(&(kind as u8));
    match () {
        () if is(Kind::Events) => Some(key::events(first)),
        () if is(Kind::Transitions) => Some(key::transitions(first)),
        () if is(Kind::Chunk) => Some(key::chunk(first, count)),
        () if is(Kind::BasePart) => Some(key::base(first, count)),
        () if is(Kind::Meta) => Some(key::META.to_vec()),
        () => None,
    }
}
