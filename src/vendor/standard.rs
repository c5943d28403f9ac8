//! Standard Webhooks, and what policies of the operator's own send.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::endpoint::validate::decode_base64;
use crate::endpoint::{Check, EndpointSettings, FilterOn, Order, TextEncoding};
use crate::event::{Event, NewEvent};
use crate::id::EventId;
use crate::policy::{KeyForm, On410, Policy, Schedule, Success};

use super::signature::{self, KeyError, VerifyError};
use crate::secret::Secret;

/// What endpoints name the policy by.
pub const NAME: &str = "standard";
/// The header with the event's id: the same at every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the attempt's time in Unix seconds (X-21).
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// What a secret starts with.
pub const SECRET_PREFIX: &str = "whsec_";
/// How far a timestamp may be from the receiver's clock, either way.
pub const TOLERANCE: Duration = Duration::from_secs(300);

const VERSION_PREFIX: &str = "v1,";
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// The schedule that the standard recommends (X-21).
pub fn policy() -> Policy {
    Policy {
        name: NAME.to_owned(),
        order: Order::Independent,
        success: Success::Any2xx,
        schedule: Schedule::Table(
            [
                5,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ]
            .map(Duration::from_secs)
            .into(),
        ),
        give_up_after: Some(10),
        on_410: On410::Pause,
        timeout: Duration::from_secs(20),
        jitter: 0.1,
        honours_retry_after: true,
        requires_tls: false,
        filter_on: FilterOn::Kind,
        key_form: KeyForm::StandardSecret,
        check: Check::Off,
    }
}

/// The event's time stays; the attempt's goes into the header (X-21).
pub(super) fn body(event: &Event) -> Bytes {
    let mut body = format!(
        r#"{{"type":{},"timestamp":"{}","data":"#,
        super::json_string(&event.content.kind),
        event.time(),
    )
    .into_bytes();
    body.extend_from_slice(super::data(event));
    body.push(b'}');
    body.into()
}

pub(super) fn headers(
    id: EventId,
    body: &[u8],
    settings: &EndpointSettings,
    at: Timestamp,
) -> Result<Vec<(&'static str, String)>, KeyError> {
    let id = id.to_string();
    let seconds = at.as_seconds();
    let signature = match &settings.signing_key {
        None => None,
        Some(secret) => {
            let rotation = settings.rotation.as_ref();
            let previous = rotation.and_then(|rotation| rotation.previous_at(at));
            let keys = [Some(secret), previous].into_iter().flatten();
            let keys: Vec<_> = keys.map(Secret::expose).collect();
            Some(sign(&keys.join(" "), &id, seconds, body)?)
        }
    };
    let mut headers = vec![(ID_HEADER, id), (TIMESTAMP_HEADER, seconds.to_string())];
    headers.extend(signature.map(|text| (SIGNATURE_HEADER, text)));
    Ok(headers)
}

pub(super) fn test_event() -> NewEvent {
    super::sample("test", None, r#"{"sample":"data"}"#)
}

/// The keys in `secret`: one, or several with spaces between while they are being rotated. The
/// standard fixes the encoding, so the settings' `key_encoding` has no say here.
pub fn secret_keys(secret: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    let keys: Vec<_> = secret
        .split_ascii_whitespace()
        .map(key)
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(KeyError::Empty);
    }
    Ok(keys)
}

fn key(text: &str) -> Result<Vec<u8>, KeyError> {
    let base64 = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
    match decode_base64(base64) {
        None => Err(KeyError::NotStandardSecret),
        Some(key) if key.is_empty() => Err(KeyError::Empty),
        Some(key) => Ok(key),
    }
}

fn mac(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; signature::SIGNATURE_LEN] {
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    signature::hmac_sha256(key, &parts)
}

/// What is signed: the id, the time and the body, with full stops between them.
pub(super) fn base(id: EventId, seconds: i64, body: &[u8]) -> Bytes {
    [format!("{id}.{seconds}.").as_bytes(), body]
        .concat()
        .into()
}

/// The `webhook-signature` of `body`: one signature for each key in `secret`.
pub fn sign(secret: &str, id: &str, seconds: i64, body: &[u8]) -> Result<String, KeyError> {
    let timestamp = seconds.to_string();
    let signatures: Vec<String> = secret_keys(secret)?
        .iter()
        .map(|key| {
            let mac = mac(key, id, &timestamp, body);
            format!("{VERSION_PREFIX}{}", signature::encode_base64(&mac))
        })
        .collect();
    Ok(signatures.join(" "))
}

/// Whether one of `signatures` is right, whatever the time.
pub fn verify_signature(
    secret: &str,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
) -> Result<Timestamp, VerifyError> {
    let keys = secret_keys(secret)?;
    if id.is_empty() || signatures.is_empty() {
        return Err(VerifyError::Missing);
    }
    // The standard asks for this: with a full stop in it, a part of the body could be passed off
    // as the timestamp.
    if id.contains('.') {
        return Err(VerifyError::DottedId);
    }
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::NoTimestamp)?;
    // Other versions may stand beside ours; the standard says to skip them.
    let given: Vec<Vec<u8>> = signatures
        .split(' ')
        .filter_map(|text| text.strip_prefix(VERSION_PREFIX))
        .filter_map(|text| signature::decode(text, TextEncoding::Base64).ok())
        .collect();
    if given.is_empty() {
        return Err(VerifyError::Malformed {
            expected: "a list of `v1,` and base64",
        });
    }
    let found = keys.iter().any(|key| {
        // The text as it was sent: another way to write the same number was not signed.
        let expected = mac(key, id, timestamp, body);
        given.iter().any(|given| signature::same(given, &expected))
    });
    if found {
        Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
    } else {
        Err(VerifyError::Mismatch)
    }
}

/// Whether one of `signatures` is right and its time within five minutes of `now`, either way.
pub fn verify(
    secret: &str,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let made = verify_signature(secret, id, timestamp, signatures, body)?;
    check_age(made, now)
}

/// Whether `made` is within five minutes of `now`, either way.
pub fn check_age(made: Timestamp, now: Timestamp) -> Result<(), VerifyError> {
    signature::check_age(made, now, TOLERANCE)
}

/// What a body says of its event, as far as it is there: its type, and when it happened.
pub fn described(body: &[u8]) -> (Option<String>, Option<Timestamp>) {
    #[derive(Default, Deserialize)]
    struct Members<'a> {
        #[serde(borrow)]
        r#type: Option<&'a RawValue>,
        #[serde(borrow)]
        timestamp: Option<&'a RawValue>,
    }
    let Members { r#type, timestamp } = super::members(body).unwrap_or_default();
    let time = super::text(timestamp).and_then(|text| Timestamp::parse(&text).ok());
    (super::text(r#type), time)
}
