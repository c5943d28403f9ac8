//! Counters by name, looked up for every page view of a range.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::names::Name;

/// A map by name. Names are numbers that are given out one after the other, by nobody's choice, so
/// that a multiplication spreads them well enough; the standard hash takes ten times as long.
pub type ByName<T> = HashMap<Name, T, BuildHasherDefault<Spread>>;

/// See [`ByName`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // The golden ratio of 2^64: neighbours end up far apart in the upper bits, too.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
