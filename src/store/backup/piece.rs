//! One piece of a copy on its way, and its bytes. Pure.
//!
//! ```text
//!  stream:  pieces, each a length u32 (little-endian) and a frame of kind Backup
//!  frame:   previous = CRC of the piece before, first = its number, count = records in it
//! ```
//!
//! The first piece says which store and which moment, the last one how much there was: a stream
//! without it is not whole.

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::id::Seq;
use crate::store::record::codec::{self, Blob, Head, Kind};

/// The bytes of a length.
pub const LENGTH_BYTES: usize = 4;

/// No piece is longer: a record is a few kilobytes, and the longest an endpoint with its
/// certificates.
pub const PIECE_MAX_BYTES: usize = 8 << 20;

/// The moment of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Of which store.
    pub tag: u32,
    /// The first event that is not in it.
    pub next_seq: Seq,
    /// The first frame of transitions that is not in it.
    pub next_frame: u64,
}

/// What the receiving side has already: from here on it wants the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Have {
    /// Of which store; none if nothing is there.
    pub tag: Option<u32>,
    /// The first event of the frame that is sent first.
    pub events_from: Seq,
    /// The number of the frame of transitions that is sent first.
    pub transitions_from: u64,
}

impl Have {
    /// Nothing is there.
    pub const NOTHING: Self = Self {
        tag: None,
        events_from: 1,
        transitions_from: 1,
    };
}

/// A piece.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Piece<'a> {
    /// The first one.
    Begin {
        point: Point,
        /// About how many bytes the whole store takes on its disk.
        store_bytes: u64,
    },
    /// Records: keys and values.
    Records(#[serde(borrow)] Vec<(Blob<'a>, Blob<'a>)>),
    /// The last one.
    End { records: u64 },
    /// The last one where there is no more to be had: why.
    Failed(String),
}

/// Where in a stream a piece stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Its number, from 0.
    pub number: u64,
    /// The CRC of the one before it.
    pub previous: u32,
}

impl Place {
    /// The bytes of a piece, its length before it; the place moves on.
    pub fn encode(&mut self, piece: &Piece<'_>) -> Result<Vec<u8>, BackupError> {
        let count = match piece {
            Piece::Records(records) => records.len() as u32,
            Piece::Begin { .. } | Piece::End { .. } | Piece::Failed(_) => 0,
        };
        let head = Head {
            kind: Kind::Backup,
            previous: self.previous,
            first: self.number,
            count,
        };
        let mut bytes = vec![0; LENGTH_BYTES];
        let crc = codec::encode_onto(&mut bytes, head, piece)
            .map_err(|error| error.into_store_error("a piece of a backup"))?;
        let len = (bytes.len() - LENGTH_BYTES) as u32;
        bytes[..LENGTH_BYTES].copy_from_slice(&len.to_le_bytes());
        self.number += 1;
        self.previous = crc;
        Ok(bytes)
    }

    /// The piece in `bytes`, without its length, if it is the one that comes here.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Result<Piece<'a>, BackupError> {
        let broken = |error: codec::FrameError| BackupError::broken(format!("piece: {error}"));
        let frame = codec::open(bytes, Kind::Backup).map_err(broken)?;
        if frame.head.first != self.number || frame.head.previous != self.previous {
            return Err(BackupError::broken(format!(
                "piece {} is not there",
                self.number
            )));
        }
        self.number += 1;
        self.previous = frame.crc;
        frame.decode().map_err(broken)
    }
}

/// The length that stands before a piece.
pub fn length(bytes: [u8; LENGTH_BYTES]) -> Result<usize, BackupError> {
    let len = u32::from_le_bytes(bytes) as usize;
    if len > PIECE_MAX_BYTES {
        return Err(BackupError::broken("what came is no backup"));
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Piece<'static> = Piece::End { records: 7 };

    #[test]
    fn pieces_are_read_back_in_their_order_and_in_no_other() {
        let mut place = Place::default();
        let records = Piece::Records(vec![(Blob(b"e1"), Blob(b"\x00\xff"))]);
        let all = [&records, &END].map(|piece| place.encode(piece).unwrap());
        let [one, two] = all.each_ref().map(|bytes| &bytes[LENGTH_BYTES..]);
        let mut place = Place::default();
        assert_eq!(place.decode(one).unwrap(), records);
        assert_eq!(place.decode(two).unwrap(), END);
        for wrong in [two, &[], &one[..10]] {
            let decoded = Place::default().decode(wrong);
            assert!(matches!(decoded, Err(BackupError::Broken { .. })));
        }
    }

    #[test]
    fn a_length_that_no_piece_has_is_refused() {
        assert!(length(*b"HTTP").is_err());
        assert_eq!(length([4, 1, 0, 0]), Ok(260));
    }
}
