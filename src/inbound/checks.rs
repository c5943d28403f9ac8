//! The rules for an event's attributes, all mistakes at once.

use std::borrow::Cow;

use serde_json::value::RawValue;
use url::form_urlencoded;

use super::json;
use super::media::Media;
use super::problem::Problem;
use crate::clock::Timestamp;
use crate::endpoint::FieldError;
use crate::words::quoted;

const KIND_MAX_CHARS: usize = 255;
const SUBJECT_MAX_CHARS: usize = 1024;
const KEY_MAX_CHARS: usize = 255;

/// Refuses parameters where there are none to give: one that is meant for another route would be
/// dropped without a word.
pub fn check_no_query(query: Option<&str>) -> Result<(), Problem> {
    // The first is enough: whoever has sent one by mistake looks at them all.
    let given = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).next();
    match given {
        None => Ok(()),
        Some((name, _)) => Err(Problem::field(
            format!("?{name}"),
            format!("unknown parameter {}; there are none here", quoted(&name)),
        )),
    }
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub struct Checks {
    errors: Vec<FieldError>,
}

impl Checks {
    /// Notes a mistake.
    pub fn add(&mut self, at: impl Into<String>, detail: impl Into<String>) {
        self.errors.push(FieldError {
            at: at.into(),
            detail: detail.into(),
        });
    }

    /// `value`, unless anything was found wrong.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.errors)),
        }
    }

    /// The text that a member holds; null is as good as absent.
    pub fn text<'a>(&mut self, at: &str, raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
        let raw = raw.filter(|raw| !json::is_null(raw))?;
        let text = json::text(raw);
        if text.is_none() {
            let name = at.trim_start_matches('/');
            self.add(
                at,
                format!("{name} is not a text; write it in quotation marks"),
            );
        }
        text
    }

    /// The event's type.
    pub fn kind(&mut self, at: &str, text: &str) {
        self.bounded(at, text, KIND_MAX_CHARS);
        self.no_controls(at, text);
    }

    /// The event's type, where its sender chooses it for us: one that filters can name. The types
    /// of vendors' webhooks are theirs, and are taken as they are.
    pub fn own_kind(&mut self, at: &str, text: &str) {
        self.kind(at, text);
        let name = at.trim_start_matches('/');
        if text.contains([',', '*']) {
            let detail = format!(
                "{name} has a comma or a star, by which filters tell types apart; use letters, digits and dots, as in \"order.paid\""
            );
            self.add(at, detail);
        } else if text.trim() != text {
            let detail = format!("{name} has a blank at its beginning or end; take it out");
            self.add(at, detail);
        }
    }

    /// What the event is about.
    pub fn subject(&mut self, at: &str, text: &str) {
        self.bounded(at, text, SUBJECT_MAX_CHARS);
    }

    /// An id or idempotency key. Without control characters, so that CloudEvents' pairs, which are
    /// joined by one, are never taken for a native id.
    pub fn key(&mut self, at: &str, text: &str) {
        self.bounded(at, text, KEY_MAX_CHARS);
        self.no_controls(at, text);
    }

    /// The media type of a body that is passed on.
    pub fn media(&mut self, at: &str, media: &Media<'_>) {
        if !media.is_sound() {
            let name = at.trim_start_matches('/');
            let given = quoted(media.text);
            let detail = format!("{name} {given} is not a media type such as \"text/plain\"");
            self.add(at, detail);
        }
    }

    /// When it happened.
    pub fn time(&mut self, at: &str, text: &str) -> Option<Timestamp> {
        match Timestamp::parse(text) {
            Ok(time) => Some(time),
            Err(error) => {
                self.add(at, error.to_string());
                None
            }
        }
    }

    /// Notes that something must be there.
    pub fn missing(&mut self, at: &str, mend: &str) {
        let name = at.trim_start_matches('/');
        self.add(at, format!("{name} is missing; {mend}"));
    }

    /// Between one and `max` characters.
    pub fn bounded(&mut self, at: &str, text: &str, max: usize) {
        let count = text.chars().count();
        if count == 0 || count > max {
            let name = at.trim_start_matches('/');
            self.add(
                at,
                format!("{name} has {count} characters; give 1 to {max}"),
            );
        }
    }

    /// No line breaks and their like.
    pub fn no_controls(&mut self, at: &str, text: &str) {
        if text.chars().any(char::is_control) {
            let name = at.trim_start_matches('/');
            self.add(at, format!("{name} has a control character; take it out"));
        }
    }
}
