//! Many records for a new database, written batch by batch.

use std::sync::Arc;

use crate::store::StoreError;
use crate::store::backend::Change;
use crate::store::disk::{BATCH_BYTES, BATCH_CHANGES, Disk};

/// Writes what is gathered, batch by batch.
pub(in crate::store) struct Batches {
    disk: Arc<Disk>,
    changes: Vec<Change>,
    bytes: usize,
}

impl Batches {
    pub(in crate::store) fn to(disk: Arc<Disk>) -> Self {
        Self {
            disk,
            changes: Vec::new(),
            bytes: 0,
        }
    }

    pub(in crate::store) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += key.len() + value.len();
        self.change(vec![Change::Put(key, value)])
    }

    pub(in crate::store) fn change(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.changes.extend(changes);
        if self.bytes < BATCH_BYTES && self.changes.len() < BATCH_CHANGES {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what is gathered: it can be read after this.
    pub(in crate::store) fn flush(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.disk.take_in(&std::mem::take(&mut self.changes))
    }

    /// Writes what is left.
    pub(in crate::store) fn end(self) -> Result<(), StoreError> {
        self.disk.take_in(&self.changes)
    }
}
