//! Standard Webhooks: signed over id, time and bytes.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::body::{kind, media, relayed};
use super::refusal::Refusal;
use super::source::{Given, Intake};
use crate::inbound::checks::Checks;
use crate::inbound::read::Read;
use crate::secret::Secret;
use crate::vendor::signature::check_age;
use crate::vendor::standard::{self, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::vendor::{KeyError, VerifyError};

const CHALLENGE: &str = "webhook-signature realm=\"redeliver\"";

/// What is needed to believe a request.
#[derive(Clone, Debug)]
pub struct Standard {
    /// The secret; several with spaces between them while they are being rotated.
    pub secret: Secret,
    /// How far a request's time may be from the broker's clock; absent means any.
    pub max_age: Option<Duration>,
}

/// The three headers.
pub(super) struct Signature<'a> {
    id: &'a str,
    timestamp: &'a str,
    signatures: &'a str,
}

impl Standard {
    /// Whether the secret can be used.
    pub fn check_key(&self) -> Result<(), KeyError> {
        standard::secret_keys(self.secret.expose()).map(drop)
    }

    pub(super) fn signature(headers: &HeaderMap) -> Result<Signature<'_>, Refusal> {
        let text = |name: &str| {
            let value = headers.get(name).map(HeaderValue::to_str);
            let text = value.and_then(Result::ok).filter(|text| !text.is_empty());
            text.ok_or_else(|| Refusal::signature(&VerifyError::Missing, CHALLENGE))
        };
        Ok(Signature {
            id: text(ID_HEADER)?,
            timestamp: text(TIMESTAMP_HEADER)?,
            signatures: text(SIGNATURE_HEADER)?,
        })
    }

    /// Reads a request; its bytes stay as they came.
    pub fn read(&self, given: &Given<'_>) -> Result<Intake, Refusal> {
        let media = media(given.headers)?;
        let Signature {
            id,
            timestamp,
            signatures,
        } = Self::signature(given.headers)?;
        let secret = self.secret.expose();
        let refused = |error| Refusal::signature(&error, CHALLENGE);
        let made = standard::verify_signature(secret, id, timestamp, signatures, given.body)
            .map_err(refused)?;
        if let Some(allowed) = self.max_age {
            check_age(made, given.now, allowed).map_err(refused)?;
        }
        let mut checks = Checks::default();
        checks.key(ID_HEADER, id);
        let id = checks.done(Some(id.to_owned()))?;
        let (name, time) = match media.is_none_or(|media| media.is_json()) {
            true => standard::described(given.body),
            false => (None, None),
        };
        Ok(Read {
            time,
            idempotency_key: Some(id),
            ..relayed(
                kind(name.as_deref()),
                media.map(|media| media.text.to_owned()),
                given.body,
            )
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::source::Kind;
    use super::super::source::tests::{one, read_at, refused};
    use super::*;
    use crate::clock::Timestamp;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn take(
        secret: &str,
        max_age: Option<Duration>,
        headers: &[(&str, &str)],
        body: &[u8],
        now: i64,
    ) -> Result<Intake, Refusal> {
        let standard = Standard {
            secret: Secret::new(secret),
            max_age,
        };
        let now = Timestamp::from_millis(now * 1000);
        read_at(&Kind::Standard(standard), headers, body, now)
    }

    #[test]
    fn standard_webhooks_vectors_are_believed_within_their_time_and_kept_as_they_came() {
        let all: Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/vectors.json")).unwrap();
        let allowed = Some(Duration::from_secs(300));
        let vectors = all["standard_webhooks_hmac_sha256"]["vectors"].as_array();
        for vector in vectors.unwrap() {
            // The others' bodies stand elsewhere.
            let Some(body) = vector["payload_utf8"].as_str() else {
                continue;
            };
            let text = |key: &str| vector[key].as_str().unwrap();
            let seconds = vector["timestamp"].as_i64().unwrap();
            let timestamp = seconds.to_string();
            let mut headers = [
                (ID_HEADER, text("msg_id")),
                (TIMESTAMP_HEADER, &*timestamp),
                (SIGNATURE_HEADER, text("signature")),
            ];
            let secret = text("secret");
            let event = one(take(secret, allowed, &headers, body.as_bytes(), seconds));
            assert_eq!(&event.body[..], body.as_bytes());
            assert_eq!(event.idempotency_key.as_deref(), Some(text("msg_id")));
            for far in [-301, 301] {
                let late = || seconds + far;
                let stale = take(secret, allowed, &headers, body.as_bytes(), late());
                assert_eq!(refused(stale), (403, "stale"));
                assert!(take(secret, None, &headers, body.as_bytes(), late()).is_ok());
            }
            let other = take(SECRET, None, &headers, b"another body", seconds);
            assert_eq!(refused(other), (401, "forged"));
            for missing in 0..3 {
                let value = std::mem::take(&mut headers[missing].1);
                let none = take(secret, None, &headers, body.as_bytes(), seconds);
                assert_eq!(refused(none), (401, "unauthenticated"));
                headers[missing].1 = value;
            }
        }
    }

    #[test]
    fn the_type_is_the_bodys_own_where_it_is_json_and_any_body_is_kept() {
        let of = |media: &str, body: &[u8]| {
            let signature = standard::sign(SECRET, "msg_1", 1000, body).unwrap();
            let headers = [
                (ID_HEADER, "msg_1"),
                (TIMESTAMP_HEADER, "1000"),
                (SIGNATURE_HEADER, &*signature),
                ("content-type", media),
            ];
            let event = one(take(SECRET, None, &headers, body, 1000));
            assert_eq!(event.body, body);
            assert_eq!(event.content_type.as_deref(), Some(media));
            (event.kind.to_string(), event.time.map(Timestamp::as_millis))
        };
        let json = br#"{"type":"order.paid","timestamp":"1970-01-01T00:00:01Z","data":{}}"#;
        assert_eq!(
            of("application/json", json),
            ("order.paid".into(), Some(1000))
        );
        assert_eq!(of("text/plain", json), ("unknown".into(), None));
        let not_json = ("unknown".into(), None);
        for body in [
            &b"{"[..],
            b"",
            b"\xff\x00",
            b"[\"order.paid\"]",
            b"{\"type\":7}",
        ] {
            assert_eq!(of("application/json", body), not_json);
        }
    }
}
