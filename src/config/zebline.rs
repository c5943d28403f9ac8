//! How strictly a source of kind `zebline` takes events.

use super::report::Report;
use super::section::Section;

/// The keys of such a source, besides its name and kind.
pub(super) const KEYS: &[&str] = &[
    "license",
    "access_token",
    "previous_access_tokens",
    "strict",
    "system_events",
    "requests_per_minute",
    "success_status",
    "accept_unix_time",
];

/// The options of Zebline's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zebline {
    /// Whether a fault of an attribute fails the request instead of dropping the attribute.
    pub strict: bool,
    /// Names, besides those that start with `we_`, that no event may have.
    pub system_events: Vec<String>,
    /// Requests that are taken in a minute (ZEB-04).
    pub requests_per_minute: u32,
    /// The status of success: 201 or 200.
    pub success_status: u16,
    /// Whether `eventTime` may be a number of Unix seconds.
    pub accept_unix_time: bool,
}

impl Default for Zebline {
    fn default() -> Self {
        Self {
            strict: false,
            system_events: Vec::new(),
            requests_per_minute: 5000,
            success_status: 201,
            accept_unix_time: false,
        }
    }
}

pub(super) fn read(report: &mut Report, section: &Section<'_>) -> Zebline {
    let or = Zebline::default();
    let system_events = section.texts(report, "system_events").unwrap_or_default();
    let per_minute = section.integer(report, "requests_per_minute", 1..=u64::from(u32::MAX));
    let per_minute = per_minute.and_then(|number| u32::try_from(number).ok());
    let success = section.integer(report, "success_status", 200..=201);
    let mut switch = |key| section.boolean(report, key);
    Zebline {
        strict: switch("strict").unwrap_or(or.strict),
        accept_unix_time: switch("accept_unix_time").unwrap_or(or.accept_unix_time),
        system_events: system_events
            .iter()
            .map(|name| name.value.to_owned())
            .collect(),
        requests_per_minute: per_minute.unwrap_or(or.requests_per_minute),
        success_status: success.map_or(or.success_status, |status| status as u16),
    }
}
