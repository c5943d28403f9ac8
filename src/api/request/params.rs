//! Query parameters: those that are not known are refused, for a filter that is misspelt would
//! silently show too much.

use std::borrow::Cow;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::clock::Timestamp;
use crate::endpoint::{FieldError, Filter, FilterOn};
use crate::inbound::problem::Problem;
use crate::words::{listed, mend, nearest, quoted};

/// The most mistakes that are told: more would make the answer many times as long as the request.
const ERRORS_MAX: usize = 100;

/// As many as an endpoint may have; each event that is looked at is matched against all.
const PATTERNS_MAX: usize = 100;

/// Both names of the same: a stream has the second one, by which it is known, and lists the first.
const TYPE: [&str; 2] = ["type", "types"];

/// What does not tell one query from another, as its list goes on: where, how many, and moments,
/// which a client may tell as "two hours ago" each time anew.
const MOVING: [&str; 4] = ["cursor", "limit", "since", "until"];

/// A request's query parameters. Places in errors are written `?name`.
pub struct Params<'a> {
    given: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: Vec<FieldError>,
}

impl<'a> Params<'a> {
    /// Reads a query in which only `known` parameters may stand, each once and none of them empty:
    /// a filter whose value was lost would show everything.
    pub fn read(query: Option<&'a str>, known: &[&'static str]) -> Self {
        let mut params = Self {
            given: Vec::new(),
            errors: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if params.errors.len() == ERRORS_MAX {
                break;
            }
            let is_type = TYPE.contains(&&*name);
            let is = |of: &str| of == name || is_type && TYPE.contains(&of);
            if !known.iter().copied().any(is) {
                let mend = if known.is_empty() {
                    "there are none here".to_owned()
                } else {
                    mend(&name, known.iter().copied())
                };
                params.add(
                    &name,
                    format!("unknown parameter {}; {mend}", quoted(&name)),
                );
            } else if value.is_empty() {
                let detail = format!("{name} is empty; give it a value, or leave it out");
                params.add(&name, detail);
            } else if params.given.iter().any(|(before, _)| is(before)) {
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

    /// The parameter's text; none if it is absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| &**value)
    }

    /// The text of `type` or `types`, with the name that it was given under.
    pub fn types_text(&self) -> Option<(&'static str, &str)> {
        TYPE.into_iter()
            .find_map(|name| Some((name, self.text(name)?)))
    }

    /// What tells this query from others of the same list.
    pub fn digest(&self) -> [u8; 4] {
        let mut asked: Vec<_> = self.given.iter().collect();
        asked.retain(|(name, _)| !MOVING.contains(&&**name));
        asked.sort();
        let mut digest = Sha256::new();
        for (name, value) in asked {
            let name = if *name == TYPE[1] { TYPE[0] } else { name };
            // Lengths in front, so that no two queries look the same.
            for part in [name, &**value] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        let [a, b, c, d, ..]: [u8; 32] = digest.finalize().into();
        [a, b, c, d]
    }

    /// A moment.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        match Timestamp::parse(text) {
            Ok(time) => Some(time),
            Err(error) => {
                // In a query, a plus that is not escaped stands for a blank.
                let is_blank =
                    text.contains(' ') && Timestamp::parse(&text.replace(' ', "+")).is_ok();
                let mend = if is_blank { "; write + as %2B" } else { "" };
                self.add(name, format!("{error}{mend}"));
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

    /// Which types of events, by `type` or `types`: patterns with commas between them.
    pub fn types(&mut self) -> Option<Filter> {
        let (name, text) = self.types_text()?;
        if text.split(',').any(|pattern| pattern.trim().is_empty()) {
            let detail = format!("{name} has a pattern without a character; take it out");
            self.add(name, detail);
            return None;
        }
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
mod tests;
