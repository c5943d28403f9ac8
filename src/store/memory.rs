//! The in-memory backend: what a disk promises, without one, and with crashes on request.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::backend::{Backend, Change, Durability, Entry};
use super::error::StoreError;

/// Keeps everything in memory. What a crash leaves is another one: see
/// [`Memory::after_kill`] and [`Memory::after_power_cut`].
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    map: BTreeMap<Vec<u8>, Vec<u8>>,
    durable: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The batches that are in `map` and not yet in `durable`, in their order.
    unsynced: Vec<Vec<Change>>,
    fail_writes_after: Option<u64>,
    free_bytes: Option<u64>,
}

impl Memory {
    /// A backend that holds what had reached the disk of `self`: a power cut and a start.
    pub fn after_power_cut(&self) -> Self {
        self.after_power_cut_keeping(0)
    }

    /// As [`after_power_cut`](Self::after_power_cut), but the disk had got round to the first
    /// `batches` of those that nobody had asked it to sync.
    pub fn after_power_cut_keeping(&self, batches: usize) -> Self {
        let inner = self.lock();
        let mut durable = inner.durable.clone();
        for change in inner.unsynced.iter().take(batches).flatten() {
            change.clone().apply(&mut durable);
        }
        Self::holding(durable)
    }

    /// How many batches a power cut would take.
    pub fn unsynced_batches(&self) -> usize {
        self.lock().unsynced.len()
    }

    /// A backend that holds all that `self` had written: a kill and a start.
    pub fn after_kill(&self) -> Self {
        let map = self.lock().map.clone();
        Self::holding(map)
    }

    /// A backend that holds `map`, all of it as if on disk.
    pub fn holding(map: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                durable: map.clone(),
                map,
                ..Inner::default()
            }),
        }
    }

    /// Lets `writes` more writes through and fails the ones after them, as a dying disk does.
    pub fn fail_writes_after(&self, writes: u64) {
        self.lock().fail_writes_after = Some(writes);
    }

    /// Pretends that this much disk is left.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.lock().free_bytes = Some(bytes);
    }

    /// Sets a key behind the log's back, as damage does.
    pub fn damage(&self, key: &[u8], value: Option<Vec<u8>>) {
        let change = match value {
            Some(value) => Change::Put(key.to_vec(), value),
            None => Change::Delete(key.to_vec()),
        };
        let mut inner = self.lock();
        change.clone().apply(&mut inner.map);
        change.apply(&mut inner.durable);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        let mut inner = self.lock();
        match &mut inner.fail_writes_after {
            Some(0) => return Err(StoreError::Stopped("no space left on device".to_owned())),
            Some(left) => *left -= 1,
            None => {}
        }
        for change in &changes {
            change.clone().apply(&mut inner.map);
        }
        inner.unsynced.push(changes);
        if durability == Durability::Disk {
            for change in std::mem::take(&mut inner.unsynced).into_iter().flatten() {
                change.apply(&mut inner.durable);
            }
        }
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().map.get(key).cloned())
    }

    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let inner = self.lock();
        let found = inner.map.range(..=key.to_vec()).next_back();
        Ok(found
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone())))
    }

    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let inner = self.lock();
        Ok(inner
            .map
            .range(key.to_vec()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let inner = self.lock();
        Ok(inner
            .map
            .range(..key.to_vec())
            .rev()
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn used_bytes(&self) -> u64 {
        let inner = self.lock();
        inner.map.values().map(|value| value.len() as u64).sum()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.lock().free_bytes
    }
}

impl Change {
    fn apply(self, map: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
        match self {
            Self::Put(key, value) => map.insert(key, value),
            Self::Delete(key) => map.remove(&key),
        };
    }
}
