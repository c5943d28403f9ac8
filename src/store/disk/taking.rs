//! Taking records in and out: to the volumes and back, with only their locations in sled.

use std::sync::{MutexGuard, PoisonError};

use super::super::backend::Durability;
use super::super::error::StoreError;
use super::database::{ChangeRef, Database};
use super::location::{LOCATION_BYTES, Location};
use super::reclaim::{Live, size};

impl Database {
    /// As [`Database::write`], with the records among the values in volumes, and synced.
    pub fn take_in<'a>(
        &self,
        changes: impl Iterator<Item = ChangeRef<'a>>,
    ) -> Result<(), StoreError> {
        let _turn = self.taking();
        self.take_in_turn(changes.collect())
    }

    /// [`Database::take_in`], by whoever has the turn.
    pub(super) fn take_in_turn(&self, changes: Vec<ChangeRef<'_>>) -> Result<(), StoreError> {
        let values = changes.iter().filter_map(|(_, value)| *value);
        let records: Vec<&[u8]> = values.filter(|value| Location::is_for(value)).collect();
        let locations = match records.is_empty() {
            true => Vec::new(),
            false => {
                let appended = self.volumes.append(records.into_iter());
                appended.map_err(|error| StoreError::Stopped(format!("records: {error}")))?
            }
        };
        let mut left = Vec::new();
        for (key, value) in &changes {
            if value.is_none_or(Location::is_for) {
                left.extend(self.location(key)?);
            }
        }
        let live = {
            let mut live = self.live();
            let touched = live.change(&locations, &left);
            live.entries(touched)
        };
        let locations: Vec<_> = locations.into_iter().map(Location::encode).collect();
        let mut locations = locations.iter();
        let held = changes.iter().map(|(key, value)| {
            let held = |value| match Location::is_for(value) {
                true => locations.next().map(<[u8; LOCATION_BYTES]>::as_slice),
                false => Some(value),
            };
            (*key, value.and_then(held))
        });
        let live = live.iter().map(|(key, bytes)| (&**key, Some(&bytes[..])));
        self.write(held.chain(live), Durability::Disk)
    }

    /// As [`Database::write`], with every value in sled; what pointed into a volume does no more.
    pub fn write_straight<'a>(
        &self,
        changes: impl Iterator<Item = ChangeRef<'a>>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let _turn = self.taking();
        let changes: Vec<_> = changes.collect();
        let mut left = Vec::new();
        for (key, _) in &changes {
            left.extend(self.location(key)?);
        }
        let live = {
            let mut live = self.live();
            let touched = live.change(&[], &left);
            match left.is_empty() {
                true => Vec::new(),
                false => live.entries(touched),
            }
        };
        let live = live.iter().map(|(key, bytes)| (&**key, Some(&bytes[..])));
        self.write(changes.iter().copied().chain(live), durability)
    }

    /// Bytes of the records in volumes that lie at these keys.
    pub fn bytes_at(&self, keys: Vec<Vec<u8>>) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for key in keys {
            bytes += self.location(&key)?.map_or(0, size);
        }
        Ok(bytes)
    }

    /// The value of `key`, which was said to lie at `location`; none if it has been taken out since.
    pub(super) fn record(
        &self,
        key: &[u8],
        mut location: Location,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        loop {
            let read = || {
                let record = self.volumes.read(location);
                record.map_err(|error| StoreError::Disk(format!("records: {error}")))
            };
            let mut record = read()?;
            if !record.is_readable {
                // A disk that cannot be read for once is no reason to look elsewhere.
                record = read()?;
            }
            if record.is_whole {
                return Ok(Some(record.value));
            }
            // It may have been moved, and its volume deleted.
            match self.location(key)? {
                Some(moved) if moved != location => location = moved,
                Some(_) => {
                    self.note_that_it_is_unreadable();
                    return Ok(Some(record.value));
                }
                None => return Ok(None),
            }
        }
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        // Nothing under it panics halfway through a change.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn taking(&self) -> MutexGuard<'_, ()> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of the volumes that are pointed to.
    pub fn live_bytes(&self) -> u64 {
        self.live().total()
    }
}
