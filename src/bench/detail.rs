//! What stands behind a figure: how long each side took, and what it used.

use serde::Serialize;

use super::figure::median;
use super::process::Usage;
use super::spread::Spread;

/// Who was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What the figure's value is of.
    Broker,
    /// What the figure's baseline is of.
    Baseline,
}

/// What a latency goes up to; it always begins at the post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// The answer to the post.
    Answered,
    /// The receipt by the receiver.
    Received,
}

/// What a process used, from before the first post: taking an event is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Used {
    /// Processor time of one event, however many endpoints it goes to.
    pub cpu_us_per_event: f64,
    /// The most memory that it ever had.
    pub peak_rss_bytes: f64,
    /// What the disk was given to write for one event.
    pub written_bytes_per_event: f64,
}

/// What one side did in one round; none of what cannot be said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// How long events took.
    pub latency: Option<(Until, Spread)>,
    /// What its process used.
    pub used: Option<Used>,
}

/// What one side did, each number the median of all rounds, and the longest the longest of all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detail {
    /// The figure, the first one where several come of the same rounds.
    pub figure: &'static str,
    /// Who did it.
    pub side: Side,
    /// What the latency goes up to.
    pub until: Option<Until>,
    /// How long events took.
    pub latency: Option<Spread>,
    /// What its process used.
    #[serde(flatten)]
    pub used: Option<Used>,
}

impl Used {
    /// From one reading to another, for so many events.
    pub fn between(before: Usage, after: Usage, events: u64) -> Self {
        let each = |value: f64| value / events as f64;
        Self {
            cpu_us_per_event: each((after.cpu - before.cpu).as_secs_f64() * 1e6),
            peak_rss_bytes: after.peak_rss_bytes as f64,
            written_bytes_per_event: each(
                after.written_bytes.saturating_sub(before.written_bytes) as f64
            ),
        }
    }

    fn median(rounds: &[Self]) -> Option<Self> {
        let middle = |pick: fn(&Self) -> f64| median(rounds.iter().map(pick).collect());
        (!rounds.is_empty()).then(|| Self {
            cpu_us_per_event: middle(|used| used.cpu_us_per_event),
            peak_rss_bytes: middle(|used| used.peak_rss_bytes),
            written_bytes_per_event: middle(|used| used.written_bytes_per_event),
        })
    }
}

impl Detail {
    /// Of one side's rounds.
    pub fn of(figure: &'static str, side: Side, rounds: &[Sample]) -> Self {
        let latencies = rounds.iter().filter_map(|round| round.latency);
        let (until, spreads): (Vec<_>, Vec<_>) = latencies.unzip();
        let used: Vec<_> = rounds.iter().filter_map(|round| round.used).collect();
        Self {
            figure,
            side,
            until: until.first().copied(),
            latency: Spread::median(&spreads),
            used: Used::median(&used),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn usage(ms: u64, peak_rss_bytes: u64, written_bytes: u64) -> Usage {
        Usage {
            cpu: Duration::from_millis(ms),
            peak_rss_bytes,
            written_bytes,
        }
    }

    #[test]
    fn what_was_used_is_counted_from_the_first_reading_on() {
        let used = Used::between(usage(10, 5, 1_000), usage(20, 7, 3_000), 100);
        assert_eq!(used.cpu_us_per_event, 100.0);
        assert_eq!(used.written_bytes_per_event, 20.0);
        assert_eq!(used.peak_rss_bytes, 7.0);
    }

    #[test]
    fn a_detail_is_the_median_of_the_rounds_that_have_it() {
        let round = |ms: f64| Sample {
            latency: Some((
                Until::Received,
                Spread {
                    p50_ms: ms,
                    max_ms: 10.0 * ms,
                    ..Spread::default()
                },
            )),
            used: None,
        };
        let used = Used::between(usage(0, 0, 0), usage(3, 9, 0), 1_000);
        let last = Sample {
            used: Some(used),
            ..round(2.0)
        };
        let detail = Detail::of("relay", Side::Broker, &[round(3.0), round(1.0), last]);
        let latency = detail.latency.unwrap();
        assert_eq!((latency.p50_ms, latency.max_ms), (2.0, 30.0));
        assert_eq!(
            (detail.until, detail.used),
            (Some(Until::Received), Some(used))
        );
    }

    #[test]
    fn what_was_not_measured_is_not_there() {
        let detail = Detail::of("relay", Side::Baseline, &[Sample::default()]);
        let printed = serde_json::to_value(detail).unwrap();
        assert!(printed["latency"].is_null() && printed.get("peak_rss_bytes").is_none());
    }
}
