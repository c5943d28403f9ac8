//! `[otel]`: what of traces is no matter of the standard `OTEL_…` variables.

use super::report::Report;
use super::section::Section;
use crate::words::quoted;

pub(super) const KEYS: &[&str] = &["traceparent"];

/// More are better written as `*`.
const NAMES_MAX: usize = 1_000;

/// In the place of names: every endpoint.
const EVERY: &str = "*";

/// What receivers are told of traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Otel {
    /// The names of those endpoints whose requests carry a `traceparent`; `*` is all of them.
    pub traceparent: Vec<String>,
}

impl Otel {
    pub(super) fn read(report: &mut Report, section: &Section<'_>) -> Self {
        section.refuse_unknown(report, KEYS);
        let names = section.texts(report, "traceparent").unwrap_or_default();
        if names.len() > NAMES_MAX {
            let detail = format!("traceparent has more than {NAMES_MAX} names; write [\"*\"]");
            report.error(section.place("traceparent"), detail);
        }
        for name in &names {
            let like_a_pattern = name.value != EVERY && name.value.contains(EVERY);
            if like_a_pattern || name.value.is_empty() {
                let detail = format!(
                    "traceparent holds {}; give names of endpoints, or \"*\" for all of them",
                    quoted(name.value)
                );
                report.error(name.at, detail);
            }
        }
        Self {
            traceparent: names
                .into_iter()
                .map(|name| name.value.to_owned())
                .collect(),
        }
    }
}
