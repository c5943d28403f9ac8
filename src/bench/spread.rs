//! Latencies as a histogram: what is slow for a few is seen.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::figure::median;

/// The longest that is told apart from longer ones.
const LONGEST_NS: u64 = 600_000_000_000;

/// Latencies as they are counted, in nanoseconds, to three digits.
#[derive(Clone, Debug)]
pub struct Counted(Histogram<u64>);

/// Latencies in milliseconds, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of all are quicker.
    pub p50_ms: f64,
    /// Nine in ten are.
    pub p90_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
    /// All but one in a thousand.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Spread {
    /// The median of each quantile, and the longest of all; none of nothing.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let middle = |pick: fn(&Self) -> f64| median(rounds.iter().map(pick).collect());
        (!rounds.is_empty()).then(|| Self {
            p50_ms: middle(|spread| spread.p50_ms),
            p90_ms: middle(|spread| spread.p90_ms),
            p99_ms: middle(|spread| spread.p99_ms),
            p999_ms: middle(|spread| spread.p999_ms),
            max_ms: rounds
                .iter()
                .fold(0.0, |max, spread| max.max(spread.max_ms)),
        })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            p50_ms,
            p90_ms,
            p99_ms,
            p999_ms,
            max_ms,
        } = self;
        write!(
            f,
            "p50 {p50_ms:.2} ms, p90 {p90_ms:.2}, p99 {p99_ms:.2}, p99.9 {p999_ms:.2}, longest {max_ms:.2}"
        )
    }
}

impl Default for Counted {
    fn default() -> Self {
        #[expect(clippy::unwrap_used, reason = "the bounds are constants that it takes")]
        Self(Histogram::new_with_bounds(1, LONGEST_NS, 3).unwrap())
    }
}

impl Counted {
    /// Counts one.
    pub fn add(&mut self, latency: Duration) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NS);
        self.0.saturating_record(ns.max(1));
    }

    /// All of them, summed up.
    pub fn spread(&self) -> Spread {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e6;
        Spread {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: self.0.max() as f64 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_a_thousand_even_latencies_are_what_they_should_be() {
        let mut counted = Counted::default();
        for ms in 1..=1000 {
            counted.add(Duration::from_millis(ms));
        }
        let spread = counted.spread();
        let near = |is: f64, should: f64| (is / should - 1.0).abs() < 0.002;
        assert!(
            near(spread.p50_ms, 500.0) && near(spread.p90_ms, 900.0),
            "{spread:?}"
        );
        assert!(
            near(spread.p99_ms, 990.0) && near(spread.p999_ms, 999.0),
            "{spread:?}"
        );
        assert!(near(spread.max_ms, 1000.0), "{spread:?}");
    }
}
