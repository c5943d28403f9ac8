//! `[operations]`: events about endpoints and deliveries themselves.

use std::time::Duration;

use super::report::Report;
use super::section::Section;
use crate::clock::Timestamp;
use crate::duration::format_duration;
use crate::words::quoted;

pub(super) const KEYS: &[&str] = &["failing_after", "dead_letters_every"];

/// What is told, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations {
    /// An endpoint is failing once each of its attempts has failed for this long.
    pub failing_after: Duration,
    /// New dead letters of an endpoint are told together, this often at most.
    pub dead_letters_every: Duration,
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            failing_after: Duration::from_secs(300),
            dead_letters_every: Duration::from_secs(60),
        }
    }
}

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(24 * 3600);

/// A single failure says nothing of an endpoint, however long ago it was.
const ATTEMPTS_MIN: u64 = 2;

impl Operations {
    /// From when on an endpoint is failing, of which all `attempts` since `since` have failed;
    /// none, if there are too few.
    pub fn failing_from(&self, since: Timestamp, attempts: u64) -> Option<Timestamp> {
        (attempts >= ATTEMPTS_MIN).then(|| since.plus(self.failing_after))
    }

    pub(super) fn read(report: &mut Report, section: &Section<'_>) -> Self {
        section.refuse_unknown(report, KEYS);
        let mut read = |key, default| {
            let given = section.duration(report, key).unwrap_or(default);
            if !(LEAST..=MOST).contains(&given) {
                let shown = quoted(&format_duration(given));
                let detail = format!("{key} {shown} is not within 1s to 24h; choose another");
                report.error(section.place(key), detail);
            }
            given
        };
        let default = Self::default();
        Self {
            failing_after: read("failing_after", default.failing_after),
            dead_letters_every: read("dead_letters_every", default.dead_letters_every),
        }
    }
}
