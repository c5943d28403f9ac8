//! Schedules as data.

use std::time::Duration;

/// How long to wait after a failure. Delays count from the end of the failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// One delay for each retry; after the last one its delay repeats, where the policy does not
    /// give up.
    Table(Vec<Duration>),
    /// `first * factor^(k-1)` after the k-th failure, at most `max`.
    Backoff {
        /// The delay after the first failure.
        first: Duration,
        /// What each delay is multiplied by to give the next.
        factor: u32,
        /// The longest delay.
        max: Duration,
    },
}

impl Schedule {
    /// The delay after the `failures`-th failure in a row, counted from 1.
    pub fn delay(&self, failures: u32) -> Duration {
        let k = failures.max(1) - 1;
        match self {
            Self::Table(delays) => delays
                .get(k as usize)
                .or(delays.last())
                .copied()
                .unwrap_or(Duration::ZERO),
            Self::Backoff { first, factor, max } => {
                // A factor of 0 would make every later delay 0: an attempt loop without a pause.
                let by = u128::from(*factor).max(1).saturating_pow(k);
                // A power may be too great for `Duration`'s own multiplication long before the
                // delay is.
                let nanos = first.as_nanos().saturating_mul(by);
                if nanos >= max.as_nanos() {
                    return *max;
                }
                const NANOS_PER_SECOND: u128 = 1_000_000_000;
                let (seconds, nanos) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
                // Both fit: the delay is shorter than `max`.
                Duration::new(seconds as u64, nanos as u32)
            }
        }
    }
}

/// `delay`, lengthened or shortened by up to `part` of itself; `draw` says by how much. Whatever
/// the floats hold, the answer is a delay: no NaN or overflow of a configuration panics here.
pub(super) fn spread(delay: Duration, part: f64, draw: f64) -> Duration {
    let factor = 1.0 + part.clamp(0.0, 1.0) * (2.0 * draw.clamp(0.0, 1.0) - 1.0);
    if factor == 1.0 || factor.is_nan() {
        return delay;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
