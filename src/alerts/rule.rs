//! When a condition holds.

use crate::config::alert::{Bound, Metric, Period};
use crate::vendor::zenovay::Range;

/// What was found of a condition that holds or does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// A day's visitors beside those of the days before.
    Spike {
        /// Visits of the last 24 hours (ZRT-16).
        current: u64,
        /// The rounded mean of the days before today.
        baseline: u64,
        /// The mean itself.
        mean: f64,
        /// More than so many times the mean is a spike.
        factor: f64,
        /// Whether it is one.
        holds: bool,
    },
    /// A figure beside its bound.
    Figure {
        /// Which figure, and its bound.
        bound: Bound,
        /// What it is.
        value: u64,
        /// Whether the bound is above which it should be told, or below which.
        side: Side,
    },
}

/// Where a figure has to be to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above its bound.
    Above,
    /// Below its bound.
    Below,
}

impl Finding {
    /// Whether the condition holds: a bound is passed by more or less than it only (ZSS-22).
    pub fn holds(&self) -> bool {
        match *self {
            Self::Spike { holds, .. } => holds,
            Self::Figure { bound, value, side } => match side {
                Side::Above => value as f64 > bound.threshold,
                Side::Below => (value as f64) < bound.threshold,
            },
        }
    }

    /// The figure that was looked at.
    pub fn value(&self) -> u64 {
        match *self {
            Self::Spike { current, .. } => current,
            Self::Figure { value, .. } => value,
        }
    }
}

/// Whether a visit is worth telling, the edge included (ZRT-43); a visit without a score is not.
pub fn is_valuable(score: f32, threshold: f64) -> bool {
    // As exact as scores are kept: 69.9 is not below 69.9.
    score >= threshold as f32
}

/// `current` beside the visits of each of the `days`, of which the last is today and does not count
/// (ZRT-15, ZRT-17). Without any day before, the baseline is 0 and nothing is a spike.
pub fn spike(current: u64, days: &[u64], factor: f64) -> Finding {
    let past = days.split_last().map_or(&[][..], |(_, past)| past);
    let sum: u64 = past.iter().sum();
    let mean = match past.len() {
        0 => 0.0,
        count => sum as f64 / count as f64,
    };
    Finding::Spike {
        current,
        baseline: mean.round() as u64,
        mean,
        factor,
        holds: mean > 0.0 && current as f64 > mean * factor,
    }
}

/// The range of the read side that a figure is of.
pub fn range(period: Period) -> Range {
    match period {
        Period::LastDay => Range::LastDay,
        Period::Week => Range::Week,
        Period::Month => Range::Month,
        Period::Quarter => Range::Quarter,
        Period::Year => Range::Year,
    }
}

/// So many of what a figure counts, in words.
pub fn counted(value: u64, metric: Metric) -> String {
    let noun = match metric {
        Metric::Live => "live visitor",
        Metric::TotalVisitors(_) => "visitor",
        Metric::TotalPageViews(_) => "page view",
    };
    let plural = if value == 1 { "" } else { "s" };
    format!("{value} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_spike(current: u64, days: &[u64]) -> (bool, u64) {
        match spike(current, days, 2.0) {
            Finding::Spike {
                holds, baseline, ..
            } => (holds, baseline),
            Finding::Figure { .. } => unreachable!(),
        }
    }

    #[test]
    fn zrt_43_a_visit_is_valuable_from_the_threshold_on_the_edge_included() {
        for (score, threshold, expected) in [
            (69.99, 70.0, false),
            (70.0, 70.0, true),
            (70.01, 70.0, true),
            (69.9, 69.9, true),
            (69.89, 69.9, false),
            (f32::NAN, 0.0, false),
        ] {
            assert_eq!(is_valuable(score, threshold), expected, "{score}");
        }
    }

    #[test]
    fn zrt_17_a_calm_history_is_no_spike_and_a_surge_is() {
        assert_eq!(is_spike(5, &[5, 5, 5, 5, 5, 5, 5]), (false, 5));
        assert_eq!(is_spike(11, &[5, 5, 5, 5, 5, 5, 11]), (true, 5));
    }

    #[test]
    fn zrt_17_exactly_twice_the_mean_is_no_spike() {
        assert_eq!(is_spike(10, &[5, 5, 10]), (false, 5));
        // The mean itself is compared, not the rounded one.
        assert_eq!(is_spike(5, &[2, 3, 5]), (false, 3));
        assert_eq!(is_spike(6, &[2, 3, 6]), (true, 3));
    }

    #[test]
    fn zrt_17_zrt_18_without_past_days_or_with_empty_ones_nothing_is_a_spike() {
        assert_eq!(is_spike(1000, &[]), (false, 0));
        assert_eq!(is_spike(1000, &[1000]), (false, 0));
        assert_eq!(is_spike(1000, &[0, 0, 0, 0, 0, 0, 1000]), (false, 0));
        // A mean below a half is a mean above nothing.
        assert_eq!(is_spike(1, &[0, 0, 0, 0, 0, 1, 1]), (true, 0));
    }

    #[test]
    fn zrt_15_today_is_not_among_the_days_before() {
        assert_eq!(is_spike(21, &[10, 1_000_000]), (true, 10));
    }

    #[test]
    fn zss_22_above_is_strictly_greater_and_below_strictly_less() {
        let holds = |side, value| {
            let bound = Bound {
                metric: Metric::Live,
                threshold: 10.0,
            };
            Finding::Figure { bound, value, side }.holds()
        };
        assert_eq!(
            [9, 10, 11].map(|v| holds(Side::Above, v)),
            [false, false, true]
        );
        assert_eq!(
            [9, 10, 11].map(|v| holds(Side::Below, v)),
            [true, false, false]
        );
    }
}
