//! The base: the projections as records of the database, from which a start goes on once the
//! records before it have expired.
//!
//! A snapshot is a cache; a base is a truth. It is cut into parts, written under a number of its
//! own and synced before anything is deleted that it stands for, and the one before it goes only
//! after that. So at every moment there is one that is whole, and everything behind it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::expired::{self, Expired};
use crate::store::StoreError;
use crate::store::backend::{Backend, Change, Durability};
use crate::store::files::high_water::Mark;
use crate::store::log::Log;
use crate::store::opening::snapshot::KeptSnapshot;
use crate::store::projection::blockset::BlockSet;
use crate::store::record::codec::{self, Blob, EXPIRING_VERSION, Head, Kind, THINNED_VERSION};
use crate::store::record::{MAX_INLINE_BODY_BYTES, key};

/// Parts in one batch: what a writer of events may have to wait for.
const PARTS_PER_WRITE: usize = 32;

/// The projections, and what has expired before them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Base {
    /// The projections, with endpoints as they are kept. Frames of events and transitions behind it are all there.
    pub snapshot: KeptSnapshot,
    /// What is not there any more, or may go.
    pub expired: Expired,
    /// Of the events that have expired, those whose records may be there still; none in a base that
    /// does not know.
    pub fresh: Option<BlockSet>,
    /// Whether the dead letters of which no attempt is kept are in `expired`.
    pub names_dead: bool,
}

/// As version 3 has it.
#[derive(Serialize, Deserialize)]
struct Version3 {
    snapshot: KeptSnapshot,
    expired: expired::Version3,
}

/// A part of a base, as it lies in its frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part<'a> {
    /// How many parts there are.
    pub parts: u32,
    /// Its bytes.
    #[serde(borrow)]
    pub bytes: Blob<'a>,
}

impl Base {
    /// The records of the base numbered `number`.
    pub fn encode(&self, number: u64) -> Result<Vec<Change>, StoreError> {
        let unencodable = |error: codec::FrameError| error.into_store_error("the base");
        let head = |kind, previous, count| Head {
            kind,
            previous,
            first: number,
            count,
        };
        let bytes = self.bytes(head(Kind::Base, 0, 1)).map_err(unencodable)?;
        let pieces = bytes.chunks(MAX_INLINE_BODY_BYTES);
        let (mut changes, mut previous) = (Vec::new(), 0);
        let parts = pieces.len() as u32;
        for (place, piece) in (0..).zip(pieces) {
            let part = Part {
                parts,
                bytes: Blob(piece),
            };
            let head = head(Kind::BasePart, previous, place);
            let (bytes, crc) = codec::encode(head, &part).map_err(unencodable)?;
            previous = crc;
            changes.push(Change::Put(key::base(number, place), bytes));
        }
        Ok(changes)
    }

    fn bytes(&self, head: Head) -> Result<Vec<u8>, codec::FrameError> {
        let encoded = match self.expired.to_version_3() {
            Some(expired) => codec::encode(head, &(&self.snapshot, expired)),
            None => codec::encode_as(THINNED_VERSION, head, self),
        };
        encoded.map(|(bytes, _)| bytes)
    }

    /// The version of a store that has this base.
    pub fn version(&self) -> u8 {
        match self.expired.to_version_3() {
            Some(_) => EXPIRING_VERSION,
            None => THINNED_VERSION,
        }
    }

    /// The base of which these are the parts, if all of them are there.
    pub fn decode<'a>(
        parts: impl Iterator<Item = Cow<'a, [u8]>>,
    ) -> Result<Option<Self>, StoreError> {
        let (mut bytes, mut wanted, mut read, mut previous) = (Vec::new(), None, 0, 0);
        for part in parts {
            let frame = codec::open(&part, Kind::BasePart);
            let frame = frame.map_err(|error| error.into_store_error("a part of the base"))?;
            let body: Part<'_> = frame
                .decode()
                .map_err(|error| error.into_store_error("a part of the base"))?;
            if frame.head.count != read || frame.head.previous != previous {
                return Ok(None);
            }
            previous = frame.crc;
            read += 1;
            wanted = Some(body.parts);
            bytes.extend_from_slice(body.bytes.0);
        }
        if wanted != Some(read) {
            return Ok(None);
        }
        let base = codec::open(&bytes, Kind::Base).and_then(|frame| match frame.version {
            THINNED_VERSION => frame.decode(),
            _ => frame.decode().map(|kept: Version3| Self {
                snapshot: kept.snapshot,
                expired: kept.expired.into(),
                fresh: None,
                names_dead: false,
            }),
        });
        base.map(Some)
            .map_err(|error| error.into_store_error("the base"))
    }
}

/// The base of the greatest number that is whole, and its number; of a later one that is not, only
/// the number.
pub fn load<B: Backend>(backend: &B) -> Result<(u64, Option<Base>), StoreError> {
    let mut below = vec![b'p' + 1];
    let mut latest = 0;
    while let Some((last, _)) = backend.scan_back(b"p", &below, 1)?.pop() {
        let number = key::number(&last, 1).unwrap_or(0);
        latest = latest.max(number);
        let prefix = &key::base(number, 0)[..9];
        let parts = backend.scan(prefix, &key::base(number, 0), usize::MAX)?;
        let parts = parts.into_iter().map(|(_, bytes)| Cow::Owned(bytes));
        if let Some(base) = Base::decode(parts)? {
            return Ok((latest, Some(base)));
        }
        below = key::base(number, 0);
    }
    Ok((latest, None))
}

impl<B: Backend> Log<B> {
    /// Writes `base` under `number`, synced; then the ones before it are gone. Somebody else may
    /// write between its parts.
    /// `version` is the store's own as it stands.
    pub(super) fn write_base(
        &self,
        base: &Base,
        number: u64,
        version: u8,
    ) -> Result<(), StoreError> {
        let mut parts = base.encode(number)?;
        // An earlier program must not open what it would take for a store that has lost something.
        if version < base.version() {
            parts.push(self.meta.record(base.version())?);
        }
        for batch in parts.chunks(PARTS_PER_WRITE) {
            self.backend.write(batch.to_vec(), Durability::Process)?;
        }
        self.backend.write(Vec::new(), Durability::Disk)?;
        let first = key::base(number, 0);
        loop {
            let old = self.backend.scan_back(b"p", &first, PARTS_PER_WRITE)?;
            if old.is_empty() {
                return Ok(());
            }
            let old = old.into_iter().map(|(key, _)| Change::Delete(key));
            self.backend.write(old.collect(), Durability::Process)?;
        }
    }

    /// What has expired, as the base says; gives the snapshot to begin with: `snapshot`, unless it
    /// is behind the base.
    pub(in crate::store) fn take_base(
        &self,
        snapshot: Option<KeptSnapshot>,
        mark: &mut Mark,
    ) -> Result<Option<KeptSnapshot>, StoreError> {
        let (_, Some(base)) = load(&self.backend)? else {
            return Ok(snapshot);
        };
        let Base {
            snapshot: based,
            expired,
            ..
        } = base;
        mark.next_seq = mark.next_seq.max(based.next_seq);
        mark.next_frame = mark.next_frame.max(based.next_frame);
        self.shared().state.expired = expired;
        let ahead = snapshot.filter(|snapshot| snapshot.is_not_behind(&based));
        if let Some(ahead) = ahead
            && self.fits(&ahead)?
        {
            return Ok(Some(ahead));
        }
        if self.fits(&based)? {
            return Ok(Some(based));
        }
        let what = "what is left is not what was kept when other records expired";
        Err(StoreError::Corrupt(what.to_owned()))
    }
}
