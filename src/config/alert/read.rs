//! How an `[[alert]]` is read.

use std::time::Duration;

use super::{Alert, Bound, Metric, Period, Rule, Shape};
use crate::config::report::Report;
use crate::config::section::Section;
use crate::config::{list_of_tables, unique};
use crate::duration::format_duration;
use crate::endpoint::validate::check_name;
use crate::words::{mend, quoted};

/// Each alert is a task of its own that asks its website again and again.
const ALERTS_MAX: usize = 1000;

/// A check may read as many visits as are kept.
const EVERY_MIN: Duration = Duration::from_secs(10);

/// ZRT-43.
const VALUABLE: f64 = 70.0;

/// ZRT-17.
const FACTOR: f64 = 2.0;

/// The kinds, as they are written in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum When {
    HighValueVisitor,
    TrafficSpike,
    Above,
    Below,
}

pub(in crate::config) const WHENS: &[(&str, When)] = &[
    ("high-value-visitor", When::HighValueVisitor),
    ("traffic-spike", When::TrafficSpike),
    ("above", When::Above),
    ("below", When::Below),
];

/// A figure of a time.
type Figure = fn(Period) -> Metric;

const METRICS: &[(&str, Figure)] = &[
    ("live", |_| Metric::Live),
    ("total_visitors", Metric::TotalVisitors),
    ("total_page_views", Metric::TotalPageViews),
];

const PERIODS: &[(&str, Period)] = &[
    (Period::LastDay.word(), Period::LastDay),
    (Period::Week.word(), Period::Week),
    (Period::Month.word(), Period::Month),
    (Period::Quarter.word(), Period::Quarter),
    (Period::Year.word(), Period::Year),
];

const SHAPES: &[(&str, Shape)] = &[
    (Shape::Event.word(), Shape::Event),
    (Shape::Slack.word(), Shape::Slack),
];

/// The keys that each alert may have.
pub(in crate::config) const COMMON: [&str; 5] = ["name", "website", "when", "every", "shape"];

impl When {
    pub(in crate::config) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::HighValueVisitor => &["threshold"],
            Self::TrafficSpike => &["factor"],
            Self::Above | Self::Below => &["metric", "range", "threshold"],
        }
    }

    fn every(self) -> Duration {
        let minutes = match self {
            // ZRT-43.
            Self::HighValueVisitor => 1,
            Self::TrafficSpike => 5,
            // ZSS-22.
            Self::Above | Self::Below => 60,
        };
        Duration::from_secs(60 * minutes)
    }
}

/// All alerts of the file; `websites`: the ids of all its websites.
pub(in crate::config) fn read_all(
    report: &mut Report,
    root: &Section<'_>,
    websites: &[&str],
) -> Vec<Alert> {
    let tables = list_of_tables(report, root, "alert");
    unique(report, &tables, "alert", "name");
    if let Some(table) = tables.get(ALERTS_MAX) {
        let count = tables.len();
        report.error(
            table.at,
            format!("there are {count} alerts, more than {ALERTS_MAX}; take some out"),
        );
    }
    let alerts = tables
        .iter()
        .filter_map(|table| read(report, table, websites));
    alerts.collect()
}

fn read(report: &mut Report, section: &Section<'_>, websites: &[&str]) -> Option<Alert> {
    let when = section.choice(report, "when", WHENS);
    match when {
        Some(when) => refuse_foreign(report, section, when),
        None => section.refuse_unknown(report, &[&COMMON[..], ALL].concat()),
    }
    let name = section.required_text(report, "name");
    if let Some(Err(detail)) = name.map(check_name) {
        report.error(section.place("name"), detail);
    }
    let website = section.required_text(report, "website");
    if let Some(id) = website.filter(|id| !websites.contains(id)) {
        let mend = match websites {
            [] => "add a [[website]] with this id".to_owned(),
            ids => mend(id, ids.iter().copied()),
        };
        let detail = format!("website {} is not defined; {mend}", quoted(id));
        report.error(section.place("website"), detail);
    }
    section.require(
        report,
        "when",
        &mend("", WHENS.iter().map(|(word, _)| *word)),
    );
    let every = every(report, section);
    let shape = section.choice(report, "shape", SHAPES);
    let rule = rule(report, section, when?)?;
    Some(Alert {
        name: name?.to_owned(),
        website: website?.to_owned(),
        rule,
        every: every.unwrap_or(when?.every()),
        shape: shape.unwrap_or(Shape::Event),
        line: report.line(section.at),
    })
}

/// The keys that belong to one kind or another.
const ALL: &[&str] = &["threshold", "factor", "metric", "range"];

/// Refuses keys of other kinds in words of their own: a key that is known elsewhere looks right.
fn refuse_foreign(report: &mut Report, section: &Section<'_>, when: When) {
    let word = WHENS.iter().find(|(_, other)| *other == when);
    let word = quoted(word.map_or("", |(word, _)| word));
    let allowed = when.keys().join(", ");
    let foreign = |key: &&&str| section.has(key) && !when.keys().contains(key);
    let foreign: Vec<&str> = ALL.iter().filter(foreign).copied().collect();
    for key in &foreign {
        report.error(
            section.place(key),
            format!("{key} does not belong to an alert when {word}; take it out (its keys are {allowed})"),
        );
    }
    section.refuse_unknown(report, &[&COMMON[..], when.keys(), &foreign].concat());
}

fn every(report: &mut Report, section: &Section<'_>) -> Option<Duration> {
    let every = section.duration(report, "every")?;
    if every < EVERY_MIN {
        let (shown, min) = (format_duration(every), format_duration(EVERY_MIN));
        report.error(
            section.place("every"),
            format!(
                "every {} is less than {min}; give a longer time",
                quoted(&shown)
            ),
        );
    }
    Some(every)
}

fn rule(report: &mut Report, section: &Section<'_>, when: When) -> Option<Rule> {
    let mut number = |key, range| section.number(report, key, range);
    match when {
        When::HighValueVisitor => {
            let threshold = number("threshold", 0.0..=1e12).unwrap_or(VALUABLE);
            Some(Rule::HighValueVisitor { threshold })
        }
        When::TrafficSpike => {
            let factor = number("factor", 0.1..=1000.0).unwrap_or(FACTOR);
            Some(Rule::TrafficSpike { factor })
        }
        When::Above => bound(report, section).map(Rule::Above),
        When::Below => bound(report, section).map(Rule::Below),
    }
}

fn bound(report: &mut Report, section: &Section<'_>) -> Option<Bound> {
    let metric = section.choice(report, "metric", METRICS);
    let metric = metric.unwrap_or(Metric::TotalVisitors);
    let period = section.choice(report, "range", PERIODS);
    let metric = metric(period.unwrap_or(Period::LastDay));
    if metric == Metric::Live && section.has("range") {
        let detail =
            "range does not belong to metric \"live\", which is of the present; take it out";
        report.error(section.place("range"), detail);
    }
    section.require(report, "threshold", "add threshold = …");
    let threshold = section.number(report, "threshold", 0.0..=1e12)?;
    Some(Bound { metric, threshold })
}
