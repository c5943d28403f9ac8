//! `[retention]`: how long what is kept. Without it nothing expires.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::Report;
use super::section::{Section, section};
use crate::duration::format_duration;
use crate::words::{mend, quoted};

pub(super) const KEYS: &[&str] = &[
    "max_age",
    "max_bytes",
    "waiting_max_age",
    "dead_letters_max_age",
    "attempts_max_age",
    "sources",
];

pub(super) const SOURCE_KEYS: &[&str] = &["max_age", "max_bytes", "dead_letters_max_age"];

/// In place of an age, where the general one is not to hold.
const FOREVER: &str = "forever";

/// What is looked at every few seconds cannot be kept for less than this.
const AGE_MIN: Duration = Duration::from_secs(60);

/// Two files of records: less would be emptied all the time.
const BYTES_MIN: u64 = 128 << 20;
const BYTES_MAX: u64 = 1 << 50;

/// Of one source: some hundred frames, which are written again one by one.
const SOURCE_BYTES_MIN: u64 = 1 << 20;

/// How long what is kept; what is `None`, for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events that no delivery waits for.
    pub max_age: Option<Duration>,
    /// Bytes of all records, above which the oldest events go that no delivery waits for.
    pub max_bytes: Option<u64>,
    /// Deliveries: those that wait for longer become dead letters.
    pub waiting_max_age: Option<Duration>,
    /// Events with a dead letter.
    pub dead_letters_max_age: Option<Duration>,
    /// What is known of attempts.
    pub attempts_max_age: Option<Duration>,
    /// Sources for which something else holds, by name.
    pub sources: BTreeMap<String, SourceRetention>,
}

/// How long what of one source is kept, with the general rule's word where its table says nothing;
/// what is `None`, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceRetention {
    /// Its events that no delivery waits for.
    pub max_age: Option<Duration>,
    /// Bytes of its events' records, above which the oldest go that no delivery waits for.
    pub max_bytes: Option<u64>,
    /// Its events with a dead letter.
    pub dead_letters_max_age: Option<Duration>,
}

impl Retention {
    /// `known` are the sources that an event can have.
    pub(super) fn read(report: &mut Report, section: &Section<'_>, known: &[&str]) -> Self {
        section.refuse_unknown(report, KEYS);
        let mut read = Self {
            sources: BTreeMap::new(),
            max_age: age(report, section, "max_age"),
            max_bytes: section.integer(report, "max_bytes", BYTES_MIN..=BYTES_MAX),
            waiting_max_age: age(report, section, "waiting_max_age"),
            dead_letters_max_age: age(report, section, "dead_letters_max_age"),
            attempts_max_age: age(report, section, "attempts_max_age"),
        };
        let of_sources = sources(report, section);
        for (name, table) in &of_sources {
            if !known.contains(&&**name) {
                let mend = mend(name, known.iter().copied());
                let name = quoted(name);
                report.error(
                    table.at,
                    format!(
                        "{} is about source {name}, which is not defined; {mend}",
                        table.title
                    ),
                );
            }
            let rule = SourceRetention::read(report, table, &read);
            read.sources.insert(name.clone(), rule);
        }
        let ends = |table: &Section<'_>| table.has("max_age") || table.has("max_bytes");
        let ends_events = ends(section) || of_sources.iter().any(|(_, table)| ends(table));
        if !ends_events && section.has("dead_letters_max_age") {
            let detail = "dead_letters_max_age does nothing without max_age or max_bytes, for events are kept for ever; add one of them";
            report.error(section.place("dead_letters_max_age"), detail);
        }
        if let (Some(all), Some(dead)) = (read.max_age, read.dead_letters_max_age)
            && dead < all
        {
            let [all, dead] = [all, dead].map(|age| quoted(&format_duration(age)));
            report.error(
                section.place("dead_letters_max_age"),
                format!("dead_letters_max_age {dead} is shorter than max_age {all}, before which no event goes; raise it, or lower max_age"),
            );
        }
        read
    }

    /// How often it is looked whether something has expired; never, if nothing ever does.
    pub fn every(&self) -> Option<Duration> {
        let of_sources = self.sources.values();
        let ages = of_sources
            .clone()
            .flat_map(|it| [it.max_age, it.dead_letters_max_age]);
        let ages = ages.chain([
            self.max_age,
            self.waiting_max_age,
            self.dead_letters_max_age,
            self.attempts_max_age,
        ]);
        let least = ages.flatten().min();
        let bytes = of_sources.map(|it| it.max_bytes).chain([self.max_bytes]);
        let by_bytes = bytes.flatten().min().map(|_| Duration::from_secs(60));
        let by_age = least.map(|age| (age / 16).clamp(EVERY_MIN, EVERY_MAX));
        by_age.into_iter().chain(by_bytes).min()
    }
}

const EVERY_MIN: Duration = Duration::from_secs(10);
const EVERY_MAX: Duration = Duration::from_secs(3600);

/// The tables of `[retention.sources]`, by name.
fn sources<'t>(report: &mut Report, retention: &Section<'t>) -> Vec<(String, Section<'t>)> {
    let table = retention.table.get("sources");
    let table = table.and_then(|table| section(report, "[retention.sources]", table));
    let Some(table) = table else {
        return Vec::new();
    };
    let named = table.table.iter().filter_map(|(name, value)| {
        let name = name.get_ref().to_string();
        let title = format!("[retention.sources.{name}]");
        section(report, &title, value).map(|section| (name, section))
    });
    named.collect()
}

impl SourceRetention {
    fn read(report: &mut Report, section: &Section<'_>, general: &Retention) -> Self {
        section.refuse_unknown(report, SOURCE_KEYS);
        let read = Self {
            max_age: own_age(report, section, "max_age", general.max_age),
            max_bytes: section.integer(report, "max_bytes", SOURCE_BYTES_MIN..=BYTES_MAX),
            dead_letters_max_age: own_age(
                report,
                section,
                "dead_letters_max_age",
                general.dead_letters_max_age,
            ),
        };
        if let (Some(all), Some(bytes)) = (general.max_bytes, read.max_bytes)
            && bytes > all
        {
            report.error(
                section.place("max_bytes"),
                format!("max_bytes {bytes} is more than max_bytes {all} under [retention], which bounds the records of all sources; lower this one, or raise that one"),
            );
        }
        if let (Some(all), Some(dead)) = (read.max_age, read.dead_letters_max_age)
            && dead < all
            && section.has("dead_letters_max_age")
        {
            let [all, dead] = [all, dead].map(|age| quoted(&format_duration(age)));
            report.error(
                section.place("dead_letters_max_age"),
                format!("dead_letters_max_age {dead} is shorter than max_age {all}, before which no event of this source goes; raise it, or lower max_age"),
            );
        }
        read
    }
}

/// An age of a source: its own, for ever, or the general one.
fn own_age(
    report: &mut Report,
    section: &Section<'_>,
    key: &str,
    general: Option<Duration>,
) -> Option<Duration> {
    let value = section.table.get(key);
    match value.map(|value| value.get_ref().as_str()) {
        Some(Some(FOREVER)) => None,
        Some(_) => age(report, section, key),
        None => general,
    }
}

fn age(report: &mut Report, section: &Section<'_>, key: &str) -> Option<Duration> {
    let age = section.duration(report, key)?;
    if age < AGE_MIN {
        let (age, least) = (quoted(&format_duration(age)), format_duration(AGE_MIN));
        report.error(
            section.place(key),
            format!("{key} {age} is shorter than {least}, the least; give a longer time"),
        );
        return None;
    }
    Some(age)
}
