//! Contentsquare (Hotjar) survey webhooks, HOT-01 to HOT-59.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use crate::clock::Timestamp;
use crate::endpoint::{Check, EndpointSettings, FilterOn, Order, TextEncoding, TimestampMode};
use crate::event::{Event, NewEvent};
use crate::policy::{On410, Policy, Schedule, Success};

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
