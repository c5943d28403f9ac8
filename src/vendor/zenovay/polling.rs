//! How a client polls: what it asks for, how often at least and at most, and how long it waits where
//! it is told to (ZRT-07, ZRT-23, ZSS-04 to ZSS-07, ZSS-24).

use std::time::Duration;

use url::Url;

/// How many items of the list of visitors are asked for at once.
pub const PAGE: usize = 100;

/// How many groups of errors are asked for: as many as there may be. The vendor's default is 50, and
/// a new one stands behind those that happened more often.
pub const GROUPS: usize = 200;

/// How often one request is repeated after a 429 (ZSS-07).
pub const RETRIES_MAX: u32 = 3;

/// How long a 429 without a readable `Retry-After` is waited out (ZSS-05).
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest that any header keeps us from asking: a server's mistake must not silence a source.
const TOLD_MAX: Duration = Duration::from_secs(3600);

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
            Self::Live => None,
            Self::ErrorGroups => Some(format!("limit={GROUPS}")),
            Self::Overview => Some("range=24h".to_owned()),
            Self::Visitors => Some(format!("range=24h&limit={PAGE}&offset={offset}")),
        };
        url.set_query(query.as_deref());
        url.set_fragment(None);
        url
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

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
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
                    "http://h:1/below/api/external/v1/errors/a%2Fb/groups?limit=200",
                ]
            );
        }
    }
}
