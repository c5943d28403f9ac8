//! The bytes of a record. The only file that knows bincode.
//!
//! Every record is one frame:
//!
//! ```text
//!  0        1       2             6              10         18           22
//!  ├────────┼───────┼─────────────┼──────────────┼──────────┼────────────┼─────────────┐
//!  │version │ kind  │ CRC32C of   │ CRC32C of    │ first    │ count      │ body        │
//!  │ u8     │ u8    │ all behind  │ the frame    │ u64      │ u32        │ bincode 2,  │
//!  │        │       │ this field  │ before, u32  │          │            │ standard    │
//!  └────────┴───────┴─────────────┴──────────────┴──────────┴────────────┴─────────────┘
//! ```
//!
//! Integers of the head are little-endian. `first` is the sequence number of the first event of
//! an event frame, and the frame's own number otherwise; frames of one kind are chained by the
//! CRC of their predecessor, so that one which is lost, swapped or repeated is noticed.

use serde::{Deserialize, Serialize};

use crate::store::error::StoreError;

mod blob;

pub use blob::Blob;

/// The latest version that this program reads. A frame is written in the earliest that can hold it,
/// so that a program before this one reads a store in which nothing is new.
pub const VERSION: u8 = 4;

/// The version in which most frames are written.
pub const FIRST_VERSION: u8 = 1;

/// The version of transitions and snapshots in which a secret is sealed or a key was replaced.
pub const SEALED_VERSION: u8 = 2;

/// The version of bases, and of the description of a store of which something may have expired.
pub const EXPIRING_VERSION: u8 = 3;

/// The version of frames of events that hold no more than what is left of them, of bases that tell
/// sources apart or name dead letters, and of the description of a store that has either.
pub const THINNED_VERSION: u8 = 4;

const HEAD: usize = 22;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Events of the log.
    Events = 1,
    /// Attempts, endpoint changes, replays.
    Transitions = 2,
    /// A part of a body that is too large for its event frame.
    Chunk = 3,
    /// A snapshot of the projections.
    Snapshot = 4,
    /// What the store is: tag, keys, creation time.
    Meta = 5,
    /// A write, before the database has it.
    Journal = 6,
    /// A piece of a backup on its way; in no store.
    Backup = 7,
    /// The projections from which a start goes on when what came before has expired.
    Base = 8,
    /// A part of these.
    BasePart = 9,
}

impl Kind {
    /// The latest version of frames of this kind.
    pub fn latest(self) -> u8 {
        match self {
            Self::Transitions | Self::Snapshot => SEALED_VERSION,
            Self::BasePart => EXPIRING_VERSION,
            Self::Events | Self::Meta | Self::Base => THINNED_VERSION,
            Self::Chunk | Self::Journal | Self::Backup => FIRST_VERSION,
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it holds.
    pub kind: Kind,
    /// The CRC of the frame before it; 0 for the first.
    pub previous: u32,
    /// See the module's documentation.
    pub first: u64,
    /// How many items the body holds.
    pub count: u32,
}

/// A frame as read: its head, its own CRC, its body.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The head.
    pub head: Head,
    /// In which version its body is.
    pub version: u8,
    /// Its CRC, or of a thinned one the CRC that it had, which the next frame names as `previous`.
    pub crc: u32,
    body: &'a [u8],
}

/// A frame that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Fewer bytes than a head.
    #[error("cut short")]
    Short,
    /// Written by a later version.
    #[error("record version {0} is unknown")]
    Version(u8),
    /// No such kind, or not the one expected.
    #[error("not the kind of record expected here")]
    Kind,
    /// The checksum differs.
    #[error("checksum differs")]
    Checksum,
    /// The key names another first event than the head.
    #[error("a frame in another's place")]
    Place,
    /// The body is not what the head says.
    #[error("body cannot be decoded")]
    Body,
}

impl FrameError {
    /// The error of a record that is about no single event.
    pub fn into_store_error(self, what: &str) -> StoreError {
        match self {
            Self::Version(found) => StoreError::TooNew {
                found,
                known: VERSION,
            },
            other => StoreError::Corrupt(format!("{what}: {other}")),
        }
    }
}

/// Far above any record but a snapshot. A text's room is made before it is read, so that a length
/// with nothing behind it would take all memory there is.
const DECODED_MAX: usize = 16 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<DECODED_MAX>()
}

/// A snapshot is as large as the store's state, an entry of the journal as a group; neither is read
/// before its checksum is.
fn config_without_limit() -> impl bincode::config::Config {
    bincode::config::standard()
}

/// The bytes of a frame that holds `body`, and its CRC.
pub fn encode<T: Serialize>(head: Head, body: &T) -> Result<(Vec<u8>, u32), FrameError> {
    encode_as(FIRST_VERSION, head, body)
}

/// As [`encode`], with a body of this version.
pub fn encode_as<T: Serialize>(
    version: u8,
    head: Head,
    body: &T,
) -> Result<(Vec<u8>, u32), FrameError> {
    let mut bytes = Vec::new();
    let crc = encode_onto(&mut bytes, head, body)?;
    // Ahead of what the checksum is of.
    bytes[0] = version;
    Ok((bytes, crc))
}

/// Puts a frame that holds `body` behind `bytes`; gives its CRC.
pub fn encode_onto<T: Serialize>(
    bytes: &mut Vec<u8>,
    head: Head,
    body: &T,
) -> Result<u32, FrameError> {
    let begin = bytes.len();
    bytes.extend([0; HEAD]);
    bincode::serde::encode_into_std_write(body, bytes, config()).map_err(|_| FrameError::Body)?;
    let bytes = &mut bytes[begin..];
    bytes[0] = match head.kind {
        Kind::Base | Kind::BasePart => EXPIRING_VERSION,
        _ => FIRST_VERSION,
    };
    bytes[1] = head.kind as u8;
    bytes[6..10].copy_from_slice(&head.previous.to_le_bytes());
    bytes[10..18].copy_from_slice(&head.first.to_le_bytes());
    bytes[18..22].copy_from_slice(&head.count.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[6..]);
    bytes[2..6].copy_from_slice(&crc.to_le_bytes());
    Ok(crc)
}

/// The bytes of a frame of events in place of one that had the CRC `had`.
pub fn encode_thinned<T: Serialize>(head: Head, had: u32, body: &T) -> Result<Vec<u8>, FrameError> {
    let (mut bytes, _) = encode_as(THINNED_VERSION, head, &(had.to_le_bytes(), body))?;
    let crc = checksum(&bytes);
    bytes[2..6].copy_from_slice(&crc.to_le_bytes());
    Ok(bytes)
}

/// The CRC that the head should name. Of a thinned frame the version is under it as well: a whole one
/// is never read as one of these, nor the other way round.
fn checksum(bytes: &[u8]) -> u32 {
    match is_thinned(bytes[0], bytes[1]) {
        true => crc32c::crc32c_append(crc32c::crc32c(&bytes[..2]), &bytes[6..]),
        false => crc32c::crc32c(&bytes[6..]),
    }
}

/// Whether the CRC that the frame had stands before its body.
fn is_thinned(version: u8, kind: u8) -> bool {
    version == THINNED_VERSION && kind == Kind::Events as u8
}

/// Checks the frame in `bytes` and reads its head.
pub fn open(bytes: &[u8], kind: Kind) -> Result<Frame<'_>, FrameError> {
    let (Some(head), Some(body)) = (bytes.first_chunk::<HEAD>(), bytes.get(HEAD..)) else {
        return Err(FrameError::Short);
    };
    if head[0] > kind.latest() {
        return Err(FrameError::Version(head[0]));
    }
    let crc = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
    if checksum(bytes) != crc {
        return Err(FrameError::Checksum);
    }
    // No version has the number 0: that is what a lost sector is read as. Events have none in between.
    let is_none = head[0] == 0 || (kind == Kind::Events && matches!(head[0], 2 | 3));
    if head[1] != kind as u8 || is_none {
        return Err(FrameError::Kind);
    }
    let (crc, body) = match is_thinned(head[0], head[1]) {
        true => {
            let (had, body) = body.split_first_chunk().ok_or(FrameError::Short)?;
            (u32::from_le_bytes(*had), body)
        }
        false => (crc, body),
    };
    let mut first = [0; 8];
    first.copy_from_slice(&head[10..18]);
    Ok(Frame {
        head: Head {
            kind,
            previous: u32::from_le_bytes([head[6], head[7], head[8], head[9]]),
            first: u64::from_le_bytes(first),
            count: u32::from_le_bytes([head[18], head[19], head[20], head[21]]),
        },
        version: head[0],
        crc,
        body,
    })
}

/// The `first` and `count` that the head names, whatever the checksum says.
pub fn claims(bytes: &[u8]) -> Option<(u64, u32)> {
    let head = bytes.first_chunk::<HEAD>()?;
    let first = head.get(10..18)?.try_into().ok()?;
    let count = head.get(18..22)?.try_into().ok()?;
    Some((u64::from_le_bytes(first), u32::from_le_bytes(count)))
}

/// The body of a frame that begins where `bytes` do, if it is a `T`, and the frame's length. The
/// checksum is still to be looked at: only now it is known how far it goes.
pub fn begins_with<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<(T, usize)> {
    let head = HEAD + 4 * usize::from(is_thinned(*bytes.first()?, *bytes.get(1)?));
    let body = bytes.get(head..)?;
    let (value, read) = bincode::serde::borrow_decode_from_slice(body, config()).ok()?;
    Some((value, head + read))
}

impl<'a> Frame<'a> {
    /// The frame's `first`, if that is what its key says. A whole frame in another's place is as
    /// good as none: it says nothing of what was there.
    pub fn first_at(&self, key: u64) -> Result<u64, FrameError> {
        let first = self.head.first;
        (first == key).then_some(first).ok_or(FrameError::Place)
    }

    /// The body. Everything in it may borrow from the frame's bytes.
    pub fn decode<T: Deserialize<'a>>(&self) -> Result<T, FrameError> {
        let decoded = match self.head.kind {
            Kind::Snapshot | Kind::Journal | Kind::Base => {
                bincode::serde::borrow_decode_from_slice(self.body, config_without_limit())
            }
            _ => bincode::serde::borrow_decode_from_slice(self.body, config()),
        };
        let (value, read) = decoded.map_err(|_| FrameError::Body)?;
        if read == self.body.len() {
            Ok(value)
        } else {
            Err(FrameError::Body)
        }
    }
}

#[cfg(test)]
mod tests;
