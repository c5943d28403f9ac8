//! What can happen to the records of a store.

use arbitrary::Arbitrary;

use super::super::records::seal;
use super::story::Records;

/// One damage. Records are chosen by their place among those that are left.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Damage {
    Delete(u8),
    /// Of a record, and everything of its kind behind it: a log that lost its end.
    DeleteTail(u8),
    Flip(u8, u16),
    Cut(u8, u16),
    Zero(u8),
    /// A sector of zeros from a place on.
    ZeroSector(u8, u16),
    Grow(u8, u8),
    Swap(u8, u8),
    Copy(u8, u8),
    /// A byte changed and the checksum made to fit: no accident, but nothing may panic.
    Forge(u8, u16, u8),
    /// The same for a number of eight bytes, which is how heads and keys hold theirs.
    ForgeNumber(u8, u16, u64),
    /// A record whose key was never written.
    Put(u8, u64, u8),
}

impl Damage {
    /// Whether somebody must have meant it.
    pub fn forges(self) -> bool {
        matches!(
            self,
            Self::Forge(..) | Self::ForgeNumber(..) | Self::Put(..)
        )
    }

    pub fn apply(self, records: &mut Records) {
        let keys: Vec<Vec<u8>> = records.keys().cloned().collect();
        if keys.is_empty() {
            return;
        }
        let key = |place: u8| &keys[usize::from(place) % keys.len()];
        match self {
            Self::Delete(place) => {
                records.remove(key(place));
            }
            Self::DeleteTail(place) => {
                let first = key(place);
                records.retain(|key, _| key[0] != first[0] || key < first);
            }
            Self::Flip(place, bit) => edit(records, key(place), |value| {
                let bit = usize::from(bit) % (value.len() * 8);
                value[bit / 8] ^= 1 << (bit % 8);
            }),
            Self::Cut(place, len) => edit(records, key(place), |value| {
                value.truncate(usize::from(len) % value.len());
            }),
            Self::Zero(place) => edit(records, key(place), |value| value.fill(0)),
            Self::ZeroSector(place, from) => edit(records, key(place), |value| {
                let from = usize::from(from) % value.len();
                value.iter_mut().skip(from).take(512).for_each(|b| *b = 0);
            }),
            Self::Grow(place, byte) => edit(records, key(place), |value| value.push(byte)),
            Self::Swap(one, other) => {
                let (one, other) = (key(one), key(other));
                let (a, b) = (records[one].clone(), records[other].clone());
                records.insert(one.clone(), b);
                records.insert(other.clone(), a);
            }
            Self::Copy(from, to) => {
                let value = records[key(from)].clone();
                records.insert(key(to).clone(), value);
            }
            Self::Forge(place, at, change) => edit(records, key(place), |value| {
                let at = usize::from(at) % value.len();
                value[at] = value[at].wrapping_add(change);
                seal(value);
            }),
            Self::ForgeNumber(place, at, number) => edit(records, key(place), |value| {
                let at = usize::from(at) % value.len();
                for (byte, new) in value[at..].iter_mut().zip(number.to_le_bytes()) {
                    *byte = new;
                }
                seal(value);
            }),
            Self::Put(place, number, len) => {
                let mut key = key(place).clone();
                let number = number.to_be_bytes();
                key.truncate(1);
                key.extend(&number[..usize::from(len) % 9]);
                records.insert(key, number.repeat(usize::from(len) % 8));
            }
        }
    }
}

fn edit(records: &mut Records, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
    // Keys of an index have no value.
    if let Some(value) = records.get_mut(key).filter(|value| !value.is_empty()) {
        change(value);
    }
}
