//! Query parameters: those that are not known are refused, for a filter that is misspelt would
//! silently show too much.

use std::borrow::Cow;
use std::str::FromStr;

use url::form_urlencoded;

use crate::clock::Timestamp;
use crate::endpoint::{FieldError, Filter, FilterOn};
use crate::inbound::problem::Problem;
use crate::words::{listed, mend, nearest, quoted};

/// The most mistakes that are told: more would make the answer many times as long as the request.
const ERRORS_MAX: usize = 100;

/// As many as an endpoint may have; each event that is looked at is matched against all.
const PATTERNS_MAX: usize = 100;

/// A request's query parameters. Places in errors are written `?name`.
pub struct Params<'a> {
    given: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: Vec<FieldError>,
}

impl<'a> Params<'a> {
    /// Reads a query in which only `known` parameters may stand, each once.
    pub fn read(query: Option<&'a str>, known: &[&'static str]) -> Self {
        let mut params = Self {
            given: Vec::new(),
            errors: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if params.errors.len() == ERRORS_MAX {
                break;
            }
            if !known.contains(&&*name) {
                let mend = if known.is_empty() {
                    "there are none here".to_owned()
                } else {
                    mend(&name, known.iter().copied())
                };
                params.add(
                    &name,
                    format!("unknown parameter {}; {mend}", quoted(&name)),
                );
            } else if params.given.iter().any(|(before, _)| *before == name) {
                params.add(&name, format!("{name} is given twice; keep one of the two"));
            } else {
                params.given.push((name, value));
            }
        }
        params
    }

    /// Notes a mistake.
    pub fn add(&mut self, name: &str, detail: impl Into<String>) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(FieldError {
                at: format!("?{name}"),
                detail: detail.into(),
            });
        }
    }

    /// The parameter's text; none if it is absent or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// A moment.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        match Timestamp::parse(self.text(name)?) {
            Ok(time) => Some(time),
            Err(error) => {
                self.add(name, error.to_string());
                None
            }
        }
    }

    /// A number or another value with a text form, within what `accept` allows.
    pub fn value<T: FromStr>(
        &mut self,
        name: &str,
        wanted: &str,
        accept: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok().filter(accept);
        if value.is_none() {
            let detail = format!("{name} {} is not {wanted}", quoted(text));
            self.add(name, detail);
        }
        value
    }

    /// Which types of events: patterns with commas between them.
    pub fn patterns(&mut self, name: &str) -> Option<Filter> {
        let text = self.text(name)?;
        if text.split(',').count() > PATTERNS_MAX {
            let detail = format!(
                "{name} has more than {PATTERNS_MAX} patterns; use a prefix such as \"order.*\""
            );
            self.add(name, detail);
            return None;
        }
        let patterns = text.split(',').map(str::trim).map(str::to_owned);
        Some(Filter {
            on: FilterOn::Kind,
            patterns: patterns.collect(),
        })
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(name)?.to_owned();
        self.one_of(name, &text, choices)
    }

    /// Some of a few words, with commas between them.
    pub fn choices<T: Copy>(&mut self, name: &str, choices: &[(&'static str, T)]) -> Vec<T> {
        let text = self.text(name).unwrap_or_default().to_owned();
        let words = text.split(',').map(str::trim);
        let mut chosen = Vec::new();
        for word in words.filter(|_| !text.is_empty()) {
            match self.one_of(name, word, choices) {
                Some(value) => chosen.push(value),
                None if self.errors.len() == ERRORS_MAX => break,
                None => {}
            }
        }
        chosen
    }

    fn one_of<T: Copy>(
        &mut self,
        name: &str,
        word: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let found = choices.iter().find(|(choice, _)| *choice == word);
        if found.is_none() {
            let words = choices.iter().map(|(choice, _)| *choice);
            let mend = match nearest(word, words.clone()) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None => format!("use one of {}", listed(words)),
            };
            self.add(
                name,
                format!("{name} {} is not known; {mend}", quoted(word)),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// Everything that was wrong, as one problem.
    pub fn check(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_mistakes_the_first_hundred_are_told() {
        let query: String = (0..10_000).map(|i| format!("x{i}&")).collect();
        let mut params = Params::read(Some(&query), &["state"]);
        params.add("state", "one more");
        assert_eq!(params.check().unwrap_err().errors.len(), ERRORS_MAX);
        let query = format!("state={}", "b,".repeat(10_000));
        let mut params = Params::read(Some(&query), &["state"]);
        assert!(params.choices("state", &[("a", 1)]).is_empty());
        assert_eq!(params.check().unwrap_err().errors.len(), ERRORS_MAX);
    }

    #[test]
    fn a_comma_with_nothing_beside_it_is_no_choice() {
        for (query, is_right) in [
            ("state=", true),
            ("state=a", true),
            ("state=,", false),
            ("state=a,", false),
        ] {
            let mut params = Params::read(Some(query), &["state"]);
            params.choices("state", &[("a", 1)]);
            assert_eq!(params.check().is_ok(), is_right, "{query}");
        }
    }

    #[test]
    fn every_wrong_parameter_is_named_at_once() {
        let mut params = Params::read(
            Some("limt=5&since=now&limit=0&limit=1&state=a,b"),
            &["limit", "since", "state"],
        );
        assert_eq!(params.time("since"), None);
        assert_eq!(params.value::<usize>("limit", "above 0", |n| *n > 0), None);
        assert_eq!(params.choices("state", &[("a", 1), ("c", 2)]), [1]);
        let errors = params.check().unwrap_err().errors;
        let places: Vec<_> = errors.iter().map(|error| error.at.as_str()).collect();
        assert_eq!(places, ["?limt", "?limit", "?since", "?limit", "?state"]);
        assert_eq!(
            errors[0].detail,
            "unknown parameter \"limt\"; did you mean \"limit\"?"
        );
    }
}
