//! The bodies of the vendor's answers (X-09 to X-13, ZRT, ZSS), with its names.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::clock::Timestamp;

/// What a website is called where its figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "WebsiteName")]
pub struct Named<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its domain.
    pub domain: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The first and the last moment of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DateRange")]
pub struct Dates {
    /// Such as `2026-02-01`.
    pub start: String,
    /// Such as `2026-02-07`.
    pub end: String,
    /// To the millisecond.
    #[serde(rename = "startDateTime")]
    pub start_date_time: Timestamp,
    /// To the millisecond.
    #[serde(rename = "endDateTime")]
    pub end_date_time: Timestamp,
}

/// The overview of a range (X-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Overview<'a> {
    /// Of which website.
    pub website: Named<'a>,
    /// As it was asked for.
    pub time_range: &'static str,
    /// From when to when.
    pub date_range: Dates,
    /// The totals.
    pub summary: Summary,
    /// Day by day, today last (ZRT-15).
    pub daily_stats: Vec<DailyStat>,
}

/// A part of the list of visitors (X-10).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Visitors {
    /// The newest first.
    pub visitors: Vec<Visitor>,
    /// Which part.
    pub pagination: Pagination,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pagination {
    /// How many were asked for.
    pub limit: usize,
    /// How many were left out.
    pub offset: usize,
    /// Whether there are more.
    pub has_more: bool,
}

/// The totals of a range (ZRT-11, ZRT-12, ZSS-21). The last two are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Visits that began.
    pub total_visitors: u64,
    /// Page views.
    pub total_page_views: u64,
    /// Different visitors.
    pub unique_visitors: u64,
    /// Of those, users.
    pub known_visitors: u64,
    /// Of those, visitors whom only their browser knows.
    pub anonymous_visitors: u64,
}

/// One UTC day (ZRT-14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DailyStat {
    /// Such as `2026-02-07`.
    pub date: String,
    /// The website.
    pub website_id: String,
    /// Visits that began.
    pub total_visitors: u64,
    /// Different visitors.
    pub unique_visitors: u64,
    /// Page views.
    pub page_views: u64,
}

/// A page (ZRT-27).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PageViews {
    /// The page.
    pub url: String,
    /// How often it was looked at.
    pub views: u64,
}

/// A country (X-11).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Country {
    /// Its code; null for visits of which it is not known.
    pub country_code: Option<String>,
    /// Its name, if it was told.
    pub country_name: Option<String>,
    /// Visits that began.
    pub visitors: u64,
    /// The mean of all scores, if there were any.
    pub avg_value_score: Option<Score>,
}

/// A score: a whole number where it is one, else with two decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score(pub f64);

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rounded = (self.0 * 100.0).round() / 100.0;
        // Beyond 2^53 there are no fractions and not every whole number.
        if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
            serializer.serialize_i64(rounded as i64)
        } else {
            serializer.serialize_f64(rounded)
        }
    }
}

/// Visits by one thing (A-25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Share {
    /// Its name, or `Unknown`.
    pub name: String,
    /// Visits that began.
    pub visitors: u64,
}

/// What visitors came with (A-25: the vendor shows this body nowhere).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Technology {
    /// By browser.
    pub browsers: Vec<Share>,
    /// By operating system.
    pub operating_systems: Vec<Share>,
    /// By type of device.
    pub device_types: Vec<Share>,
}

/// One visit (ZRT-40).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Visitor {
    /// Stands for the visitor, and is not his name.
    pub id: String,
    /// Null where it is not known, as all that follows (ZRT-41).
    pub country_code: Option<String>,
    /// As the country.
    pub country_name: Option<String>,
    /// As the country.
    pub city: Option<String>,
    /// As the country.
    pub device_type: Option<String>,
    /// As the country.
    pub browser: Option<String>,
    /// As the country.
    pub os: Option<String>,
    /// The last that was told.
    pub value_score: Option<Score>,
    /// When the visit began; always 24 characters, so that texts sort as times do (ZRT-42).
    pub visited_at: Timestamp,
    /// The first page.
    pub landing_page: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
    /// Whether anything followed the first page view.
    pub had_interaction: bool,
}

/// A group of errors (ZRT-28).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorGroup {
    /// Its id.
    pub id: String,
    /// What its errors have in common, to read.
    pub fingerprint: String,
    /// Its message.
    pub message: String,
    /// Its type.
    pub r#type: String,
    /// Always `unresolved`: nobody can resolve one here.
    pub status: &'static str,
    /// How often it happened.
    pub occurrence_count: u64,
    /// When it first happened.
    pub first_seen_at: Timestamp,
    /// When it last happened.
    pub last_seen_at: Timestamp,
    /// How many visitors it happened to.
    pub affected_users_count: u64,
}

/// The live count under every name that the vendor's editions have for it (A-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Live {
    /// How many visitors are there now.
    visitors: u64,
    /// The same.
    #[serde(rename = "liveCount")]
    live_count: u64,
    /// The same.
    count: u64,
    timestamp: Timestamp,
}

impl Live {
    /// So many at `now`.
    pub fn new(count: u64, now: Timestamp) -> Self {
        Self {
            visitors: count,
            live_count: count,
            count,
            timestamp: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_written_whole_or_with_two_decimals() {
        let text = |score| serde_json::to_string(&Score(score)).unwrap();
        assert_eq!(text(85.0), "85");
        assert_eq!(text(52.336_6), "52.34");
        assert_eq!(text(-0.5), "-0.5");
        assert_eq!(text(1e30), "1e+30");
    }

    #[test]
    fn a_20_the_live_count_has_all_its_names() {
        let live = Live::new(42, Timestamp::from_millis(1_770_465_600_000));
        assert_eq!(
            serde_json::to_string(&live).unwrap(),
            r#"{"visitors":42,"liveCount":42,"count":42,"timestamp":"2026-02-07T12:00:00.000Z"}"#
        );
    }
}
