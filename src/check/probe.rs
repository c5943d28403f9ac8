//! The observer: how many effects the receiver's work has had so far.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::command::{self, CommandError};
use super::link::Link;
use crate::clock::SharedClock;
use crate::deliver::transport::SendError;
use crate::words::quoted;

/// Bytes of an observer's answer that are read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Time for an observer that is a command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A GET of this URL answers the number.
    Url(Url),
    /// This shell command prints the number.
    Command(String),
}

/// Why the observer says nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It did not answer.
    #[error("the observer did not answer: {0}")]
    NoAnswer(#[from] SendError),
    /// It answered with an error.
    #[error("the observer answered {0}; it must answer 200 and the number of effects so far")]
    Status(u16),
    /// The command failed.
    #[error("the observer failed: {0}")]
    Command(#[from] CommandError),
    /// What it said is no number.
    #[error(
        "the observer says {}; it must say one whole number, plainly, as JSON, or in an object with no other number", quoted(.0)
    )]
    NoNumber(String),
}

impl Probe {
    /// Asks for the number of effects so far.
    pub async fn count(&self, link: &Link, clock: &SharedClock) -> Result<u64, ProbeError> {
        let text = match self {
            Self::Url(url) => match link.fetch(url, ANSWER_LIMIT).await? {
                (200, body) => String::from_utf8_lossy(&body).into_owned(),
                (status, _) => return Err(ProbeError::Status(status)),
            },
            Self::Command(line) => command::output(line, COMMAND_TIMEOUT, clock).await?,
        };
        number(&text).ok_or(ProbeError::NoNumber(text))
    }
}

/// The one whole number in `text`.
fn number(text: &str) -> Option<u64> {
    match serde_json::from_str(text.trim()).ok()? {
        Value::Number(number) => number.as_u64(),
        Value::Object(members) => {
            let mut numbers = members.values().filter(|value| value.is_number());
            match (numbers.next(), numbers.next()) {
                (Some(number), None) => number.as_u64(),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observer_says_one_whole_number_in_one_of_three_ways() {
        for (text, expected) in [
            ("17\n", Some(17)),
            (" 0 ", Some(0)),
            (r#"{"effects": 3, "unit": "rows"}"#, Some(3)),
            (r#"{"a": 1, "b": 2}"#, None),
            (r#"{"a": "1"}"#, None),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("seventeen", None),
            ("[1]", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
