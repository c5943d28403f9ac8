//! What a store is: written once, when it is made.

use serde::{Deserialize, Serialize};

use crate::clock::{SharedClock, Timestamp};
use crate::store::StoreError;
use crate::store::backend::{Backend, Change, Durability};
use crate::store::log::Log;
use crate::store::record::codec::{self, FIRST_VERSION, Head, Kind};
use crate::store::record::key;

/// What the store is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Tells this store's event ids from another's.
    pub tag: u32,
    /// Keys the hashes of the duplicate index, so that nobody can make two keys collide.
    pub dedupe_secret: [u64; 2],
    /// When the store was made.
    pub created_at: Timestamp,
}

impl Meta {
    /// The record of it, of the latest version of anything in the store that an earlier program would
    /// take for damage.
    pub fn record(&self, version: u8) -> Result<Change, StoreError> {
        let head = Head {
            kind: Kind::Meta,
            previous: 0,
            first: 0,
            count: 1,
        };
        let encoded = codec::encode(head, self);
        let (mut bytes, _) =
            encoded.map_err(|error| error.into_store_error("the store's own description"))?;
        // Not under the checksum, which is of what the head says behind it.
        bytes[0] = version;
        Ok(Change::Put(key::META.to_vec(), bytes))
    }
}

/// Reads what the store is, or makes it a store, if it `is_new`.
pub(in crate::store) fn read_or_make<B: Backend>(
    backend: &B,
    clock: &SharedClock,
    entropy: [u64; 3],
    is_new: bool,
) -> Result<Meta, StoreError> {
    let what = "the store's own description";
    if let Some(bytes) = backend.get(key::META)? {
        return codec::open(&bytes, Kind::Meta)
            .and_then(|frame| frame.decode())
            .map_err(|error| error.into_store_error(what));
    }
    if !is_new || backend.last(b"", &[u8::MAX])?.is_some() {
        return Err(StoreError::Corrupt(format!("{what} is missing")));
    }
    let meta = Meta {
        tag: (entropy[0] >> 32) as u32,
        dedupe_secret: [entropy[1], entropy[2]],
        created_at: clock.now(),
    };
    backend.write(vec![meta.record(FIRST_VERSION)?], Durability::Disk)?;
    // Nothing else is told about so rarely: it is in the database from the start.
    backend.checkpoint()?;
    Ok(meta)
}

impl<B: Backend> Log<B> {
    /// The version of the store as a whole: no program opens it that does not know it.
    pub(in crate::store) fn version(&self) -> Result<u8, StoreError> {
        let held = self.backend.get(key::META)?;
        Ok(held.and_then(|held| held.first().copied()).unwrap_or(0))
    }

    /// What has to be written so that no program opens the store that does not know `version`, if
    /// that is not so yet.
    pub(in crate::store) fn raised_to(&self, version: u8) -> Result<Option<Change>, StoreError> {
        let is_lower = self.version()? < version;
        is_lower.then(|| self.meta.record(version)).transpose()
    }
}
