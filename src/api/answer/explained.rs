//! A delivery by itself says more than in a list: its vendor's rule, what its signature is made of,
//! and the clock. Never a key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Admin;
use crate::clock::Timestamp;
use crate::delivery::{Attempt, GivenUp, Status};
use crate::endpoint::TextEncoding;
use crate::store::DeliveryView;
use crate::vendor::{self, Profile};

/// How much of a base string is shown: a body may be large.
const SHOWN_MAX: usize = 16 * 1024;

const WAITED: &str = "retention.waiting_max_age: a delivery that has waited for longer is given up";

/// What is shown beside a delivery.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// The rule that it stands under, with its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<Signing>,
    clock: Clock,
}

/// What the signature of an attempt is made of.
#[derive(Debug, Serialize, JsonSchema)]
struct Signing {
    /// Of which attempt: the next one, or the last where none follows.
    attempt: u32,
    /// By the broker's clock: when it began, or when it is due.
    at: Timestamp,
    /// The header that carries it.
    header: &'static str,
    /// What stands there; null where the endpoint has no key.
    value: Option<String>,
    /// Such as `HMAC-SHA3-256`.
    algorithm: &'static str,
    /// What is signed, in words.
    over: &'static str,
    #[serde(flatten)]
    base: Base,
    /// The length of what is signed.
    base_string_bytes: usize,
    key_encoding: TextEncoding,
    signature_encoding: TextEncoding,
    /// What time is signed, and where it stands.
    timestamp: String,
}

/// As text, if it is one; else, or where it is too long, its beginning.
#[derive(Debug, Serialize, JsonSchema)]
enum Base {
    #[serde(rename = "base_string")]
    Whole(String),
    #[serde(rename = "base_string_begins")]
    Begins(String),
    #[serde(rename = "base_string_base64")]
    Base64(String),
}

/// The broker's clock, and what it has to show.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryClock")]
struct Clock {
    /// `real`, `scaled` or `manual`.
    kind: &'static str,
    now: Timestamp,
    next_attempt_at: Option<Timestamp>,
}

impl Explained {
    /// What there is to say of this delivery.
    pub(in crate::api) fn of(view: &DeliveryView, admin: &Admin) -> Self {
        let now = admin.clock.now();
        let last = view.attempts.last();
        let delay = match (view.next_attempt_at, last) {
            (Some(due), Some(last)) => Some(due.since(last.ended_at)),
            _ => None,
        };
        let policy = &view.endpoint.settings.policy;
        let rule = match view.given_up().and_then(Attempt::given_up) {
            None => vendor::rule(policy, view.status, view.failures, delay),
            Some(GivenUp::Waited) => Some(WAITED.to_owned()),
            // Nobody's rule: a wish.
            Some(GivenUp::ByOperator) => None,
        };
        Self {
            // What an operator does stands under no rule of a vendor.
            rule: rule.filter(|_| !view.is_discarded()),
            signing: signing(view, now),
            clock: Clock {
                kind: admin.clock_kind.name(),
                now,
                next_attempt_at: view.next_attempt_at,
            },
        }
    }
}

fn signing(view: &DeliveryView, now: Timestamp) -> Option<Signing> {
    if view.given_up().is_some() {
        return None;
    }
    let next = || (view.attempt_count + 1, view.next_attempt_at.unwrap_or(now));
    let (attempt, at) = match (view.status, view.attempts.last()) {
        (Status::Pending | Status::Waiting | Status::InFlight, _) => next(),
        (_, Some(last)) => (last.number, last.started_at),
        // Nothing was sent, and nothing will be.
        (_, None) => return None,
    };
    let settings = &view.endpoint.settings;
    let profile = Profile::of(&settings.policy);
    let signing = profile.signing(&view.event, settings, at).ok()?;
    let base = match std::str::from_utf8(&signing.base) {
        Ok(text) if text.len() <= SHOWN_MAX => Base::Whole(text.to_owned()),
        Ok(text) => {
            let ends = text.char_indices().map(|(at, _)| at);
            let end = ends.take_while(|at| *at <= SHOWN_MAX).last();
            Base::Begins(text[..end.unwrap_or_default()].to_owned())
        }
        Err(_) => {
            let end = signing.base.len().min(SHOWN_MAX);
            Base::Base64(STANDARD.encode(&signing.base[..end]))
        }
    };
    Some(Signing {
        attempt,
        at,
        header: signing.header,
        value: signing.value,
        algorithm: signing.algorithm,
        over: signing.over,
        base,
        base_string_bytes: signing.base.len(),
        key_encoding: signing.key_encoding,
        signature_encoding: signing.signature_encoding,
        timestamp: signing.timestamp,
    })
}
