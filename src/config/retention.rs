//! `[retention]`: how long what is kept. Without it nothing expires.

use std::time::Duration;

use super::report::Report;
use super::section::Section;
use crate::duration::format_duration;
use crate::words::quoted;

pub(super) const KEYS: &[&str] = &[
    "max_age",
    "max_bytes",
    "waiting_max_age",
    "dead_letters_max_age",
    "attempts_max_age",
];

/// What is looked at every few seconds cannot be kept for less than this.
const AGE_MIN: Duration = Duration::from_secs(60);

/// Two files of records: less would be emptied all the time.
const BYTES_MIN: u64 = 128 << 20;
const BYTES_MAX: u64 = 1 << 50;

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
}

impl Retention {
    pub(super) fn read(report: &mut Report, section: &Section<'_>) -> Self {
        section.refuse_unknown(report, KEYS);
        let read = Self {
            max_age: age(report, section, "max_age"),
            max_bytes: section.integer(report, "max_bytes", BYTES_MIN..=BYTES_MAX),
            waiting_max_age: age(report, section, "waiting_max_age"),
            dead_letters_max_age: age(report, section, "dead_letters_max_age"),
            attempts_max_age: age(report, section, "attempts_max_age"),
        };
        let ends_events = section.has("max_age") || section.has("max_bytes");
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
        let ages = [
            self.max_age,
            self.waiting_max_age,
            self.dead_letters_max_age,
            self.attempts_max_age,
        ];
        let least = ages.into_iter().flatten().min();
        let by_bytes = self.max_bytes.map(|_| Duration::from_secs(60));
        let by_age = least.map(|age| (age / 16).clamp(EVERY_MIN, EVERY_MAX));
        by_age.into_iter().chain(by_bytes).min()
    }
}

const EVERY_MIN: Duration = Duration::from_secs(10);
const EVERY_MAX: Duration = Duration::from_secs(3600);

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
