//! A collector that keeps what it gets, read by OpenTelemetry's own types.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::process::broker::Site;
use crate::process::receiver::{Receiver, Reply, Seen};

/// It listens until the test's process ends.
pub struct Collector(Receiver);

impl Collector {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::answering(|_| Reply::Status(200))
    }

    /// One that answers by how many requests came before.
    pub fn answering(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self(Receiver::start(move |_, before| script(before)))
    }

    /// Without a path: that of traces is added to it.
    pub fn url(&self) -> String {
        self.0.url().replace("/hook", "")
    }

    /// A place for a broker that exports to it, in batches of a few milliseconds.
    pub fn site(&self) -> Site {
        site(&self.url())
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.0.posts()
    }

    /// All that was sent.
    pub fn spans(&self) -> Vec<Span> {
        let each = self.requests().into_iter().flat_map(|seen| {
            assert_eq!(seen.path, "/v1/traces");
            assert_eq!(seen.header("content-type"), "application/x-protobuf");
            read(&seen).resource_spans
        });
        let scopes = each.flat_map(|of| of.scope_spans);
        scopes.flat_map(|of| of.spans).collect()
    }

    /// What the first request says of the one who sends it.
    pub fn resource(&self) -> Vec<KeyValue> {
        let first = read(&self.requests()[0]);
        first.resource_spans[0].resource.clone().unwrap().attributes
    }
}

/// A place for a broker that exports to `url`.
pub fn site(url: &str) -> Site {
    let mut site = Site::new();
    site.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    site.set_env("OTEL_BSP_SCHEDULE_DELAY", "20");
    site
}

fn read(seen: &Seen) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(&*seen.body).unwrap()
}

/// An attribute as text; empty if it is not there.
pub fn text(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|it| it.key == name);
    match found.and_then(|it| it.value.as_ref()) {
        None => String::new(),
        Some(AnyValue { value: Some(value) }) => match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(truth) => truth.to_string(),
            other => panic!("{name} is {other:?}"),
        },
        Some(AnyValue { value: None }) => panic!("{name} has no value"),
    }
}

/// Those of this name.
pub fn named(spans: &[Span], name: &str) -> Vec<Span> {
    let named = spans.iter().filter(|span| span.name == name);
    named.cloned().collect()
}
