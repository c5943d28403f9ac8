//! `[[alert]]`: conditions over a website's figures, told as events.

mod read;

use std::time::Duration;

pub(super) use read::read_all;
#[cfg(test)]
pub(super) use read::{COMMON, WHENS};

/// An alert of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Unique among the alerts; the subject of its events.
    pub name: String,
    /// The id of the website that it looks at.
    pub website: String,
    /// What it waits for.
    pub rule: Rule,
    /// How often it looks.
    pub every: Duration,
    /// What its events look like.
    pub shape: Shape,
    /// The line on which it begins.
    pub line: usize,
}

/// What an alert waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A visit whose `value_score` is at least this.
    HighValueVisitor {
        /// From which score on.
        threshold: f64,
    },
    /// More visitors within a day than is usual.
    TrafficSpike {
        /// From how many times the mean on.
        factor: f64,
    },
    /// A figure above a bound.
    Above(Bound),
    /// A figure below a bound.
    Below(Bound),
}

/// A figure and its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Which figure.
    pub metric: Metric,
    /// Its bound.
    pub threshold: f64,
}

/// A figure of a website.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Who is there now.
    Live,
    /// Visits that began.
    TotalVisitors(Period),
    /// Page views.
    TotalPageViews(Period),
}

/// The time before the present that a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// `24h`
    LastDay,
    /// `7d`
    Week,
    /// `30d`
    Month,
    /// `90d`
    Quarter,
    /// `1y`
    Year,
}

/// What an alert's events look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All that is known, as `data`.
    Event,
    /// `{"text": "…"}` and nothing else, as Slack's incoming webhooks have it (ZRT-44).
    Slack,
}

impl Rule {
    /// How it is written in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HighValueVisitor { .. } => "high-value-visitor",
            Self::TrafficSpike { .. } => "traffic-spike",
            Self::Above(_) => "above",
            Self::Below(_) => "below",
        }
    }
}

impl Metric {
    /// How it is written in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::TotalVisitors(_) => "total_visitors",
            Self::TotalPageViews(_) => "total_page_views",
        }
    }

    /// What it is of; none where it is of the present.
    pub const fn period(self) -> Option<Period> {
        match self {
            Self::Live => None,
            Self::TotalVisitors(period) | Self::TotalPageViews(period) => Some(period),
        }
    }
}

impl Period {
    /// How it is written in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LastDay => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "1y",
        }
    }
}

impl Shape {
    /// How it is written in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Slack => "slack",
        }
    }
}
