//! How a client polls: what it asks for how often, how it adapts, how long it waits where it is
//! told to (ZRT-07, ZRT-20 to ZRT-23, ZSS-04 to ZSS-07, ZSS-24).

use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;

/// How many items of the list of visitors are asked for at once.
pub const PAGE: usize = 100;

/// How often one request is repeated after a 429 (ZSS-07).
pub const RETRIES_MAX: u32 = 3;

/// How long a 429 without a readable `Retry-After` is waited out (ZSS-05).
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest that any header keeps us from asking: a server's mistake must not silence a source.
const TOLD_MAX: Duration = Duration::from_secs(3600);

/// Where an adaptive poller starts, and its bounds (ZRT-20).
const ADAPTIVE_START: Duration = Duration::from_secs(30);
const ADAPTIVE_FLOOR: Duration = Duration::from_secs(10);
const ADAPTIVE_CEILING: Duration = Duration::from_secs(120);

/// What is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The live count, for which nobody needs a key (ZRT-02, ZRT-03).
    Live,
    /// The overview of the last day (ZRT-09).
    Overview,
    /// The visitors of the last day (ZRT-40).
    Visitors,
    /// The groups of errors (ZRT-28).
    ErrorGroups,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Live,
        Self::Overview,
        Self::Visitors,
        Self::ErrorGroups,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live count",
            Self::Overview => "analytics",
            Self::Visitors => "visitors",
            Self::ErrorGroups => "error groups",
        }
    }

    /// Whether it is asked for with the API key.
    pub fn wants_key(self) -> bool {
        self != Self::Live
    }

    /// It is never asked for more often (ZRT-07, ZRT-23).
    pub fn least(self) -> Duration {
        Duration::from_secs(match self {
            Self::Live => 5,
            Self::Overview | Self::Visitors => 30,
            Self::ErrorGroups => 60,
        })
    }

    /// The vendor's advice (ZRT-07, ZRT-23).
    pub fn recommended(self) -> Duration {
        Duration::from_secs(match self {
            Self::Live => 10,
            Self::Overview | Self::Visitors => 60,
            Self::ErrorGroups => 300,
        })
    }

    /// Where it is, below the API's `base`: `of` is the tracking code for the live count, else the
    /// website's id.
    pub fn url(self, base: &Url, of: &str, offset: usize) -> Url {
        let mut url = base.clone();
        let path: &[&str] = match self {
            Self::Live => &["e", "live", of],
            Self::Overview => &["api", "external", "v1", "analytics", of],
            Self::Visitors => &["api", "external", "v1", "analytics", of, "visitors"],
            Self::ErrorGroups => &["api", "external", "v1", "errors", of, "groups"],
        };
        // An `http` URL always has segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let query = match self {
            Self::Live | Self::ErrorGroups => None,
            Self::Overview => Some("range=24h".to_owned()),
            Self::Visitors => Some(format!("range=24h&limit={PAGE}&offset={offset}")),
        };
        url.set_query(query.as_deref());
        url.set_fragment(None);
        url
    }
}

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

/// How long a 429 is waited out: whole seconds (ZSS-06), else a minute (ZSS-05).
pub fn retry_after(header: Option<&str>) -> Duration {
    let seconds = header.map(str::trim).filter(|text| is_digits(text));
    let Some(text) = seconds else {
        return RETRY_AFTER;
    };
    // More digits than fit are a long time.
    Duration::from_secs(text.parse().unwrap_or(u64::MAX)).min(TOLD_MAX)
}

/// How long an answer stays fresh by its `Cache-Control` (ZSS-24).
pub fn lifetime(cache_control: Option<&str>) -> Duration {
    let directives = cache_control.unwrap_or_default().split(',').map(str::trim);
    let mut lifetime = Duration::ZERO;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Duration::ZERO;
        }
        let value = value.trim_matches('"');
        if name.eq_ignore_ascii_case("max-age") && is_digits(value) {
            lifetime = Duration::from_secs(value.parse().unwrap_or(u64::MAX)).min(TOLD_MAX);
        }
    }
    lifetime
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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

    #[test]
    fn zss_05_zss_06_a_429_is_waited_out_for_whole_seconds_or_a_minute() {
        for (header, expected) in [
            (Some("0"), 0),
            (Some(" 42 "), 42),
            (Some("3601"), 3600),
            (Some("99999999999999999999999999"), 3600),
            (Some("-1"), 60),
            (Some("1.5"), 60),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 60),
            (Some(""), 60),
            (None, 60),
        ] {
            assert_eq!(retry_after(header), seconds(expected), "{header:?}");
        }
    }

    #[test]
    fn zss_24_an_answer_is_fresh_for_its_max_age_unless_it_may_not_be_stored() {
        for (header, expected) in [
            (Some("private, max-age=300"), 300),
            (Some("Max-Age=\"120\""), 120),
            (Some("max-age=86400"), 3600),
            (Some("max-age=-1"), 0),
            (Some("max-age"), 0),
            (Some("no-store"), 0),
            (Some("max-age=300, no-store"), 0),
            (Some("no-cache, max-age=300"), 0),
            (None, 0),
        ] {
            assert_eq!(lifetime(header), seconds(expected), "{header:?}");
        }
    }

    #[test]
    fn zrt_08_codes_and_ids_are_opaque_and_the_base_may_end_in_a_slash() {
        for base in [
            "http://h:1/below",
            "http://h:1/below/",
            "http://h:1/below?a#b",
        ] {
            let base = Url::parse(base).unwrap();
            let url = |resource: Resource| resource.url(&base, "a/b", 100).to_string();
            assert_eq!(
                Resource::ALL.map(url),
                [
                    "http://h:1/below/e/live/a%2Fb",
                    "http://h:1/below/api/external/v1/analytics/a%2Fb?range=24h",
                    "http://h:1/below/api/external/v1/analytics/a%2Fb/visitors?range=24h&limit=100&offset=100",
                    "http://h:1/below/api/external/v1/errors/a%2Fb/groups",
                ]
            );
        }
    }
}
