//! A copy in which every endpoint's secrets are sealed with the present key, of whatever age the
//! record is.

use std::sync::Arc;

use super::super::codec::{self, Head, Kind};
use super::super::kept::{self, KeptFrame};
use super::super::keyring::Keyring;
use super::BackupError;

/// The chain of the frames of transitions, which are other ones in the copy.
pub(super) struct Reseal {
    keys: Arc<Keyring>,
    previous: u32,
}

impl Reseal {
    pub fn with(keys: Arc<Keyring>) -> Self {
        Self { keys, previous: 0 }
    }

    /// The frame that stands in the copy for this one.
    pub fn frame(&mut self, number: u64, value: &[u8]) -> Result<Vec<u8>, BackupError> {
        let what = || format!("frame of transitions {number}");
        let read = codec::open(value, Kind::Transitions).and_then(|frame| kept::read(&frame));
        let body = read.map_err(|error| error.into_store_error(&what()))?;
        let head = Head {
            kind: Kind::Transitions,
            previous: self.previous,
            first: number,
            count: body.transitions.len() as u32,
        };
        let transitions = body.transitions.into_iter();
        let body = KeptFrame {
            as_of: body.as_of,
            transitions: transitions
                .map(|transition| transition.map(|kept| kept.again(&self.keys)))
                .collect(),
        };
        let (bytes, crc) =
            kept::write_again(head, &body).map_err(|error| error.into_store_error(&what()))?;
        self.previous = crc;
        Ok(bytes)
    }
}
