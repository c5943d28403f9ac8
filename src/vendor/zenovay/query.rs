//! What is asked: a range, a part of a list, a status.

use std::borrow::Cow;

use url::form_urlencoded;

use super::{Code, Refusal};
use crate::words::quoted;

/// A time before the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Range {
    /// `24h`: the last day, to the millisecond.
    LastDay,
    /// `7d`: today and the six UTC days before, as are those below.
    #[default]
    Week,
    /// `30d`
    Month,
    /// `90d`
    Quarter,
    /// `1y`
    Year,
}

impl Range {
    const ALL: [Self; 5] = [
        Self::LastDay,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// As it is asked for.
    pub fn word(self) -> &'static str {
        match self {
            Self::LastDay => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "1y",
        }
    }

    /// How many UTC days it has; none if it slides.
    pub fn days(self) -> Option<u32> {
        match self {
            Self::LastDay => None,
            Self::Week => Some(7),
            Self::Month => Some(30),
            Self::Quarter => Some(90),
            Self::Year => Some(365),
        }
    }
}

/// Which groups of errors are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `unresolved`, or `open`, which the vendor's own guide has.
    Unresolved,
    /// `resolved`
    Resolved,
    /// `ignored`
    Ignored,
}

/// How many items a list has unless it is asked, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    default: usize,
    max: usize,
}

///
pub const VISITORS: Bounds = bounds(100, 1000);
/// ZSS-15; the vendor names no most.
pub const PAGES: Bounds = bounds(20, 1000);
///
pub const COUNTRIES: Bounds = bounds(20, 100);
///
pub const ERROR_GROUPS: Bounds = bounds(50, 200);

const fn bounds(default: usize, max: usize) -> Bounds {
    Bounds { default, max }
}

/// A request's query parameters. What is not known is let be, as the vendor's clients come in many
/// editions; what is empty is as if it were not there.
#[derive(Debug)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the part of a URL behind the question mark.
    pub fn read(text: Option<&'a str>) -> Self {
        let parameters = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(parameters.collect())
    }

    /// The first value of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// `range`, a week unless it is given.
    pub fn range(&self) -> Result<Range, Refusal> {
        let Some(text) = self.text("range") else {
            return Ok(Range::default());
        };
        let found = Range::ALL.into_iter().find(|range| range.word() == text);
        found.ok_or_else(|| wrong("range", text, "one of 24h, 7d, 30d, 90d, 1y"))
    }

    /// `limit`, within its bounds.
    pub fn limit(&self, bounds: Bounds) -> Result<usize, Refusal> {
        let Some(text) = self.text("limit") else {
            return Ok(bounds.default);
        };
        let Bounds { max, .. } = bounds;
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        limit.ok_or_else(|| wrong("limit", text, &format!("a whole number from 1 to {max}")))
    }

    /// `offset`, from the beginning unless it is given.
    pub fn offset(&self) -> Result<usize, Refusal> {
        let Some(text) = self.text("offset") else {
            return Ok(0);
        };
        let offset = text.parse::<u32>().ok();
        offset
            .and_then(|offset| usize::try_from(offset).ok())
            .ok_or_else(|| wrong("offset", text, "a whole number from 0"))
    }

    /// `status`, all of them unless it is given (ZSS-18).
    pub fn status(&self) -> Result<Option<Status>, Refusal> {
        let Some(text) = self.text("status") else {
            return Ok(None);
        };
        match text {
            "unresolved" | "open" => Ok(Some(Status::Unresolved)),
            "resolved" => Ok(Some(Status::Resolved)),
            "ignored" => Ok(Some(Status::Ignored)),
            _ => Err(wrong(
                "status",
                text,
                "one of unresolved (or open), resolved, ignored",
            )),
        }
    }
}

fn wrong(name: &str, text: &str, wanted: &str) -> Refusal {
    let message = format!("Invalid {name} {}: use {wanted}", quoted(text));
    Refusal::new(Code::Validation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query<'_> {
        Query::read(Some(text))
    }

    #[test]
    fn a_22_a_range_is_one_of_five_and_a_week_unless_asked() {
        for range in Range::ALL {
            let text = format!("range={}", range.word());
            assert_eq!(query(&text).range(), Ok(range));
        }
        assert_eq!(Query::read(None).range(), Ok(Range::Week));
        assert_eq!(query("range=&utm=x").range(), Ok(Range::Week));
        let refusal = query("range=7D").range().unwrap_err();
        assert_eq!(refusal.code, Code::Validation);
        assert_eq!(
            refusal.message,
            "Invalid range \"7D\": use one of 24h, 7d, 30d, 90d, 1y"
        );
    }

    #[test]
    fn x_10_to_x_12_limits_have_their_defaults_and_their_most() {
        for (bounds, default, max) in [
            (VISITORS, 100, 1000),
            (PAGES, 20, 1000),
            (COUNTRIES, 20, 100),
            (ERROR_GROUPS, 50, 200),
        ] {
            assert_eq!(query("").limit(bounds), Ok(default));
            assert_eq!(query(&format!("limit={max}")).limit(bounds), Ok(max));
            for wrong in ["0", "-1", "1e2", "x", &format!("{}", max + 1)] {
                let text = format!("limit={wrong}");
                assert!(query(&text).limit(bounds).is_err(), "{text}");
            }
        }
        assert_eq!(query("").offset(), Ok(0));
        assert_eq!(query("offset=0").offset(), Ok(0));
        assert!(query("offset=-1").offset().is_err());
    }

    #[test]
    fn a_23_open_is_unresolved_and_no_status_is_all() {
        assert_eq!(query("status=open").status(), Ok(Some(Status::Unresolved)));
        assert_eq!(query("status=ignored").status(), Ok(Some(Status::Ignored)));
        assert_eq!(query("limit=1").status(), Ok(None));
        assert!(query("status=closed").status().is_err());
    }
}
