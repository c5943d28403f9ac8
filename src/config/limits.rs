//! Every limit: its default, its range, and why it is there. Keys of the `[limits]` table.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::report::Report;
use super::section::Section;
use crate::duration::format_duration;
use crate::words::quoted;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $min:expr => $max:expr;)+) => {
        /// What redeliver never exceeds. Together the defaults keep it within 128 MiB of memory, and
        /// some 30 MiB more for each website of which so many page views are kept.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// The names of all limits.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($name)),+];

            fn read_each(report: &mut Report, section: &Section<'_>) -> Self {
                Self {
                    $($name: <$type>::read(report, section, stringify!($name), $min..=$max)
                        .unwrap_or($default),)+
                }
            }

            #[cfg(test)]
            fn assert_in_range(&self) {
                $(assert!(($min..=$max).contains(&self.$name), stringify!($name));)+
            }
        }
    };
}

limits! {
    /// The largest request body. Webhooks are a few KiB; 1 MiB is what senders such as Svix
    /// advise as the most.
    max_body_bytes: usize = MIB, KIB => 16 * MIB;
    /// Open inbound connections. Each costs a descriptor and some 20 KiB. For one more, the one that
    /// has waited the longest without a request is closed; where each has a request, it waits in
    /// the listen queue. Lowered at start where the system gives fewer descriptors.
    max_connections: usize = 1024, 1 => 65_536;
    /// How long a client may take over the request's head: a slow head holds a connection.
    header_timeout: Duration = seconds(10), seconds(1) => seconds(300);
    /// How long a client may take over the request's body.
    body_timeout: Duration = seconds(30), seconds(1) => seconds(600);
    /// Bytes of bodies that are still coming in, the first 16 KiB of each not counted: a thousand
    /// senders that stall at the end of a large one must not take the memory. Beyond it large
    /// bodies are told 503.
    incoming_bytes: usize = 16 * MIB, KIB => 1024 * MIB;
    /// How long a client may take to read what it is answered, once its side is full: an answer
    /// that nobody reads holds its memory and a connection. The largest is some 6 MiB.
    answer_timeout: Duration = seconds(60), seconds(1) => seconds(600);
    /// Events that wait for the committer: four full groups, some 20 ms of work. More would be
    /// latency without throughput; beyond it clients are told 503.
    ingest_queue_events: usize = 4096, 1 => 1_000_000;
    /// Bytes that wait for the committer: the greatest single part of the memory under load.
    ingest_queue_bytes: usize = 16 * MIB, 64 * KIB => 1024 * MIB;
    /// Events in one commit group: throughput per fsync flattens out near a thousand.
    group_max_events: usize = 1024, 1 => 65_536;
    /// Bytes in one commit group: half of a store segment, so that a group never needs a file of
    /// its own.
    group_max_bytes: usize = 4 * MIB, 64 * KIB => 64 * MIB;
    /// How long a repeated id is recognised (ZEB-26).
    dedupe_window: Duration = seconds(4 * 3600), seconds(1) => seconds(7 * 24 * 3600);
    /// Ids that are remembered at most, at about 85 bytes each: a flood must not take the memory.
    /// Beyond it the oldest are forgotten first, before their window has passed.
    dedupe_max_entries: usize = 500_000, 1000 => 100_000_000;
    /// The store's page cache. Its own default is 1 GiB, and it exceeds what it is told.
    store_cache_bytes: usize = 32 * MIB, MIB => MIB.saturating_mul(64 * KIB);
    /// The journal's two files, each: what the database takes in at once, in the background. As much
    /// again waits in memory. 0 writes straight to the database, slower.
    store_journal_bytes: usize = 4 * MIB, 0 => 1024 * MIB;
    /// Attempts under way over all endpoints: each costs a socket and up to 64 KiB of answer.
    /// Lowered at start where the system gives fewer descriptors.
    deliveries_in_flight_max: usize = 512, 1 => 65_536;
    /// How long a stop waits for what is under way. What is not done by then is attempted again
    /// after the next start; most supervisors kill after 10 to 30 seconds.
    drain_timeout: Duration = seconds(10), seconds(1) => seconds(600);
    /// Free disk space below which events are refused with 507, so that settlements and the
    /// store's own housekeeping still have room.
    disk_reserve_bytes: usize = 64 * MIB, MIB => MIB.saturating_mul(1024 * KIB);
    /// Retries of one endpoint that are held in memory; the rest wait in the store.
    waiting_max_per_endpoint: usize = 100_000, 1 => 10_000_000;
    /// Page views of a website that are kept one by one for two days, and visits for its list: at 48
    /// and 64 bytes each. Figures of the last 24 hours are exact up to it.
    analytics_views_max: usize = 200_000, 1000 => 10_000_000;
    /// Open event streams. Each takes a connection for as long as its client likes, so there are
    /// never more than three quarters of `max_connections`: the others stay for those who bring
    /// events. Beyond it clients are told 503.
    streams_max: usize = 1024, 1 => 65_536;
    /// Endpoints in all: what one process has been measured with.
    endpoints_max: usize = 10_000, 1 => 1_000_000;
    /// Endpoints that metrics show by name, at nine lines each: every line costs the Prometheus that
    /// reads it. The others are summed up as `(other)`.
    metrics_endpoints_max: usize = 1000, 0 => 100_000;
}

/// Reads one limit, within its range.
trait Limit: Sized {
    fn read(
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<Self>,
    ) -> Option<Self>;
}

impl Limit for usize {
    fn read(
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<Self>,
    ) -> Option<Self> {
        let (min, max) = range.into_inner();
        let number = section.integer(report, key, min as u64..=max as u64)?;
        usize::try_from(number).ok()
    }
}

impl Limit for Duration {
    fn read(
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<Self>,
    ) -> Option<Self> {
        let given = section.duration(report, key)?;
        if range.contains(&given) {
            return Some(given);
        }
        let shown = quoted(&format_duration(given));
        let (min, max) = (
            format_duration(*range.start()),
            format_duration(*range.end()),
        );
        report.error(
            section.place(key),
            format!("{key} {shown} is not within {min} to {max}; choose another"),
        );
        None
    }
}

impl Limits {
    pub(super) fn read(report: &mut Report, section: &Section<'_>) -> Self {
        section.refuse_unknown(report, Self::KEYS);
        let limits = Self::read_each(report, section);
        // A body that fits no group or no room, or a group that fits no queue, could never be taken.
        for (small, small_key, large, large_key) in [
            (
                limits.max_body_bytes,
                "max_body_bytes",
                limits.group_max_bytes,
                "group_max_bytes",
            ),
            (
                limits.max_body_bytes,
                "max_body_bytes",
                limits.incoming_bytes,
                "incoming_bytes",
            ),
            (
                limits.group_max_bytes,
                "group_max_bytes",
                limits.ingest_queue_bytes,
                "ingest_queue_bytes",
            ),
        ] {
            if small > large {
                let key = if section.has(small_key) {
                    small_key
                } else {
                    large_key
                };
                report.error(
                    section.place(key),
                    format!("{small_key} {small} is more than {large_key} {large}; raise {large_key} or lower {small_key}"),
                );
            }
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_own_range() {
        Limits::default().assert_in_range();
        assert_eq!(Limits::KEYS.len(), 22);
    }
}
