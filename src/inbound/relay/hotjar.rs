//! Requests of Hotjar, signed over their bytes.

use std::time::Duration;

use hyper::HeaderMap;

use super::body::{json, kind, relayed};
use super::refusal::Refusal;
use super::source::{Given, Intake};
use crate::clock::Timestamp;
use crate::endpoint::TextEncoding;
use crate::inbound::json::check_value;
use crate::inbound::problem::Problem;
use crate::inbound::read::Read;
use crate::secret::Secret;
use crate::vendor::hotjar::{self, Payload, SIGNATURE_HEADER};
use crate::vendor::signature::{check_age, decode, key_bytes};
use crate::vendor::{KeyError, VerifyError};

const CHALLENGE: &str = "com-hotjar-signature realm=\"redeliver\"";

/// How far ahead of the broker's clock an event may claim to have happened; one of a later day has
/// a broken clock, and its time is no guide.
const CREATED_AHEAD_MAX: Duration = Duration::from_secs(86_400);

/// What is needed to believe a request.
#[derive(Clone, Debug)]
pub struct Hotjar {
    /// The site's signing key (HOT-32).
    pub key: Secret,
    /// Keys before it, which count as well while it is being replaced.
    pub previous_keys: Vec<Secret>,
    /// How its text becomes bytes.
    pub key_encoding: TextEncoding,
    /// How signatures are written.
    pub signature_encoding: TextEncoding,
    /// How far the body's time may be from the broker's clock (HOT-35); absent means any.
    pub max_age: Option<Duration>,
}

impl Hotjar {
    /// Whether the key can be used.
    pub fn check_key(&self) -> Result<(), KeyError> {
        self.keys().map(drop)
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, KeyError> {
        let keys = std::iter::once(&self.key).chain(&self.previous_keys);
        keys.map(|key| key_bytes(key.expose(), self.key_encoding))
            .collect()
    }

    /// The signature, if it can be one at all.
    pub(super) fn signature<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
        let value = headers.get(SIGNATURE_HEADER);
        let text = value.map_or("", |value| value.to_str().unwrap_or("not ASCII"));
        match decode(text, self.signature_encoding) {
            Ok(_) => Ok(text),
            Err(error) => Err(Refusal::signature(&error, CHALLENGE)),
        }
    }

    /// Reads a request. The signature is checked before anything that it covers is looked at
    /// (HOT-35); the bytes stay as they came, the time in them too.
    pub fn read(&self, given: &Given<'_>) -> Result<Intake, Refusal> {
        let content_type = json(given.headers)?;
        let signature = self.signature(given.headers)?;
        let refused = |error| Refusal::signature(&error, CHALLENGE);
        let keys = self.keys().map_err(|error| refused(error.into()))?;
        let encoding = self.signature_encoding;
        let checked = keys
            .iter()
            .map(|key| hotjar::verify(key, given.body, signature, encoding));
        // All of them: how long it takes does not say which one fits.
        let checked = checked.reduce(Result::or);
        checked
            .unwrap_or(Err(VerifyError::Key(KeyError::Empty)))
            .map_err(refused)?;
        check_value(given.body)?;
        let payload = Payload::read(given.body).ok_or_else(|| {
            Problem::malformed(
                "the body is JSON, but not an object in which each member stands once",
            )
        })?;
        if let Some(allowed) = self.max_age {
            let made = payload.timestamp;
            let made = made.ok_or_else(|| refused(VerifyError::NoTimestamp))?;
            check_age(made, given.now, allowed).map_err(refused)?;
        }
        let (earliest, latest) = (Timestamp::from_millis(1), given.now.plus(CREATED_AHEAD_MAX));
        let time = payload.created;
        Ok(Read {
            time: time.filter(|time| (earliest..=latest).contains(time)),
            idempotency_key: payload.repeat_key,
            ..relayed(
                kind(payload.event.as_deref()),
                Some(content_type),
                given.body,
            )
        }
        .into())
    }
}

#[cfg(test)]
#[path = "hotjar_tests.rs"]
mod tests;
