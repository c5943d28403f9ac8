//! Chance from a seed: the one place of the samples that names a generator of random numbers.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Repeats itself for the same seed.
pub struct Chance(StdRng);

impl Chance {
    /// The chance of this seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number from `low` up to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True `percent` times in a hundred.
    pub(super) fn is_likely(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of `all`, which must not be empty.
    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.0.random_range(0..all.len())]
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&mut self) -> String {
        let bits: u128 = self.0.random();
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let (a, b, c, d, e) = (
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        );
        format!("{a}-{b}-{c}-{d}-{e}")
    }

    /// So many hexadecimal digits, at most 32.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        let bits: u128 = self.0.random();
        format!("{bits:032x}")[..digits.min(32)].to_owned()
    }
}
