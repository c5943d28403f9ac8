//! The seam between the log and what keeps its bytes: a few small methods, so that every fault
//! test is one more implementation of it.

use super::Space;
use super::error::StoreError;

/// One change of an atomic batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Takes a key out.
    Delete(Vec<u8>),
}

impl Change {
    /// The key.
    pub fn into_key(self) -> Vec<u8> {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }

    /// The value, if it sets one; otherwise nothing.
    pub fn into_value(self) -> Vec<u8> {
        match self {
            Self::Put(_, value) => value,
            Self::Delete(_) => Vec::new(),
        }
    }

    /// The key, and its value, if it is not taken out.
    pub fn as_ref(&self) -> (&[u8], Option<&[u8]>) {
        match self {
            Self::Put(key, value) => (key, Some(value)),
            Self::Delete(key) => (key, None),
        }
    }
}

/// How safe a batch must be when `write` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives the death of the process.
    Process,
    /// Survives a power cut.
    Disk,
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// An ordered map of bytes with atomic, durable batches.
pub trait Backend: Send + Sync + 'static {
    /// Applies all of `changes` or, after a crash, none. `Ok` means that they are as safe as
    /// `durability` says; an error means that nobody knows, and nothing may be written again.
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError>;

    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The greatest key at or below `key` that starts with `prefix`, and its value.
    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// Up to `limit` entries whose keys start with `prefix`, from `key` on, in order.
    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Up to `limit` entries whose keys start with `prefix`, below `key`, greatest first.
    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Makes everything that a write will need: what is missing shows now and not at the first one.
    fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Brings everything to where it is to stay, so that the next start finds nothing to be done.
    fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Bytes that the store takes.
    fn used_bytes(&self) -> u64;

    /// What its files take, and what of it is still wanted.
    fn space(&self) -> Space {
        let bytes = self.used_bytes();
        Space {
            used_bytes: bytes,
            log_bytes: bytes,
            live_bytes: bytes,
        }
    }

    /// Bytes that [`Space::live_bytes`] counts although their records are deleted: what counts has
    /// not seen that yet.
    fn doomed_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Gives room back that deleted records take, until `stop`; says how many bytes it copied. Others
    /// may read and write meanwhile.
    fn reclaim(&self, _stop: &dyn Fn() -> bool) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Bytes left on the disk, where that is known. Asked for once a group.
    fn free_bytes(&self) -> Option<u64>;
}
