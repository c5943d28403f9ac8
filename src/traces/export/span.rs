//! What happened, as spans by OpenTelemetry's semantic conventions for HTTP and messaging. Pure.
//!
//! | span | kind | its place |
//! |---|---|---|
//! | `POST /v1/events` and the other ways in | SERVER | the beginning of the trace of the one event that it brought, else a trace of its own |
//! | `create SOURCE` | PRODUCER | the beginning of the trace of an event that came in another way: in a list, polled, imported, made here |
//! | `send ENDPOINT` | CLIENT | below the beginning of its event's trace |
//!
//! `url.full` and `url.path`, which the conventions ask for, are left out: the URL of a webhook is a
//! secret more often than not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Method;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanLinks};
use url::Url;

use super::super::fact::{Attempt, Fact, roots_of, sole};
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EventId};
use crate::inbound::observer::{Answered, Taken};
use crate::store::Outcome;
use crate::telemetry::instruments::outcome_name;
use crate::trace::TraceContext;

/// As many as the specification has a span have.
const LINKS_MAX: usize = 128;

/// The spans of `fact`; `own` is where one begins that is in no event's trace.
pub fn of(fact: &Fact, own: TraceContext) -> Vec<SpanData> {
    match fact {
        Fact::Request(request) => of_request(request, own),
        Fact::Came(taken) => vec![root(taken, None)],
        Fact::Attempt(attempt) => vec![of_attempt(attempt)],
    }
}

fn of_request(request: &Answered, own: TraceContext) -> Vec<SpanData> {
    let sole = sole(request);
    let context = sole.map_or(own, |sole| TraceContext::of_event(sole.id));
    let status = request.status.as_u16();
    let method = known(&request.method);
    let mut span = Span::new(SpanKind::Server, context, request.began, request.took);
    span.name = format!("{} {}", method.unwrap_or("HTTP"), request.route);
    span.tell("http.request.method", method.unwrap_or("_OTHER"));
    span.tell("http.route", request.route);
    span.tell("http.response.status_code", i64::from(status));
    // What comes over TLS is unwrapped before it comes here.
    span.tell("url.scheme", "http");
    if let Some(id) = &request.id {
        span.tell("redeliver.request.id", id.clone());
    }
    // What a client did wrong is no error of a server's, by the conventions.
    if request.status.is_server_error() {
        span.tell("error.type", status.to_string());
        span.status = Status::error("");
    }
    match &*request.taken {
        [] => {}
        [one] => {
            span.event(one);
            span.tell("redeliver.event.duplicate", one.is_duplicate);
        }
        many => span.tell("messaging.batch.message_count", many.len() as i64),
    }
    if !request.taken.is_empty() {
        span.operation("create");
    }
    span.link(request.caller.map(remote));
    if sole.is_none() {
        let taken = request.taken.iter();
        span.link(taken.map(|taken| local(TraceContext::of_event(taken.id))));
    }
    let roots = roots_of(request).into_iter();
    let roots: Vec<_> = roots.map(|taken| root(taken, Some(context))).collect();
    std::iter::once(span.data()).chain(roots).collect()
}

/// How the trace of an event begins that no request brought alone.
fn root(taken: &Taken, request: Option<TraceContext>) -> SpanData {
    let context = TraceContext::of_event(taken.id);
    // A moment: what took time was the request, or nothing that anybody waited for.
    let mut span = Span::new(SpanKind::Producer, context, taken.id.time(), Duration::ZERO);
    span.name = format!("create {}", taken.source);
    span.operation("create");
    span.event(taken);
    span.link(request.map(local));
    span.data()
}

fn of_attempt(attempt: &Attempt) -> SpanData {
    let (endpoint, number) = (&*attempt.endpoint, attempt.number);
    let settings = &endpoint.settings;
    let context = TraceContext::of_attempt(attempt.event, endpoint.number, number);
    let mut span = Span::new(SpanKind::Client, context, attempt.started_at, attempt.took);
    span.parent = SpanId::from_bytes(TraceContext::of_event(attempt.event).span.to_be_bytes());
    span.name = format!("send {}", settings.name);
    span.operation("send");
    span.tell("messaging.destination.name", settings.name.clone());
    span.message(attempt.event);
    span.tell("http.request.method", "POST");
    if number > 1 {
        span.tell("http.request.resend_count", i64::from(number) - 1);
    }
    if let Ok(url) = Url::parse(&settings.url) {
        span.tell("url.scheme", url.scheme().to_owned());
        if let Some(host) = url.host_str() {
            span.tell("server.address", host.to_owned());
        }
        if let Some(port) = url.port_or_known_default() {
            span.tell("server.port", i64::from(port));
        }
    }
    if let Some(status) = attempt.status {
        span.tell("http.response.status_code", i64::from(status));
    }
    span.tell("redeliver.event.source", attempt.source.to_string());
    span.tell("redeliver.event.type", attempt.kind.to_string());
    span.tell("redeliver.endpoint.id", endpoint.id.to_string());
    let delivery = DeliveryId::new(attempt.event, endpoint.number);
    span.tell("redeliver.delivery.id", delivery.to_string());
    span.tell("redeliver.attempt", i64::from(number));
    span.tell("redeliver.policy", settings.policy.clone());
    span.tell("redeliver.outcome", outcome_name(&attempt.outcome));
    if attempt.outcome != Outcome::Delivered {
        let status = attempt.status.map(|status| status.to_string());
        span.tell(
            "error.type",
            status.unwrap_or_else(|| "no_answer".to_owned()),
        );
        span.status = Status::error(attempt.error.clone().unwrap_or_default());
    }
    span.data()
}

/// A method that the conventions know; any other is a stranger's word.
fn known(method: &Method) -> Option<&'static str> {
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    known.into_iter().find(|known| *known == method.as_str())
}

fn context(of: TraceContext, is_remote: bool) -> SpanContext {
    let flags = match of.is_sampled {
        true => TraceFlags::SAMPLED,
        false => TraceFlags::default(),
    };
    SpanContext::new(
        TraceId::from_bytes(of.trace.to_be_bytes()),
        SpanId::from_bytes(of.span.to_be_bytes()),
        flags,
        is_remote,
        TraceState::NONE,
    )
}

fn local(of: TraceContext) -> Link {
    Link::with_context(context(of, false))
}

fn remote(of: TraceContext) -> Link {
    Link::with_context(context(of, true))
}

/// A span that is being put together.
struct Span {
    name: String,
    kind: SpanKind,
    context: TraceContext,
    parent: SpanId,
    began: SystemTime,
    took: Duration,
    attributes: Vec<KeyValue>,
    links: SpanLinks,
    status: Status,
}

impl Span {
    fn new(kind: SpanKind, context: TraceContext, began: Timestamp, took: Duration) -> Self {
        let since_1970 = Duration::from_millis(u64::try_from(began.as_millis()).unwrap_or(0));
        Self {
            name: String::new(),
            kind,
            context,
            parent: SpanId::INVALID,
            began: UNIX_EPOCH + since_1970,
            took,
            attributes: Vec::with_capacity(20),
            links: SpanLinks::default(),
            status: Status::Unset,
        }
    }

    fn tell(&mut self, name: &'static str, value: impl Into<opentelemetry::Value>) {
        self.attributes.push(KeyValue::new(name, value));
    }

    fn operation(&mut self, name: &'static str) {
        self.tell("messaging.system", "redeliver");
        self.tell("messaging.operation.name", name);
        self.tell("messaging.operation.type", name);
    }

    fn message(&mut self, event: EventId) {
        self.tell("messaging.message.id", event.to_string());
    }

    fn event(&mut self, taken: &Taken) {
        self.message(taken.id);
        self.tell("redeliver.event.source", taken.source.to_string());
        self.tell("redeliver.event.type", taken.kind.to_string());
    }

    fn link(&mut self, links: impl IntoIterator<Item = Link>) {
        for link in links {
            match self.links.links.len() < LINKS_MAX {
                true => self.links.links.push(link),
                false => self.links.dropped_count += 1,
            }
        }
    }

    fn data(self) -> SpanData {
        SpanData {
            span_context: context(self.context, false),
            parent_span_id: self.parent,
            parent_span_is_remote: false,
            span_kind: self.kind,
            name: self.name.into(),
            start_time: self.began,
            end_time: self.began + self.took,
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: self.links,
            status: self.status,
            instrumentation_scope: scope(),
        }
    }
}

fn scope() -> InstrumentationScope {
    let scope = InstrumentationScope::builder("redeliver");
    scope.with_version(env!("CARGO_PKG_VERSION")).build()
}

#[cfg(test)]
mod tests;
