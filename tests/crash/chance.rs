//! Chance that is the same at every run of a seed.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::process::now;

/// What the environment says, as a number.
pub fn asked(name: &str) -> Option<u64> {
    let given = std::env::var(name).ok()?;
    let number = given.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={given} is not a whole number")))
}

/// `REDELIVER_SEED`, or another one at every run. The threads' turns are not its own: a seed
/// repeats what was chosen, not what came of it.
pub fn seed() -> u64 {
    asked("REDELIVER_SEED").unwrap_or_else(|| now().as_millis().unsigned_abs())
}

/// A number that looks like chance and is always the same for this text.
pub fn scatter(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

/// Chance that `what` takes from the seed.
pub struct Chance(StdRng);

impl Chance {
    pub fn new(seed: u64, what: &str) -> Self {
        Self(StdRng::seed_from_u64(seed ^ scatter(what)))
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        self.0.random_range(range)
    }

    pub fn one_in(&mut self, many: u64) -> bool {
        self.within(0..many) == 0
    }

    /// Below `most`, to the microsecond.
    pub fn moment(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.within(0..most.as_micros() as u64 + 1))
    }

    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.within(0..choices.len() as u64) as usize]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill(&mut bytes[..]);
        bytes
    }
}
