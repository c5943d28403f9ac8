//! How often a client asks: steadily, or as what it asks for changes (ZRT-20 to ZRT-23).

use std::time::Duration;

use super::polling::Resource;
use crate::clock::Timestamp;

/// Where an adaptive poller starts, and its bounds (ZRT-20).
const ADAPTIVE_START: Duration = Duration::from_secs(30);
const ADAPTIVE_FLOOR: Duration = Duration::from_secs(10);
const ADAPTIVE_CEILING: Duration = Duration::from_secs(120);

/// What a round came to, as far as the time of the next one depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// What came differs from what came before.
    Changed,
    /// It is the same, or the first.
    Same,
    /// Nothing that can be used came.
    Nothing,
}

/// How often something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At equal distances.
    Steady(Duration),
    /// More often while it changes (ZRT-20, ZRT-21).
    Adaptive {
        /// The distance to the next round.
        interval: Duration,
        /// It is never shorter.
        floor: Duration,
    },
}

impl Pace {
    /// The pace for `resource` where the operator says `interval`, or nothing; never below the
    /// vendor's least.
    pub fn steady(resource: Resource, interval: Option<Duration>) -> Self {
        let interval = interval.unwrap_or(resource.recommended());
        Self::Steady(interval.max(resource.least()))
    }

    /// The pace that adapts itself.
    pub fn adaptive(resource: Resource) -> Self {
        let floor = ADAPTIVE_FLOOR.max(resource.least());
        Self::Adaptive {
            interval: ADAPTIVE_START.max(floor),
            floor,
        }
    }

    /// When the next round begins, after one from `began` to `ended`.
    pub fn next(&mut self, came: Came, began: Timestamp, ended: Timestamp) -> Timestamp {
        match self {
            Self::Steady(interval) => {
                // A round that took longer than the interval leaves out those that it covered.
                let late = ended.since(began).as_millis() / interval.as_millis().max(1);
                let rounds = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
                began.plus(interval.saturating_mul(rounds))
            }
            Self::Adaptive { interval, floor } => {
                let next = match came {
                    Came::Changed => *interval / 2,
                    Came::Same => *interval * 3 / 2,
                    Came::Nothing => *interval * 2,
                };
                *interval = next.clamp(*floor, ADAPTIVE_CEILING.max(*floor));
                ended.plus(*interval)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn zrt_22_the_adaptive_pace_is_the_golden_sequence() {
        let values = [
            Some(1),
            Some(1),
            Some(1),
            Some(1),
            Some(2),
            Some(3),
            Some(4),
            Some(5),
            Some(6),
            Some(6),
            None,
            Some(6),
            Some(7),
            Some(7),
        ];
        let (mut pace, mut last) = (Pace::adaptive(Resource::Live), None);
        let intervals = values.map(|value| {
            let came = match (value, last) {
                (None, _) => Came::Nothing,
                (Some(value), Some(last)) if value != last => Came::Changed,
                _ => Came::Same,
            };
            last = value.or(last);
            // Timed from the end of the fetch, however long it took.
            pace.next(came, at(0), at(5000)).as_millis() - 5000
        });
        assert_eq!(
            intervals,
            [
                45000, 67500, 101250, 120000, 60000, 30000, 15000, 10000, 10000, 15000, 30000,
                45000, 22500, 33750
            ]
        );
    }

    #[test]
    fn zrt_23_no_pace_is_below_the_least_of_what_is_asked_for() {
        for resource in Resource::ALL {
            let steady = |interval| match Pace::steady(resource, interval) {
                Pace::Steady(interval) => interval,
                Pace::Adaptive { .. } => Duration::ZERO,
            };
            assert_eq!(steady(None), resource.recommended());
            assert_eq!(steady(Some(seconds(1))), resource.least());
            assert_eq!(steady(Some(seconds(700))), seconds(700));
            let mut pace = Pace::adaptive(resource);
            for _ in 0..10 {
                let next = pace.next(Came::Changed, at(0), at(0));
                assert!(next.since(at(0)) >= resource.least(), "{resource:?}");
            }
        }
        let least = Resource::ALL.map(|resource| resource.least().as_secs());
        let recommended = Resource::ALL.map(|resource| resource.recommended().as_secs());
        assert_eq!((least, recommended), ([5, 30, 30, 60], [10, 60, 60, 300]));
    }

    #[test]
    fn a_steady_round_begins_one_interval_after_the_last_and_none_is_caught_up_with() {
        let mut pace = Pace::Steady(seconds(10));
        assert_eq!(pace.next(Came::Same, at(1000), at(1000)), at(11_000));
        assert_eq!(pace.next(Came::Same, at(1000), at(10_999)), at(11_000));
        assert_eq!(pace.next(Came::Nothing, at(1000), at(26_000)), at(31_000));
    }
}
