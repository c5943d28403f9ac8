//! What is answered. Secrets are not among it: a key shows as `has_key`, a password not at all, a
//! header's value as `…`, which no header can hold, so that it is not written back by mistake.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

pub use super::attempt::Attempt;
use super::attempt::GivenUp;
use super::evidence::Evidence;
use super::explain::explain;
use crate::clock::Timestamp;
use crate::deliver::courier::Courier;
use crate::delivery::Status;
use crate::duration::format_duration;
use crate::endpoint::{Check, EndpointState, Origin};
use crate::event;
use crate::id::{DeliveryId, EndpointId, EventId, Seq};
use crate::inbound::json;
use crate::inbound::media::Media;
use crate::policy::{Policies, Policy};
use crate::store::{DeliveryView, EndpointView};
use crate::vendor::Profile;

/// Where events are delivered, and how it is getting on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Endpoint {
    id: EndpointId,
    /// Unique among the endpoints that are not removed.
    name: String,
    /// Where events are sent.
    url: String,
    /// `hotjar`, `esputnik`, `standard`, or a policy of the configuration.
    policy: String,
    state: EndpointState,
    /// Why it is not active, if that was not an operator's wish.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    /// Patterns of event types; under eSputnik of activity statuses.
    events: Vec<String>,
    /// Attempts at once.
    concurrency: u32,
    /// Time for one attempt: its own, or the policy's.
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basic_auth: Option<Login>,
    /// Further request headers. Their values are not shown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, &'static str>,
    /// Whether it has a signing key, which is never shown.
    has_key: bool,
    /// When the key was replaced, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_rotated_at: Option<Timestamp>,
    /// Until when the key before counts as well, or counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_key_until: Option<Timestamp>,
    /// Whether it has a certificate authority of its own.
    has_ca: bool,
    check: Check,
    /// Whether plain `http` is allowed where the policy asks for TLS.
    allow_http: bool,
    /// Whether events that occur while it is paused are dropped.
    drop_while_inactive: bool,
    origin: Origin,
    created_at: Timestamp,
    /// Deliveries that have not ended.
    backlog: u64,
    /// When the oldest of them was received.
    oldest_waiting_at: Option<Timestamp>,
    /// When its next retry is due.
    next_attempt_at: Option<Timestamp>,
    /// Deliveries that have arrived.
    delivered: u64,
    /// Dead letters.
    dead: u64,
    /// Deliveries that were discarded, or ended with the endpoint.
    removed: u64,
    /// What its operator should know, such as that nothing is signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The login of HTTP Basic; its password is not shown.
#[derive(Debug, Serialize, JsonSchema)]
struct Login {
    user: String,
}

impl Endpoint {
    /// As it is answered.
    pub fn of(view: &EndpointView, policies: &Policies) -> Self {
        let endpoint = &*view.endpoint;
        let settings = endpoint.settings.clone();
        let warnings = Profile::warnings(&settings);
        let policy = policies.get(&settings.policy);
        let timeout = settings.timeout.or(policy.map(|policy| policy.timeout));
        Self {
            id: endpoint.id,
            name: settings.name,
            url: settings.url,
            policy: settings.policy,
            state: endpoint.state,
            state_reason: endpoint.state_reason.clone(),
            events: settings.filter.patterns,
            concurrency: settings.concurrency,
            timeout: timeout.map(format_duration),
            basic_auth: settings.basic_auth.map(|auth| Login { user: auth.user }),
            headers: settings
                .headers
                .into_iter()
                .map(|(name, _)| (name, "…"))
                .collect(),
            has_key: settings.signing_key.is_some(),
            key_rotated_at: settings.rotation.as_ref().map(|it| it.rotated_at),
            previous_key_until: settings
                .rotation
                .and_then(|it| it.previous)
                .map(|it| it.until),
            has_ca: settings.ca_pem.is_some(),
            check: settings.check,
            allow_http: settings.allow_http,
            drop_while_inactive: settings.drop_while_inactive,
            origin: settings.origin,
            created_at: endpoint.created_at,
            backlog: view.backlog,
            oldest_waiting_at: view.oldest_waiting_at,
            next_attempt_at: view.next_attempt_at,
            delivered: view.ended.delivered,
            dead: view.ended.dead,
            removed: view.ended.removed,
            warnings,
        }
    }
}

/// An event of the log. Its body stands in `data` if it is JSON, else in `body_base64`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event<'a> {
    id: EventId,
    /// Its position in the log, from 1.
    seq: Seq,
    /// The source's name: `api` for what came by `POST /v1/events`.
    source: &'a str,
    r#type: &'a str,
    /// What it is about, if its sender said.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// When it happened, by its sender; else when it was received.
    time: Timestamp,
    received_at: Timestamp,
    content_type: &'a str,
    /// The body, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    data: Option<&'a RawValue>,
    /// The body in base64, where it is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// The body's length in bytes.
    size: usize,
}

impl<'a> Event<'a> {
    /// As it is answered: a body that is JSON stands in `data`, as it was written. One that came in
    /// by relay may be nested deeper than those who read this can.
    pub fn of(event: &'a event::Event) -> Self {
        let content = &event.content;
        let data = Media::parse(&content.content_type)
            .is_json()
            .then(|| json::check_value(&content.body).ok())
            .flatten();
        Self {
            id: event.id,
            seq: event.seq,
            source: &content.source,
            r#type: &content.kind,
            subject: content.subject.as_deref(),
            time: event.time(),
            received_at: event.received_at,
            content_type: &content.content_type,
            data,
            body_base64: data.is_none().then(|| STANDARD.encode(&content.body)),
            size: content.body.len(),
        }
    }
}

/// One event on its way to one endpoint, over all its attempts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Delivery {
    id: DeliveryId,
    event_id: EventId,
    event_type: String,
    /// The event's position in the log.
    seq: Seq,
    /// The endpoint's name.
    endpoint: String,
    endpoint_id: EndpointId,
    status: Status,
    /// Attempts so far.
    attempt_count: u32,
    /// When the next attempt may leave, if one has failed.
    next_attempt_at: Option<Timestamp>,
    /// The HTTP status of the last attempt, if an answer came.
    last_status: Option<u16>,
    /// What went wrong with the last attempt, if no usable answer came.
    last_error: Option<String>,
    /// The latest attempts, oldest first: at most 1,000, and 20 in a list.
    attempts: Vec<Attempt>,
    /// When it was given up without an attempt, and why; it may have been put back since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    given_up: Vec<GivenUp>,
    /// Why it is where it is, in a sentence.
    explanation: String,
}

/// Where it stands, in a sentence.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, status, why) = (self.id, self.status.as_str(), &self.explanation);
        write!(f, "{id} is {status}: {why}")
    }
}

impl Delivery {
    /// With what is known of its attempts beside their ends: too much for a list.
    #[must_use]
    pub fn with_evidence(mut self, view: &DeliveryView, courier: &Courier) -> Self {
        for (shown, attempt) in self.attempts.iter_mut().zip(view.made()) {
            shown.evidence = Some(Evidence::of(courier, view, attempt));
        }
        self
    }

    /// The type of its event.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// As it is answered at `now`.
    pub fn of(view: &DeliveryView, policies: &Policies, now: Timestamp) -> Self {
        let settings = &view.endpoint.settings;
        let policy: Option<&Policy> = policies.get(&settings.policy).map(|policy| &**policy);
        let last = view.attempts.last();
        Self {
            id: view.id,
            event_id: view.event.id,
            event_type: view.event.content.kind.to_string(),
            seq: view.event.seq,
            endpoint: settings.name.clone(),
            endpoint_id: view.endpoint.id,
            status: view.status,
            attempt_count: view.attempts_made(),
            next_attempt_at: view.next_attempt_at,
            last_status: last.and_then(|attempt| attempt.status),
            last_error: last.and_then(|attempt| attempt.error.clone()),
            attempts: view.made().map(Attempt::of).collect(),
            given_up: view.attempts.iter().filter_map(GivenUp::of).collect(),
            explanation: explain(view, policy, now),
        }
    }
}
