//! Typed reads from one table of the file; each puts what is wrong into the report.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::Report;
use crate::duration::parse_duration;
use crate::words::{mend, nearest, quoted};

/// One table.
pub(super) struct Section<'t> {
    /// How it is written in the file, such as `[[endpoint]]`.
    pub title: String,
    /// Where it begins.
    pub at: usize,
    pub table: &'t DeTable<'t>,
    /// Known keys that unknown ones are probably misspellings of.
    meant: RefCell<Vec<String>>,
}

/// A value and where it stands.
pub(super) struct Found<T> {
    pub value: T,
    pub at: usize,
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Integer(_) => "an integer",
        DeValue::Array(_) => "an array",
        DeValue::String(_) => "a text",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Table(_) => "a table",
    }
}

/// The table in `value`, titled `title`.
pub(super) fn section<'t>(
    report: &mut Report,
    title: &str,
    value: &'t Spanned<DeValue<'t>>,
) -> Option<Section<'t>> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::Table(table) => Some(Section::new(title, at, table)),
        other => {
            let found = article(other);
            report.error(at, format!("{title} is {found}; write a table"));
            None
        }
    }
}

impl<'t> Section<'t> {
    pub(super) fn new(title: &str, at: usize, table: &'t DeTable<'t>) -> Self {
        Self {
            title: title.to_owned(),
            at,
            table,
            meant: RefCell::default(),
        }
    }

    /// Whether `key` is there, if only misspelt, which has been reported: then it is not missing.
    pub(super) fn has_or_means(&self, key: &str) -> bool {
        self.has(key) || self.meant.borrow().iter().any(|meant| meant == key)
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where `key` stands, or the table where there is none.
    pub(super) fn place(&self, key: &str) -> usize {
        self.table
            .get_key_value(key)
            .map_or(self.at, |(key, _)| key.span().start)
    }

    /// Refuses keys that are not in `known`.
    pub(super) fn refuse_unknown(&self, report: &mut Report, known: &[&str]) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let meant = nearest(name, known.iter().copied());
                self.meant.borrow_mut().extend(meant.map(str::to_owned));
                let mend = mend(name, known.iter().copied());
                let title = &self.title;
                report.error(
                    key.span().start,
                    format!("unknown key {} in {title}; {mend}", quoted(name)),
                );
            }
        }
    }

    /// Says that `key` has the wrong type; shows no value, as it may be a secret.
    pub(super) fn mistyped(&self, report: &mut Report, key: &str, wanted: &str) {
        if let Some(value) = self.get(key) {
            let found = article(value.get_ref());
            report.error(
                value.span().start,
                format!("{key} is {found}; write {wanted}"),
            );
        }
    }

    pub(super) fn text(&self, report: &mut Report, key: &str) -> Option<&'t str> {
        let text = self.get(key)?.get_ref().as_str();
        if text.is_none() {
            self.mistyped(report, key, "a text in quotation marks");
        }
        text
    }

    pub(super) fn required_text(&self, report: &mut Report, key: &str) -> Option<&'t str> {
        self.require(report, key, &format!("add {key} = …"));
        self.text(report, key)
    }

    /// Reports `key` if it is missing.
    pub(super) fn require(&self, report: &mut Report, key: &str, mend: &str) {
        if !self.has_or_means(key) {
            let title = &self.title;
            report.error(self.at, format!("{title} has no {key}; {mend}"));
        }
    }

    pub(super) fn boolean(&self, report: &mut Report, key: &str) -> Option<bool> {
        let boolean = self.get(key)?.get_ref().as_bool();
        if boolean.is_none() {
            self.mistyped(report, key, "true or false");
        }
        boolean
    }

    pub(super) fn integer(
        &self,
        report: &mut Report,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.get(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.mistyped(report, key, "a whole number without quotation marks");
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| u64::try_from(number).ok());
        let in_range = number.filter(|number| range.contains(number));
        if in_range.is_none() {
            let (min, max) = range.into_inner();
            report.error(
                value.span().start,
                format!("{key} {integer} is not within {min} to {max}; choose another"),
            );
        }
        in_range
    }

    /// A number within `range`.
    pub(super) fn number(
        &self,
        report: &mut Report,
        key: &str,
        range: RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = self.get(key)?;
        let bounds = format!("{:?} to {:?}", range.start(), range.end());
        let text = match value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => {
                self.mistyped(report, key, &format!("a number from {bounds}"));
                return None;
            }
        };
        let number = text.parse().ok().filter(|n| range.contains(n));
        if number.is_none() {
            let at = value.span().start;
            report.error(
                at,
                format!("{key} {text} is not within {bounds}; choose another"),
            );
        }
        number
    }

    pub(super) fn duration(&self, report: &mut Report, key: &str) -> Option<Duration> {
        read_duration(report, key, self.get(key)?)
    }

    /// A duration's text, which the endpoint's rules read; a bare number is told its unit here.
    pub(super) fn duration_text(&self, report: &mut Report, key: &str) -> Option<&'t str> {
        let value = self.get(key)?;
        if value.get_ref().as_str().is_none() {
            read_duration(report, key, value);
        }
        value.get_ref().as_str()
    }

    /// The elements of an array.
    pub(super) fn array(
        &self,
        report: &mut Report,
        key: &str,
        wanted: &str,
    ) -> Option<Vec<&'t Spanned<DeValue<'t>>>> {
        let array = self.get(key)?.get_ref().as_array();
        if array.is_none() {
            self.mistyped(report, key, wanted);
        }
        Some(array?.iter().collect())
    }

    pub(super) fn texts(&self, report: &mut Report, key: &str) -> Option<Vec<Found<&'t str>>> {
        let wanted = "an array of texts such as [\"a\", \"b\"]";
        let mut texts = Vec::new();
        for element in self.array(report, key, wanted)? {
            let at = element.span().start;
            match element.get_ref().as_str() {
                Some(value) => texts.push(Found { value, at }),
                None => {
                    let found = article(element.get_ref());
                    report.error(at, format!("{key} holds {found}; write {wanted}"));
                }
            }
        }
        Some(texts)
    }

    pub(super) fn durations(&self, report: &mut Report, key: &str) -> Option<Vec<Duration>> {
        let elements = self.array(report, key, "an array such as [\"1s\", \"10s\", \"1m\"]")?;
        // A schedule with a hole would be another schedule.
        let mut all = Some(Vec::new());
        for element in elements {
            match (read_duration(report, key, element), &mut all) {
                (Some(duration), Some(durations)) => durations.push(duration),
                _ => all = None,
            }
        }
        all
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        report: &mut Report,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(report, key)?;
        let chosen = choices.iter().find(|(word, _)| *word == text);
        if chosen.is_none() {
            let mend = mend(text, choices.iter().map(|(word, _)| *word));
            report.error(
                self.place(key),
                format!("{key} {} is not known; {mend}", quoted(text)),
            );
        }
        chosen.map(|(_, value)| *value)
    }

    pub(super) fn subsection(&self, report: &mut Report, key: &str) -> Option<Section<'t>> {
        section(report, key, self.get(key)?)
    }
}

fn read_duration(report: &mut Report, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
    let at = value.span().start;
    let parsed = match value.get_ref() {
        DeValue::String(text) => parse_duration(text).map_err(|error| error.to_string()),
        DeValue::Integer(number) => {
            let number = number.as_str();
            Err(format!(
                "{number} has no unit; write for example \"{number}s\""
            ))
        }
        other => Err(format!("is {}; write for example \"10s\"", article(other))),
    };
    parsed
        .map_err(|detail| report.error(at, format!("{key} {detail}")))
        .ok()
}
