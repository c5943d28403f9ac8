//! Contentsquare (Hotjar) survey webhooks, HOT-01 to HOT-59.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::endpoint::{Check, EndpointSettings, FilterOn, Order, TextEncoding, TimestampMode};
use crate::event::{Event, NewEvent};
use crate::policy::{KeyForm, On410, Policy, Schedule, Success};

use super::Fingerprint;
use super::signature::{self, KeyError, VerifyError};

/// What endpoints name the policy by.
pub const NAME: &str = "hotjar";
/// The header that carries the signature (HOT-30).
pub const SIGNATURE_HEADER: &str = "com-hotjar-signature";
/// How old a timestamp may be before a receiver rejects it (HOT-35).
pub const MAX_AGE: Duration = Duration::from_secs(300);

/// HOT-12 to HOT-29.
pub fn policy() -> Policy {
    Policy {
        name: NAME.to_owned(),
        order: Order::Independent,
        success: Success::Any2xx,
        schedule: Schedule::Table(
            [30, 60, 120, 300, 600, 1200]
                .map(Duration::from_secs)
                .into(),
        ),
        give_up_after: Some(7),
        on_410: On410::Remove,
        timeout: Duration::from_secs(10),
        jitter: 0.0,
        honours_retry_after: false,
        requires_tls: true,
        filter_on: FilterOn::Kind,
        key_form: KeyForm::Text,
        check: Check::Off,
    }
}

/// HOT-06 to HOT-09, with the event's own bytes as `data`.
pub(super) fn body(event: &Event, mode: TimestampMode, at: Timestamp) -> Bytes {
    // A receiver drops what is over 5 minutes old, and the fourth retry leaves after 8½ (HOT-36).
    let timestamp = match mode {
        TimestampMode::PerAttempt => at,
        TimestampMode::Fixed => event.received_at,
    };
    let mut body = format!(
        r#"{{"event":{},"version":1,"timestamp":{},"data":"#,
        super::json_string(&event.content.kind),
        timestamp.as_seconds(),
    )
    .into_bytes();
    body.extend_from_slice(super::data(event));
    body.push(b'}');
    body.into()
}

pub(super) fn headers(
    body: &[u8],
    settings: &EndpointSettings,
) -> Result<Vec<(&'static str, String)>, KeyError> {
    let text = signature::sha3_text(body, settings)?;
    Ok(text.into_iter().map(|t| (SIGNATURE_HEADER, t)).collect())
}

/// HOT-58.
pub(super) fn test_event() -> NewEvent {
    super::sample("test_message", None, r#"{"sample":"data"}"#)
}

/// The text of the signature of `body` (HOT-31).
pub fn sign(key: &[u8], body: &[u8], encoding: TextEncoding) -> Result<String, KeyError> {
    signature::encode(&signature::hmac_sha3_256(key, body), encoding)
}

/// Whether `header` is the signature of the raw `body` under `key` (HOT-33, HOT-34).
pub fn verify(
    key: &[u8],
    body: &[u8],
    header: &str,
    encoding: TextEncoding,
) -> Result<(), VerifyError> {
    let given = signature::decode(header, encoding)?;
    if signature::same(&given, &signature::hmac_sha3_256(key, body)) {
        Ok(())
    } else {
        Err(VerifyError::Mismatch)
    }
}

/// Whether the body's `timestamp` is young enough (HOT-35); to be asked after [`verify`], for
/// until then the timestamp is a stranger's claim. A timestamp ahead of `now` is not rejected.
pub fn check_age(body: &[u8], now: Timestamp) -> Result<(), VerifyError> {
    #[derive(Deserialize)]
    struct Stamped {
        timestamp: i64,
    }
    let Stamped { timestamp } =
        serde_json::from_slice(body).map_err(|_| VerifyError::NoTimestamp)?;
    let age = now.since(Timestamp::from_millis(timestamp.saturating_mul(1000)));
    if age > MAX_AGE {
        return Err(VerifyError::Stale {
            age,
            allowed: MAX_AGE,
        });
    }
    Ok(())
}

/// What is read of a payload that came in, as far as it is there: any field may be null (HOT-38),
/// and there may be others (HOT-37).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Its name, which may be one that nobody has heard of (HOT-17, A-06).
    pub event: Option<String>,
    /// When it was sent (HOT-09).
    pub timestamp: Option<Timestamp>,
    /// When the response was given (HOT-49).
    pub created: Option<Timestamp>,
    /// What it is recognised by when it comes again (HOT-18): each sending has a timestamp of its
    /// own, so the bytes are no guide (A-03). A test message has nothing.
    pub repeat_key: Option<String>,
}

impl Payload {
    /// Reads a payload; none if `body` is no object, or unclear.
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members<'a> {
            #[serde(borrow)]
            event: Option<&'a RawValue>,
            #[serde(borrow)]
            timestamp: Option<&'a RawValue>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        #[derive(Default, Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow)]
            created_timestamp: Option<&'a RawValue>,
        }
        let outer: Members<'_> = super::members(body)?;
        let data = outer.data.map_or(&b""[..], |data| data.get().as_bytes());
        let data: Data<'_> = super::members(data).unwrap_or_default();
        let event = super::text(outer.event);
        let id = data.id.map(RawValue::get);
        // A number (HOT-39); a text in an edition to come.
        let id = id.filter(|id| id.starts_with(|c: char| c.is_ascii_digit() || "-\"".contains(c)));
        let repeat_key = id.map(|id| Fingerprint::of(&[event.as_deref().unwrap_or_default(), id]));
        Some(Self {
            event,
            timestamp: seconds(outer.timestamp),
            created: seconds(data.created_timestamp),
            repeat_key,
        })
    }
}

fn seconds(raw: Option<&RawValue>) -> Option<Timestamp> {
    let seconds: i64 = raw?.get().parse().ok()?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}
