//! 4,096 numbers in a row, of which some are members: as runs where they are few, else as bits.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::store::record::codec::Blob;

/// How many numbers a block stands for.
pub const NUMBERS: u64 = 4096;

const WORDS: usize = NUMBERS as usize / 64;

/// With more runs than these, bits take less.
const RUNS_MAX: usize = WORDS * 8 / 4;

/// One bit for each number.
pub type Bits = [u64; WORDS];

/// No member, and all of them.
pub const NONE: Bits = [0; WORDS];
pub const ALL: Bits = [u64::MAX; WORDS];

/// A block of which some numbers are members, and some are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// First and last of each run, in order.
    Runs(Box<[(u16, u16)]>),
    Bits(Box<Bits>),
}

impl Block {
    pub fn of(bits: &Bits) -> Self {
        if run_count(bits) > RUNS_MAX {
            return Self::Bits(Box::new(*bits));
        }
        let (mut runs, mut at) = (Vec::new(), 0);
        while let Some(first) = next(bits, at, true) {
            let behind = next(bits, first, false).unwrap_or(NUMBERS);
            runs.push((first as u16, (behind - 1) as u16));
            at = behind;
        }
        Self::Runs(runs.into())
    }

    pub fn bits(&self) -> Cow<'_, Bits> {
        match self {
            Self::Bits(bits) => Cow::Borrowed(bits),
            Self::Runs(runs) => {
                let mut bits = NONE;
                for (first, last) in runs.iter() {
                    set(&mut bits, u64::from(*first), u64::from(*last), true);
                }
                Cow::Owned(bits)
            }
        }
    }

    /// Bytes of memory that it takes, about.
    #[cfg(test)]
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Runs(runs) => runs.len() * 4,
            Self::Bits(_) => WORDS * 8,
        }
    }
}

/// How many members.
pub fn count(bits: &Bits) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}

fn run_count(bits: &Bits) -> usize {
    let (mut runs, mut before) = (0, 0);
    for word in bits {
        // A run begins where the bit before is not set.
        runs += (word & !((word << 1) | before)).count_ones() as usize;
        before = word >> 63;
    }
    runs
}

/// Makes the numbers from `from` to `to` members, or no members.
pub fn set(bits: &mut Bits, from: u64, to: u64, to_what: bool) {
    let to = to.min(NUMBERS - 1);
    let mut at = from;
    while at <= to {
        let (word, begin) = ((at / 64) as usize, at % 64);
        let end = (to - (at - begin)).min(63);
        let mask = (u64::MAX >> (63 - end)) & (u64::MAX << begin);
        match to_what {
            true => bits[word] |= mask,
            false => bits[word] &= !mask,
        }
        at += end - begin + 1;
    }
}

/// The least number at `from` or above it that is a member, or is none.
pub fn next(bits: &Bits, from: u64, is_member: bool) -> Option<u64> {
    let mut word = (from / 64) as usize;
    let mut mask = u64::MAX << (from % 64);
    while word < WORDS {
        let wanted = if is_member { bits[word] } else { !bits[word] };
        if wanted & mask != 0 {
            return Some(word as u64 * 64 + u64::from((wanted & mask).trailing_zeros()));
        }
        (word, mask) = (word + 1, u64::MAX);
    }
    None
}

/// The greatest number at `from` or below it that is a member, or is none.
pub fn previous(bits: &Bits, from: u64, is_member: bool) -> Option<u64> {
    let mut mask = u64::MAX >> (63 - from % 64);
    for word in (0..=(from / 64) as usize).rev() {
        let wanted = if is_member { bits[word] } else { !bits[word] };
        if wanted & mask != 0 {
            let place = 63 - (wanted & mask).leading_zeros();
            return Some(word as u64 * 64 + u64::from(place));
        }
        mask = u64::MAX;
    }
    None
}

/// A block as it is kept.
#[derive(Serialize, Deserialize)]
enum Kept<'a> {
    Runs(Vec<(u16, u16)>),
    /// Little-endian: the lowest bit of the first byte is the first number.
    #[serde(borrow)]
    Bits(Blob<'a>),
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Runs(runs) => Kept::Runs(runs.to_vec()).serialize(serializer),
            Self::Bits(bits) => {
                let bytes: Vec<u8> = bits.iter().flat_map(|word| word.to_le_bytes()).collect();
                Kept::Bits(Blob(&bytes)).serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Kept::deserialize(deserializer)? {
            Kept::Runs(runs) => Ok(Self::Runs(runs.into())),
            Kept::Bits(Blob(bytes)) if bytes.len() == WORDS * 8 => {
                let mut bits = NONE;
                for (word, bytes) in bits.iter_mut().zip(bytes.as_chunks().0) {
                    *word = u64::from_le_bytes(*bytes);
                }
                Ok(Self::Bits(Box::new(bits)))
            }
            Kept::Bits(_) => Err(serde::de::Error::custom("a block of another size")),
        }
    }
}
