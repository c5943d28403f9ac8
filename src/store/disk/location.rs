//! Where a record lies in a volume, as the database holds it. Pure.

/// The bytes of a location: a zero, by which no frame begins, and its three numbers,
/// little-endian.
pub const LOCATION_BYTES: usize = 13;

/// Values up to this length cost less in the database than a location would save.
const SMALL_BYTES: usize = 64;

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The number of the volume.
    pub volume: u32,
    /// Where in it the value begins.
    pub at: u32,
    /// The bytes of the value.
    pub len: u32,
}

impl Location {
    /// What the database holds instead of the value.
    pub fn encode(self) -> [u8; LOCATION_BYTES] {
        let mut bytes = [0; LOCATION_BYTES];
        bytes[1..5].copy_from_slice(&self.volume.to_le_bytes());
        bytes[5..9].copy_from_slice(&self.at.to_le_bytes());
        bytes[9..].copy_from_slice(&self.len.to_le_bytes());
        bytes
    }

    /// The location that the database holds, if it is not the value itself.
    pub fn decode(held: &[u8]) -> Option<Self> {
        let held: &[u8; LOCATION_BYTES] = held.try_into().ok()?;
        let number = |at: usize| Some(u32::from_le_bytes(*held[at..].first_chunk()?));
        let location = Self {
            volume: number(1)?,
            at: number(5)?,
            len: number(9)?,
        };
        (held[0] == 0).then_some(location)
    }

    /// Whether a value goes to a volume: also one that could be taken for one.
    pub fn is_for(value: &[u8]) -> bool {
        value.len() > SMALL_BYTES || Self::decode(value).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_reads_back_and_nothing_else_is_one() {
        let location = Location {
            volume: 3,
            at: 70_000,
            len: 8_192,
        };
        let bytes = location.encode();
        assert_eq!(bytes, [0, 3, 0, 0, 0, 0x70, 0x11, 1, 0, 0, 0x20, 0, 0]);
        assert_eq!(Location::decode(&bytes), Some(location));
        for other in [&bytes[..12], &[0; 14], &[1; 13], b""] {
            assert_eq!(Location::decode(other), None);
        }
    }

    #[test]
    fn what_stays_in_the_database_cannot_be_taken_for_a_location() {
        for len in 0..200 {
            for first in [0, 1] {
                let mut value = vec![7; len];
                value.iter_mut().take(1).for_each(|byte| *byte = first);
                assert!(Location::is_for(&value) || Location::decode(&value).is_none());
            }
        }
        assert!(!Location::is_for(&[1; 64]) && Location::is_for(&[1; 65]));
    }
}
