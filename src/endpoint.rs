//! Endpoints: where events are delivered, and what an operator may say about it.

mod differences;
pub mod draft;
mod field;
mod headers;
pub mod json;
pub mod url;
pub mod validate;

pub use draft::EndpointDraft;
pub use field::Field;
pub use headers::Headers;
pub use validate::FieldError;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::id::{EndpointId, Seq};
use crate::secret::Secret;

/// Whether events wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// One attempt at a time; the oldest event blocks the later ones (ESP-16, ESP-17).
    InOrder,
    /// A failing event never holds back another (HOT-12).
    Independent,
}

/// Whether an endpoint receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Deliveries go on.
    Active,
    /// Nothing is sent; events queue up (ESP-18, A-13).
    Paused,
    /// Gone for good, by the operator or by a 410 (HOT-28). Its history stays.
    Removed,
}

/// What an endpoint's `events` are matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterOn {
    /// The event's type.
    Kind,
    /// The event's status: eSputnik's `activityStatus` (ESP-06). Events of other sources have none
    /// and are matched by their type, so that no endpoint is deaf to them.
    Status,
}

impl FilterOn {
    /// The name in `event` that patterns are matched against.
    pub fn subject(self, event: &NewEvent) -> &str {
        match (self, &event.status) {
            (Self::Status, Some(status)) => status,
            _ => &event.kind,
        }
    }
}

/// Which events an endpoint receives.
///
/// A pattern is an exact name, `*` for all but operational events, or a prefix such as `order.*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// What the patterns are matched against.
    pub on: FilterOn,
    /// Any one of them suffices; an empty list matches nothing.
    pub patterns: Vec<String>,
}

impl Filter {
    /// Matches every event.
    pub fn all(on: FilterOn) -> Self {
        Self {
            on,
            patterns: vec!["*".to_owned()],
        }
    }

    /// Whether `event` goes to the endpoint. One about endpoints and deliveries themselves has to be
    /// named: `*` is for what senders bring.
    pub fn matches(&self, event: &NewEvent) -> bool {
        let subject = self.on.subject(event);
        let mut patterns = self.patterns.iter();
        match event.is_operational() {
            true => patterns.any(|pattern| pattern != "*" && fits(pattern, subject)),
            false => patterns.any(|pattern| fits(pattern, subject)),
        }
    }

    /// Whether one of the patterns fits `subject`, which is what the filter is on.
    pub fn selects(&self, subject: Option<&str>) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern == "*" || subject.is_some_and(|subject| fits(pattern, subject)))
    }
}

fn fits(pattern: &str, subject: &str) -> bool {
    let prefix = pattern.strip_suffix('*');
    let prefix = prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with('.'));
    pattern == subject || prefix.is_some_and(|prefix| subject.starts_with(prefix))
}

/// User name and password of HTTP Basic authentication (ESP-04, A-11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BasicAuth {
    /// The login; must hold no colon.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Which answer to the GET on save lets an endpoint be saved (ESP-07, ESP-08, A-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Check {
    /// No GET is sent.
    #[serde(rename = "off")]
    Off,
    /// Any 2xx.
    #[serde(rename = "2xx")]
    Any2xx,
    /// 200 and nothing else.
    #[serde(rename = "200")]
    Only200,
    /// Any status below 400.
    #[serde(rename = "lt400")]
    Below400,
}

/// When a payload that redeliver makes gets its timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampMode {
    /// Renewed, and signed again, at each attempt.
    #[default]
    PerAttempt,
    /// The time at which the event was received, at every attempt.
    Fixed,
}

/// How the bytes of a signature or key are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextEncoding {
    /// The text's own UTF-8 bytes. For keys only.
    Utf8,
    /// Hexadecimal, lower case.
    Hex,
    /// Standard base64 with padding.
    Base64,
}

/// Who manages an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The API or the command line.
    Api,
    /// The configuration file.
    Config,
}

/// What an operator says about an endpoint: everything that can be edited. `Debug` shows neither
/// keys nor what often holds them: a URL's path and query, and the values of headers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSettings {
    /// Unique among the endpoints that are not removed.
    pub name: String,
    /// `http` or `https`, without credentials.
    pub url: String,
    /// The policy's name: `hotjar`, `esputnik`, `standard` or one of the configuration.
    pub policy: String,
    /// The policy's order, kept here because the store queues by it.
    pub order: Order,
    /// Which events it receives.
    pub filter: Filter,
    /// Attempts at once; 1 when in order.
    pub concurrency: u32,
    /// Time for one attempt, all told; absent means the policy's.
    pub timeout: Option<Duration>,
    /// Sent as `Authorization: Basic`.
    pub basic_auth: Option<BasicAuth>,
    /// Further request headers, in order.
    pub headers: Vec<(String, String)>,
    /// What outbound requests are signed with.
    pub signing_key: Option<Secret>,
    /// How the signing key's text becomes bytes.
    pub key_encoding: TextEncoding,
    /// How the signature becomes text.
    pub signature_encoding: TextEncoding,
    /// When the payload gets its timestamp.
    pub timestamp_mode: TimestampMode,
    /// Whether plain `http` to a host that is not loopback is allowed under a policy that asks
    /// for TLS (HOT-14, A-07).
    pub allow_http: bool,
    /// Whether events that occur while it is paused are dropped instead of queued.
    pub drop_while_inactive: bool,
    /// A certificate authority (PEM) trusted for this endpoint alone, beside the system's.
    pub ca_pem: Option<String>,
    /// The GET on save.
    pub check: Check,
    /// Who manages it.
    pub origin: Origin,
    /// Whether its key was replaced, and until when the one before it counts. The store keeps it
    /// beside the rest, for it is in no record of version 1.
    #[serde(skip)]
    pub rotation: Option<Rotation>,
}

impl EndpointSettings {
    /// What holds of this rotation under `after`: another key given outright ends it.
    pub fn rotation_of(&self, after: &Self) -> Option<Rotation> {
        let is_same = self.signing_key == after.signing_key
            && self.key_encoding == after.key_encoding
            && self.policy == after.policy;
        self.rotation.clone().filter(|_| is_same)
    }
}

impl Rotation {
    /// The key before, if it counts still at `at`.
    pub fn previous_at(&self, at: Timestamp) -> Option<&Secret> {
        let previous = self.previous.as_ref().filter(|it| at < it.until);
        previous.map(|it| &it.key)
    }
}

/// That a signing key was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// When.
    pub rotated_at: Timestamp,
    /// The key before, while receivers may still know that one only.
    pub previous: Option<PreviousKey>,
}

/// A signing key that was replaced and still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousKey {
    /// The key.
    pub key: Secret,
    /// From then on it does not count any more.
    pub until: Timestamp,
}

impl fmt::Debug for EndpointSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("EndpointSettings")
            .field("name", &self.name)
            .field("url", &format_args!("{}", url::shown_text(&self.url)))
            .field("policy", &self.policy)
            .field("filter", &self.filter)
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("basic_auth", &self.basic_auth)
            .field("headers", &names)
            .field("signing_key", &self.signing_key)
            .field("rotation", &self.rotation)
            .field("check", &self.check)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// An endpoint as the registry keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its place in the registry; part of delivery ids; never used again.
    pub number: u32,
    /// Its public id.
    pub id: EndpointId,
    /// Rises with every change.
    pub revision: u64,
    /// What the operator said.
    pub settings: EndpointSettings,
    /// Whether it receives.
    pub state: EndpointState,
    /// Why it is paused or removed, in words, when it was not the operator.
    pub state_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first event that it may receive: those before it were there first.
    pub from_seq: Seq,
    /// The first event that it did not receive any more, once it is removed.
    pub until_seq: Option<Seq>,
}

#[cfg(test)]
pub(crate) mod tests;
