//! The vendors' contracts: payload, signature and schedule, each vendor in one file. Pure.

pub mod esputnik;
mod fingerprint;
pub mod hotjar;
pub mod mistakes;
mod rules;
pub mod signature;
mod signing;
pub mod standard;
mod tamper;
pub mod window;
pub mod zebline;
pub mod zenovay;

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::endpoint::{EndpointSettings, Order, TextEncoding};
use crate::event::{Event, Form, NewEvent};
use crate::policy::Policies;

pub use fingerprint::Fingerprint;
pub use rules::rule;
pub use signature::{KeyError, VerifyError, basic_authorization, basic_matches};
pub use signing::Signing;
pub use tamper::{Tamper, Told, UNKNOWN_TYPE};

/// Exactly this, without a charset parameter.
const JSON: &str = "application/json";
/// What a media type is replaced by that could not stand in a header.
const BINARY: &str = "application/octet-stream";

/// Whose request an endpoint gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Contentsquare (Hotjar) survey webhooks.
    Hotjar,
    /// eSputnik activity webhooks.
    Esputnik,
    /// Standard Webhooks.
    Standard,
}

/// The vendor's part of one attempt: what is sent, beside the headers that every attempt has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The media type; always fit for a header.
    pub content_type: Arc<str>,
    /// Headers with names in lower case and values in visible ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as it is signed.
    pub body: Bytes,
}

impl Profile {
    /// The profile of the policy called `policy_name`; a policy of the operator's own sends
    /// Standard Webhooks.
    pub fn of(policy_name: &str) -> Self {
        match policy_name {
            hotjar::NAME => Self::Hotjar,
            esputnik::NAME => Self::Esputnik,
            _ => Self::Standard,
        }
    }

    /// The body and headers of one attempt, made at `at`.
    pub fn request(
        self,
        event: &Event,
        settings: &EndpointSettings,
        at: Timestamp,
    ) -> Result<Outbound, KeyError> {
        let (content_type, body) = match event.content.form {
            // A foreign body is not ours to change, not even its timestamp.
            Form::Relayed => (
                media_type(&event.content.content_type),
                event.content.body.clone(),
            ),
            Form::Data => (
                JSON.into(),
                match self {
                    Self::Hotjar => hotjar::body(event, settings.timestamp_mode, at),
                    Self::Esputnik => esputnik::body(&event.content.body),
                    Self::Standard => standard::body(event),
                },
            ),
        };
        let mut headers = match self {
            Self::Hotjar => hotjar::headers(&body, settings)?,
            Self::Esputnik => esputnik::headers(&body, settings)?,
            Self::Standard => standard::headers(event.id, &body, settings, at)?,
        };
        if let Some(auth) = &settings.basic_auth {
            headers.push((
                "authorization",
                basic_authorization(&auth.user, auth.password.expose()),
            ));
        }
        Ok(Outbound {
            content_type,
            headers,
            body,
        })
    }

    /// The vendor's test message (HOT-58 and its likes).
    pub fn test_event(self) -> NewEvent {
        match self {
            Self::Hotjar => hotjar::test_event(),
            Self::Esputnik => esputnik::test_event(),
            Self::Standard => standard::test_event(),
        }
    }

    /// Whether the key and credentials of `settings` can be used: to be asked when an endpoint is
    /// saved, so that no attempt fails for it later.
    pub fn check_key(self, settings: &EndpointSettings) -> Result<(), KeyError> {
        if settings
            .basic_auth
            .as_ref()
            .is_some_and(|auth| auth.user.contains(':'))
        {
            return Err(KeyError::ColonInUser);
        }
        if self == Self::Standard {
            if let Some(secret) = &settings.signing_key {
                standard::secret_keys(secret.expose())?;
            }
            return Ok(());
        }
        // Asked without a key as well: a key that comes later finds its settings in order.
        signature::encode(&[], settings.signature_encoding)?;
        if let Some(key) = &settings.signing_key {
            signature::key_bytes(key.expose(), settings.key_encoding)?;
        }
        Ok(())
    }

    /// What an endpoint's operator should know of settings that are allowed, each in a sentence. A
    /// policy of his own may well be meant to sign nothing.
    pub fn warnings(settings: &EndpointSettings) -> Vec<String> {
        let policy = &*settings.policy;
        let signs = [hotjar::NAME, standard::NAME].contains(&policy);
        if !signs || settings.signing_key.is_some() {
            return Vec::new();
        }
        vec![format!(
            "requests go out unsigned, so that the receiver cannot tell them from forged ones: policy \"{policy}\" signs with signing_key, which is not set"
        )]
    }

    /// Whether a request has room for the signatures of several keys, so that one can be replaced
    /// while receivers know the other one still.
    pub fn signs_with_several_keys(self) -> bool {
        match self {
            Self::Standard => true,
            Self::Hotjar | Self::Esputnik => false,
        }
    }

    /// How a key's text becomes bytes, where the operator does not say.
    pub fn default_key_encoding(self) -> TextEncoding {
        match self {
            Self::Hotjar | Self::Esputnik => TextEncoding::Utf8,
            Self::Standard => TextEncoding::Base64,
        }
    }

    /// How a signature becomes text, where the operator does not say.
    pub fn default_signature_encoding(self) -> TextEncoding {
        match self {
            Self::Hotjar | Self::Esputnik => TextEncoding::Hex,
            Self::Standard => TextEncoding::Base64,
        }
    }

    /// Attempts at once, where the operator does not say: one where events wait for one another,
    /// else enough to keep a slow receiver from being the bottleneck.
    pub fn default_concurrency(order: Order) -> u32 {
        match order {
            Order::InOrder => 1,
            Order::Independent => 8,
        }
    }
}

/// The policies that need no configuration.
pub fn builtin_policies() -> Policies {
    let mut policies = Policies::default();
    for policy in [hotjar::policy(), esputnik::policy(), standard::policy()] {
        policies.insert(policy);
    }
    policies
}

/// The sender chose it, so it must not be able to end the header or start another.
fn media_type(given: &Arc<str>) -> Arc<str> {
    let fits = !given.is_empty()
        && given.len() <= 256
        && given.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if fits { given.clone() } else { BINARY.into() }
}

/// `text` as a JSON string with its quotes.
fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The event's own bytes as a JSON value: never parsed and printed again, for that would change
/// numbers, key order and escapes.
fn data(event: &Event) -> &[u8] {
    match &*event.content.body {
        [] => b"null",
        body => body,
    }
}

/// Some members of a payload that came in; none if it is no object, or has one of them twice.
fn members<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    // Serde would read an array as an object without its names.
    let is_object = json.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(json).ok())?
}

/// The text that a member holds; none where it is another value, as any member may be (HOT-38).
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

fn sample(kind: &str, status: Option<&str>, data: &'static str) -> NewEvent {
    NewEvent {
        source: "test".into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: JSON.into(),
        form: Form::Data,
        body: Bytes::from_static(data.as_bytes()),
        status: status.map(Into::into),
        idempotency_key: None,
    }
}

#[cfg(test)]
mod tests;
