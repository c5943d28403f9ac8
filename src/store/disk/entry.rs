//! One entry of the journal, and its bytes. Pure.
//!
//! ```text
//!  page:   length u32, frame of kind Journal, zeros up to the next page
//!  frame:  previous = CRC of the entry before, first = generation, count = number,
//!          body = salt, synced, oldest, changes
//! ```

use serde::{Deserialize, Serialize};

use super::super::backend::Change;
use super::journal::PAGE;
use crate::store::record::codec::{self, Blob, FrameError, Head, Kind};

const LENGTH: usize = 4;

/// Where an entry stands among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its turn.
    pub generation: u64,
    /// Its number in it, from 0.
    pub number: u32,
    /// How many entries of this generation were synced before it was written.
    pub synced: u32,
    /// The first generation of which the database may not have everything.
    pub oldest: u64,
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    salt: u64,
    synced: u32,
    oldest: u64,
    #[serde(borrow)]
    changes: Vec<(Blob<'a>, Option<Blob<'a>>)>,
}

/// An entry that is whole.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// The CRC of the one before it.
    pub previous: u32,
    /// Its own.
    pub crc: u32,
    /// Where it begins in its file.
    pub at: usize,
    /// Its bytes, whole pages.
    pub len: usize,
    /// What it writes.
    pub changes: Vec<Change>,
}

/// The first page of a file.
pub fn encode_head(salt: u64) -> Vec<u8> {
    let mut bytes = salt.to_le_bytes().to_vec();
    bytes.extend(crc32c::crc32c(&salt.to_le_bytes()).to_le_bytes());
    bytes.resize(PAGE, 0);
    bytes
}

/// The salt in the first page of a file.
pub fn decode_head(bytes: &[u8]) -> Option<u64> {
    let (salt, behind) = bytes.split_first_chunk::<8>()?;
    let crc = u32::from_le_bytes(*behind.first_chunk()?);
    (crc == crc32c::crc32c(salt)).then(|| u64::from_le_bytes(*salt))
}

/// Puts an entry behind `bytes`; gives its CRC.
pub fn encode(
    bytes: &mut Vec<u8>,
    salt: u64,
    place: Place,
    previous: u32,
    changes: &[Change],
) -> Result<u32, FrameError> {
    let begin = bytes.len();
    let body = Body {
        salt,
        synced: place.synced,
        oldest: place.oldest,
        changes: changes
            .iter()
            .map(|change| match change {
                Change::Put(key, value) => (Blob(key), Some(Blob(value))),
                Change::Delete(key) => (Blob(key), None),
            })
            .collect(),
    };
    let head = Head {
        kind: Kind::Journal,
        previous,
        first: place.generation,
        count: place.number,
    };
    bytes.extend([0; LENGTH]);
    let crc = codec::encode_onto(bytes, head, &body)?;
    let len = (bytes.len() - begin - LENGTH) as u32;
    bytes[begin..begin + LENGTH].copy_from_slice(&len.to_le_bytes());
    let whole = (bytes.len() - begin).next_multiple_of(PAGE);
    bytes.resize(begin + whole, 0);
    Ok(crc)
}

/// The entry that begins at `at` in a file, if a whole one of this store does.
pub fn decode(bytes: &[u8], at: usize, salt: u64) -> Option<Entry> {
    let (len, behind) = bytes.get(at..)?.split_first_chunk::<LENGTH>()?;
    let len = u32::from_le_bytes(*len) as usize;
    let frame = codec::open(behind.get(..len)?, Kind::Journal).ok()?;
    let body: Body<'_> = frame.decode().ok()?;
    let change = |(key, value): (Blob<'_>, Option<Blob<'_>>)| match value {
        Some(value) => Change::Put(key.0.to_vec(), value.0.to_vec()),
        None => Change::Delete(key.0.to_vec()),
    };
    (body.salt == salt).then(|| Entry {
        place: Place {
            generation: frame.head.first,
            number: frame.head.count,
            synced: body.synced,
            oldest: body.oldest,
        },
        previous: frame.head.previous,
        crc: frame.crc,
        at,
        len: (LENGTH + len).next_multiple_of(PAGE),
        changes: body.changes.into_iter().map(change).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        generation: 7,
        number: 3,
        synced: 2,
        oldest: 6,
    };

    fn changes() -> Vec<Change> {
        vec![
            Change::Put(b"e1".to_vec(), vec![7; 5_000]),
            Change::Delete(b"x1".to_vec()),
        ]
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written_and_fills_whole_pages() {
        let mut bytes = vec![0; PAGE];
        let crc = encode(&mut bytes, 9, PLACE, 5, &changes()).unwrap();
        assert_eq!(bytes.len(), 3 * PAGE);
        let entry = decode(&bytes, PAGE, 9).unwrap();
        assert_eq!((entry.place, entry.previous, entry.crc), (PLACE, 5, crc));
        assert_eq!((entry.at, entry.len), (PAGE, 2 * PAGE));
        assert_eq!(entry.changes, changes());
    }

    #[test]
    fn the_bytes_of_an_entry_stay_what_they_are() {
        let mut bytes = Vec::new();
        let changes = [
            Change::Put(b"e".to_vec(), b"v".to_vec()),
            Change::Delete(b"x".to_vec()),
        ];
        encode(&mut bytes, 9, PLACE, 5, &changes).unwrap();
        let frame = bytes[..4 + 34].iter().map(|byte| format!("{byte:02x}"));
        assert_eq!(
            frame.collect::<String>(),
            "22000000010664f66de705000000070000000000000003000000090206020165010176017800"
        );
    }

    #[test]
    fn an_entry_of_another_salt_is_none() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 9, PLACE, 5, &changes()).unwrap();
        assert!(decode(&bytes, 0, 8).is_none());
    }

    #[test]
    fn an_entry_with_any_bit_flipped_is_none() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 9, PLACE, 5, &[Change::Delete(b"x1".to_vec())]).unwrap();
        let len = u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        for bit in 0..(LENGTH + len) * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged, 0, 9).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn a_head_says_its_salt_unless_it_is_damaged() {
        let mut head = encode_head(0x1234);
        assert_eq!(decode_head(&head), Some(0x1234));
        head[1] ^= 1;
        assert_eq!(decode_head(&head), None);
        assert_eq!(decode_head(&[0; PAGE]), None);
    }
}
