//! What is answered. Secrets are not among it: a key shows as `has_key`, a password not at all, a
//! header's value as `…`, which no header can hold, so that it is not written back by mistake.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::evidence::Evidence;
use super::explain::explain;
use crate::clock::Timestamp;
use crate::deliver::courier::Courier;
use crate::delivery;
use crate::delivery::Status;
use crate::duration::format_duration;
use crate::endpoint::{Check, EndpointState, Origin};
use crate::event;
use crate::id::{DeliveryId, EndpointId, EventId, Seq};
use crate::inbound::json;
use crate::inbound::media::Media;
use crate::policy::{Policies, Policy};
use crate::store::{DeliveryView, EndpointView};

/// An endpoint.
#[derive(Debug, Serialize)]
pub struct Endpoint {
    id: EndpointId,
    name: String,
    url: String,
    policy: String,
    state: EndpointState,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    events: Vec<String>,
    concurrency: u32,
    /// Its own, or the policy's.
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basic_auth: Option<Login>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, &'static str>,
    has_key: bool,
    /// When the key was replaced, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_rotated_at: Option<Timestamp>,
    /// Until when the key before counts as well, or counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_key_until: Option<Timestamp>,
    has_ca: bool,
    check: Check,
    allow_http: bool,
    drop_while_inactive: bool,
    origin: Origin,
    created_at: Timestamp,
    backlog: u64,
    oldest_waiting_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    delivered: u64,
    dead: u64,
}

#[derive(Debug, Serialize)]
struct Login {
    user: String,
}

impl Endpoint {
    /// As it is answered.
    pub fn of(view: &EndpointView, policies: &Policies) -> Self {
        let endpoint = &*view.endpoint;
        let settings = endpoint.settings.clone();
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
        }
    }
}

/// An event.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    id: EventId,
    seq: Seq,
    source: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: Timestamp,
    received_at: Timestamp,
    content_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
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

/// A delivery.
#[derive(Debug, Serialize)]
pub struct Delivery {
    id: DeliveryId,
    event_id: EventId,
    event_type: String,
    seq: Seq,
    /// The endpoint's name.
    endpoint: String,
    endpoint_id: EndpointId,
    status: Status,
    attempt_count: u32,
    next_attempt_at: Option<Timestamp>,
    last_status: Option<u16>,
    last_error: Option<String>,
    attempts: Vec<Attempt>,
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
        for (shown, attempt) in self.attempts.iter_mut().zip(&view.attempts) {
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
            attempt_count: view.attempt_count,
            next_attempt_at: view.next_attempt_at,
            last_status: last.and_then(|attempt| attempt.status),
            last_error: last.and_then(|attempt| attempt.error.clone()),
            attempts: view.attempts.iter().map(Attempt::of).collect(),
            explanation: explain(view, policy, now),
        }
    }
}

/// An attempt.
#[derive(Debug, Serialize)]
pub struct Attempt {
    number: u32,
    started_at: Timestamp,
    ended_at: Timestamp,
    /// By the broker's clock, as the two moments are.
    duration_ms: u64,
    status: Option<u16>,
    error: Option<String>,
    response_excerpt: Option<String>,
    #[serde(flatten)]
    evidence: Option<Evidence>,
}

impl Attempt {
    /// As it is answered.
    pub fn of(attempt: &delivery::Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            duration_ms: u64::try_from(attempt.duration().as_millis()).unwrap_or(u64::MAX),
            status: attempt.status,
            error: attempt.error.clone(),
            response_excerpt: attempt.response_excerpt.clone(),
            evidence: None,
        }
    }
}
