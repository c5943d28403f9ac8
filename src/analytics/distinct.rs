//! How many different visitors there were: exactly while they are few, then by a sketch.

use std::hash::DefaultHasher;

use cardinality_estimator::CardinalityEstimator;

/// How many are told apart exactly in one day, and in one group of errors.
const EXACT_MAX: usize = 4096;

/// How many are told apart exactly over a range: 2 MiB while it is being asked for.
const RANGE_EXACT_MAX: usize = 1 << 18;

/// HyperLogLog++ with 2^14 registers of six bits: 12 KiB, and a standard error of
/// 1.04 / sqrt(2^14), which is 0.8 %. It is given hashes and never hashes anything itself.
type Sketch = CardinalityEstimator<u64, DefaultHasher, 14, 6>;

/// The visitors of one day, by their hashes.
#[derive(Debug)]
pub enum Distinct {
    /// Each of them, in order.
    Exact(Vec<u64>),
    /// About how many.
    About(Sketch),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distinct {
    /// Counts this one, unless it has been.
    pub fn add(&mut self, hash: u64) {
        match self {
            Self::Exact(hashes) => {
                if let Err(place) = hashes.binary_search(&hash) {
                    hashes.insert(place, hash);
                    if hashes.len() > EXACT_MAX {
                        *self = Self::About(sketch_of(hashes));
                    }
                }
            }
            Self::About(sketch) => sketch.insert_hash(hash),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(hashes) => hashes.len() as u64,
            Self::About(sketch) => sketch.estimate() as u64,
        }
    }

    /// Gives back the memory for more.
    pub fn shrink(&mut self) {
        if let Self::Exact(hashes) = self {
            hashes.shrink_to_fit();
        }
    }
}

/// The visitors of several days together.
#[derive(Debug, Default)]
pub struct Union {
    /// Perhaps some of them twice.
    hashes: Vec<u64>,
    sketch: Option<Sketch>,
}

impl Union {
    /// With this one.
    pub fn add(&mut self, hash: u64) {
        self.hashes.push(hash);
        if self.hashes.len() >= 2 * RANGE_EXACT_MAX {
            self.settle();
        }
    }

    /// With these.
    pub fn join(&mut self, distinct: &Distinct) {
        match distinct {
            Distinct::Exact(hashes) => hashes.iter().for_each(|hash| self.add(*hash)),
            Distinct::About(sketch) => self.sketch.get_or_insert_default().merge(sketch),
        }
    }

    /// How many there are.
    pub fn count(mut self) -> u64 {
        self.settle();
        match self.sketch {
            None => self.hashes.len() as u64,
            Some(mut sketch) => {
                insert(&mut sketch, &self.hashes);
                sketch.estimate() as u64
            }
        }
    }

    fn settle(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if self.hashes.len() > RANGE_EXACT_MAX {
            let hashes = std::mem::take(&mut self.hashes);
            insert(self.sketch.get_or_insert_default(), &hashes);
        }
    }
}

fn sketch_of(hashes: &[u64]) -> Sketch {
    let mut sketch = Sketch::default();
    insert(&mut sketch, hashes);
    sketch
}

fn insert(sketch: &mut Sketch, hashes: &[u64]) {
    for hash in hashes {
        sketch.insert_hash(*hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Well mixed, and different for different numbers (splitmix64).
    fn hash(number: u64) -> u64 {
        let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn day(numbers: std::ops::Range<u64>) -> Distinct {
        let mut day = Distinct::default();
        for number in numbers.clone().chain(numbers) {
            day.add(hash(number));
        }
        day
    }

    fn is_near(found: u64, right: u64) -> bool {
        // Four times the standard error: one run in 16,000, and this one repeats exactly.
        found.abs_diff(right) as f64 <= right as f64 * 0.008 * 4.0
    }

    #[test]
    fn up_to_the_exact_size_a_count_is_exact_and_beyond_it_within_its_error() {
        assert_eq!(day(0..4096).count(), 4096);
        for right in [4097, 5000, 20_000, 300_000] {
            let found = day(0..right).count();
            assert!(is_near(found, right), "{found} for {right}");
        }
    }

    #[test]
    fn days_that_share_visitors_are_joined_without_counting_them_twice() {
        let mut union = Union::default();
        union.join(&day(0..3000));
        union.join(&day(1000..4000));
        union.add(hash(3999));
        union.add(hash(4000));
        assert_eq!(union.count(), 4001);
        let mut union = Union::default();
        union.join(&day(0..3000));
        union.join(&day(1000..11_000));
        union.join(&day(0..20_000));
        let found = union.count();
        assert!(is_near(found, 20_000), "{found}");
    }

    #[test]
    fn a_range_takes_a_bounded_memory() {
        let mut union = Union::default();
        let right = 2 * RANGE_EXACT_MAX as u64 + 1;
        (0..right).for_each(|number| union.add(hash(number)));
        assert!(union.hashes.len() <= RANGE_EXACT_MAX);
        let found = union.count();
        assert!(is_near(found, right), "{found} for {right}");
    }
}
