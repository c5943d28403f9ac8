//! What a collector is told of events: one trace each, from the request to the last attempt.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Value, json};

use crate::collector::{Collector, named, text};
use crate::ids::{is_at, is_in, of_event};
use crate::process::broker::Broker;
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn endpoint(broker: &Broker, name: &str, url: &str) -> Value {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": name, "url": url, "policy": "hotjar" }),
    )
}

/// Fails at the first attempt.
fn late() -> Receiver {
    Receiver::start(|seen, _| match seen.header("redeliver-attempt") {
        "1" => Reply::Status(503),
        _ => Reply::Status(200),
    })
}

#[test]
fn an_event_is_one_trace_from_its_request_to_its_last_attempt_over_a_restart() {
    let collector = Collector::start();
    let mut site = collector.site();
    site.set_env(
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=test",
    );
    let broker = site.start(&["--clock", "manual"]);
    let receiver = late();
    let made = endpoint(&broker, "crm", &receiver.url());
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", CALLER),
        ("x-request-id", "r-17"),
    ];
    let body = br#"{"type":"order.paid","data":1}"#;
    let taken = broker.send("POST", "/v1/events", &headers, body).json();
    let event = taken["id"].as_str().unwrap();
    broker.advance("0s");
    broker.stop();
    let broker = site.start(&["--clock", "manual"]);
    broker.advance("1m");
    let delivery = broker.delivery_of(event);
    assert_eq!(delivery["status"], "delivered");
    broker.stop();

    let (spans, root) = (collector.spans(), of_event(event));
    assert_eq!(spans.len(), 3, "{spans:#?}");
    assert!(spans.iter().all(|span| is_in(span, root)));

    let request = &named(&spans, "POST /v1/events")[0];
    assert!(is_at(request, root));
    assert_eq!(request.kind, SpanKind::Server as i32);
    assert_eq!(request.parent_span_id, b"");
    assert!(request.end_time_unix_nano > request.start_time_unix_nano);
    assert_eq!(request.links.len(), 1);
    let caller = hex::encode(&request.links[0].trace_id);
    assert_eq!(caller, "4bf92f3577b34da6a3ce929d0e0e4736");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/events"),
        ("http.response.status_code", "202"),
        ("messaging.system", "redeliver"),
        ("messaging.operation.type", "create"),
        ("messaging.message.id", event),
        ("redeliver.event.source", "api"),
        ("redeliver.event.type", "order.paid"),
        ("redeliver.event.duplicate", "false"),
        ("redeliver.request.id", "r-17"),
    ] {
        assert_eq!(text(&request.attributes, name), value, "{name}");
    }

    let attempts = named(&spans, "send crm");
    for (attempt, (status, outcome)) in attempts
        .iter()
        .zip([("503", "failed"), ("200", "delivered")])
    {
        assert_eq!(attempt.kind, SpanKind::Client as i32);
        assert_eq!(attempt.parent_span_id, request.span_id);
        let delivery = delivery["id"].as_str().unwrap();
        for (name, value) in [
            ("messaging.operation.type", "send"),
            ("messaging.destination.name", "crm"),
            ("messaging.message.id", event),
            ("server.address", "127.0.0.1"),
            ("http.response.status_code", status),
            ("redeliver.endpoint.id", made["id"].as_str().unwrap()),
            ("redeliver.delivery.id", delivery),
            ("redeliver.policy", "hotjar"),
            ("redeliver.outcome", outcome),
        ] {
            assert_eq!(text(&attempt.attributes, name), value, "{name}");
        }
    }
    let numbers = attempts
        .iter()
        .map(|it| text(&it.attributes, "redeliver.attempt"));
    assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2"]);
    let failed = attempts[0].status.clone().unwrap();
    assert_eq!(failed.code, StatusCode::Error as i32);
    assert_eq!(text(&attempts[0].attributes, "error.type"), "503");
    assert_eq!(text(&attempts[1].attributes, "error.type"), "");
    // By the broker's clock the second came half a minute later.
    let waited = attempts[1].start_time_unix_nano - attempts[0].start_time_unix_nano;
    assert!(waited >= 30_000_000_000, "{waited}");

    let resource = collector.resource();
    assert_eq!(text(&resource, "service.name"), "redeliver");
    assert_eq!(
        text(&resource, "service.version"),
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(text(&resource, "deployment.environment.name"), "test");
}

#[test]
fn the_service_has_the_name_that_it_is_given() {
    let collector = Collector::start();
    let mut site = collector.site();
    site.set_env("OTEL_SERVICE_NAME", "events-of-the-shop");
    let broker = site.start(&[]);
    broker.event("t", &json!(1));
    broker.stop();
    let name = text(&collector.resource(), "service.name");
    assert_eq!(name, "events-of-the-shop");
}

#[test]
fn each_event_of_a_list_begins_a_trace_that_is_linked_to_the_request() {
    let collector = Collector::start();
    let site = collector.site();
    site.configure("[[source]]\nname = \"mails\"\nkind = \"esputnik\"\nsplit = true\n");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "crm", &receiver.url());
    let activity = |id: u32| json!({ "activityStatus": "READ", "messageId": id, "eventId": id });
    let taken = broker.post("/in/mails", &json!([activity(1), activity(2)]));
    broker.advance("0s");
    broker.stop();
    let spans = collector.spans();
    let request = &named(&spans, "POST /in/{source}")[0];
    assert_eq!(
        text(&request.attributes, "messaging.batch.message_count"),
        "2"
    );
    let roots = named(&spans, "create mails");
    let attempts = named(&spans, "send crm");
    assert_eq!((roots.len(), attempts.len()), (2, 2), "{spans:#?}");
    for event in taken["events"].as_array().unwrap() {
        let context = of_event(event["id"].as_str().unwrap());
        let root = roots.iter().find(|root| is_at(root, context)).unwrap();
        assert_eq!(root.kind, SpanKind::Producer as i32);
        assert_eq!(root.links[0].span_id, request.span_id);
        assert_ne!(root.trace_id, request.trace_id);
        let linked = |link: &opentelemetry_proto::tonic::trace::v1::span::Link| {
            link.trace_id == root.trace_id && link.span_id == root.span_id
        };
        assert!(request.links.iter().any(linked));
        let attempt = attempts.iter().find(|it| is_in(it, context)).unwrap();
        assert_eq!(attempt.parent_span_id, root.span_id);
    }
}

#[test]
fn a_duplicate_begins_no_trace_anew_and_a_refusal_is_a_request_without_an_event() {
    let collector = Collector::start();
    let site = collector.site();
    let broker = site.start(&[]);
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "one"),
    ];
    let body = br#"{"type":"t","data":1}"#;
    let send = || broker.send("POST", "/v1/events", &headers, body).json();
    let first = send();
    assert_eq!(send()["duplicate"], true);
    let refused = broker.call("POST", "/v1/events", &json!({ "type": "" }));
    assert_eq!(refused.status, 422);
    broker.stop();
    let spans = collector.spans();
    let root = of_event(first["id"].as_str().unwrap());
    let begins = spans.iter().filter(|span| is_at(span, root));
    assert_eq!((spans.len(), begins.count()), (3, 1));
    let [_, second, refused] = &spans[..] else {
        panic!("{spans:#?}")
    };
    assert!(!is_in(second, root));
    assert_eq!(
        text(&second.attributes, "redeliver.event.duplicate"),
        "true"
    );
    assert_eq!(second.links[0].trace_id, root.trace.to_be_bytes());
    assert_eq!(
        text(&refused.attributes, "http.response.status_code"),
        "422"
    );
    assert_eq!(text(&refused.attributes, "messaging.message.id"), "");
    // What a client did wrong is no error of the server's.
    assert_eq!(
        refused.status.clone().unwrap_or_default().code,
        StatusCode::Unset as i32
    );
}

#[test]
fn what_no_request_brought_begins_a_trace_too() {
    let collector = Collector::start();
    let site = collector.site();
    site.configure("[operations]\n");
    let broker = site.start(&["--clock", "manual"]);
    let watcher = Receiver::always(200);
    broker.post(
        "/v1/endpoints",
        &json!({ "name": "chat", "url": watcher.url(), "policy": "standard", "events": ["endpoint.*"] }),
    );
    endpoint(&broker, "crm", &watcher.url());
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    broker.advance("0s");
    eventually("the notice is delivered", || {
        (!watcher.posts().is_empty()).then_some(())
    });
    broker.stop();
    let spans = collector.spans();
    let root = &named(&spans, "create redeliver")[0];
    assert_eq!(
        text(&root.attributes, "redeliver.event.type"),
        "endpoint.paused"
    );
    let attempt = &named(&spans, "send chat")[0];
    assert_eq!(attempt.parent_span_id, root.span_id);
    assert_eq!(attempt.trace_id, root.trace_id);
}

#[test]
fn what_is_not_sampled_is_not_sent_and_a_sampled_trace_is_whole() {
    let collector = Collector::start();
    let mut site = collector.site();
    site.set_env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
    site.set_env("OTEL_TRACES_SAMPLER_ARG", "0.5");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "crm", &receiver.url());
    let events: Vec<_> = (0..40).map(|n| broker.event("t", &json!(n))).collect();
    broker.advance("0s");
    broker.stop();
    let spans = collector.spans();
    let counts = events.iter().map(|event| {
        let context = of_event(event);
        spans.iter().filter(|span| is_in(span, context)).count()
    });
    let counts: Vec<_> = counts.collect();
    assert!(
        counts.iter().all(|count| [0, 2].contains(count)),
        "{counts:?}"
    );
    assert!(counts.contains(&0) && counts.contains(&2), "{counts:?}");
}
