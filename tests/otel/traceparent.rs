//! What receivers are told of traces: nothing, unless the operator names them.

use serde_json::json;

use crate::collector::{Collector, named};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Seen};

fn endpoint(broker: &Broker, name: &str, receiver: &Receiver) {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": name, "url": receiver.url(), "policy": "standard" }),
    );
}

fn first_post(receiver: &Receiver) -> Seen {
    eventually("a delivery", || receiver.posts().into_iter().next())
}

#[test]
fn only_a_named_endpoint_is_told_and_by_the_very_span_of_its_attempt() {
    let collector = Collector::start();
    let site = collector.site();
    site.configure("[otel]\ntraceparent = [\"crm\"]\n");
    let broker = site.start(&[]);
    let (crm, other) = (Receiver::always(200), Receiver::always(200));
    endpoint(&broker, "crm", &crm);
    endpoint(&broker, "other", &other);
    broker.event("t", &json!(1));
    let (told, not) = (first_post(&crm), first_post(&other));
    broker.stop();
    let span = &named(&collector.spans(), "send crm")[0];
    let (trace, id) = (hex::encode(&span.trace_id), hex::encode(&span.span_id));
    assert_eq!(told.header("traceparent"), format!("00-{trace}-{id}-01"));
    assert_eq!(not.header("traceparent"), "");
}

#[test]
fn what_is_not_recorded_is_said_not_to_be() {
    let collector = Collector::start();
    let mut site = collector.site();
    site.set_env("OTEL_TRACES_SAMPLER", "always_off");
    site.configure("[otel]\ntraceparent = [\"*\"]\n");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "crm", &receiver);
    broker.event("t", &json!(1));
    let told = first_post(&receiver);
    broker.stop();
    assert!(told.header("traceparent").ends_with("-00"));
    assert!(collector.spans().is_empty());
}

#[test]
fn where_nothing_is_exported_nobody_is_told_and_the_operator_is() {
    let site = Site::new();
    site.configure("[otel]\ntraceparent = [\"*\"]\n");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "crm", &receiver);
    broker.event("t", &json!(1));
    assert_eq!(first_post(&receiver).header("traceparent"), "");
    broker.stop();
    let warned = "[otel] traceparent is not sent";
    assert_eq!(site.log().matches(warned).count(), 1, "{}", site.log());
}
