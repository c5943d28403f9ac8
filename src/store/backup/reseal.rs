//! A copy in which every endpoint's secrets are sealed with the present key, of whatever age the
//! record is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::backend::Change;
use super::BackupError;
use crate::store::maintain::base::Base;
use crate::store::record::codec::{self, Head, Kind};
use crate::store::sealing::kept::{self, KeptFrame};
use crate::store::sealing::keyring::Keyring;

/// The chain of the frames of transitions, which are other ones in the copy.
pub(super) struct Reseal {
    keys: Arc<Keyring>,
    previous: u32,
    /// Parts of bases by their number. They come before the frames.
    parts: BTreeMap<u64, Vec<Vec<u8>>>,
    base: Option<(u64, Base)>,
}

impl Reseal {
    pub fn with(keys: Arc<Keyring>) -> Self {
        Self {
            keys,
            previous: 0,
            parts: BTreeMap::new(),
            base: None,
        }
    }

    /// Takes a part of the base of this number.
    pub fn part_of_base(&mut self, number: u64, value: &[u8]) {
        self.parts.entry(number).or_default().push(value.to_owned());
    }

    /// The latest base that is whole, of the parts that came.
    fn put_base_together(&mut self) -> Result<(), BackupError> {
        while let Some((number, parts)) = self.parts.pop_last() {
            if let Some(base) = Base::decode(parts.into_iter().map(Cow::Owned))? {
                self.base = Some((number, base));
                self.parts.clear();
            }
        }
        Ok(())
    }

    /// The records of the base that stands in the copy; once every frame has come.
    pub fn base(&mut self) -> Result<Vec<Change>, BackupError> {
        self.put_base_together()?;
        let Some((number, base)) = self.base.take() else {
            return Ok(Vec::new());
        };
        let expired = base.expired;
        let snapshot = base.snapshot.map(|kept| kept.again(&self.keys));
        Ok(Base { snapshot, expired }.encode(number)?)
    }

    /// The frame that stands in the copy for this one.
    pub fn frame(&mut self, number: u64, value: &[u8]) -> Result<Vec<u8>, BackupError> {
        self.put_base_together()?;
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
        if let Some((_, base)) = &mut self.base
            && base.snapshot.next_frame == number + 1
        {
            base.snapshot.transitions_crc = crc;
        }
        Ok(bytes)
    }
}
