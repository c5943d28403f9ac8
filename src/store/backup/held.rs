//! What a directory in the making holds already. Pure but for reading it.

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::record::key;
use super::BackupError;
use super::piece::Have;
use crate::store::log::meta::Meta;
use crate::store::record::codec::{self, Kind};

/// Looks at what is there. The last frame of each kind is asked for once more: the parts of its
/// bodies, or its index, may not all have come.
pub fn held<B: Backend>(backend: &B) -> Result<Have, StoreError> {
    let Some(meta) = backend.get(key::META)? else {
        return Ok(Have::NOTHING);
    };
    let meta: Meta = codec::open(&meta, Kind::Meta)
        .and_then(|frame| frame.decode())
        .map_err(|error| error.into_store_error("the store's own description"))?;
    let last = |prefix: &[u8], greatest: Vec<u8>| -> Result<u64, StoreError> {
        let last = backend.last(prefix, &greatest)?;
        Ok(last.and_then(|(key, _)| key::number(&key, 1)).unwrap_or(1))
    };
    Ok(Have {
        tag: Some(meta.tag),
        events_from: last(b"e", key::events(u64::MAX))?,
        transitions_from: last(b"t", key::transitions(u64::MAX))?,
    })
}

impl Have {
    /// Whether the record with this key is there and was asked for once more; `None` if it is of no
    /// kind that a copy has.
    pub fn asks_again_for(&self, key: &[u8]) -> Option<bool> {
        let number = key::number(key, 1);
        match key.first()? {
            b'm' => Some(true),
            b'e' | b'b' => number.map(|seq| seq == self.events_from),
            b't' => number.map(|number| number == self.transitions_from),
            // The number of a base is given once, and a dead letter has nothing but its key.
            b'p' | b'x' => number.map(|_| false),
            _ => None,
        }
    }
}

/// A record that is there already must be the one that comes: else the store was put back to an
/// earlier state, and has gone another way since.
pub fn expect_same<B: Backend>(backend: &B, key: &[u8], value: &[u8]) -> Result<(), BackupError> {
    match backend.get(key)? {
        None => Ok(()),
        Some(held) if held == value => Ok(()),
        // Of a store of which something has expired since, its version alone is another one.
        Some(held) if key == key::META && held.get(1..) == value.get(1..) => Ok(()),
        Some(_) => {
            let number = key::number(key, 1).unwrap_or(0);
            let what = match key.first() {
                Some(b'e') => format!("another event {number}"),
                Some(b'b') => format!("another body of event {number}"),
                Some(b't') => format!("another frame of transitions {number}"),
                _ => "another description of itself".to_owned(),
            };
            Err(BackupError::Behind { what })
        }
    }
}
