//! A collector that is away, slow or unwilling: the broker goes on, says so once, and counts.

use std::time::Duration;

use serde_json::json;

use crate::collector::{Collector, site};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply, nobody};

const FAILS: &str = "the collector does not take spans";
const AGAIN: &str = "the collector takes spans again";

fn value(broker: &Broker, series: &str) -> f64 {
    let page = broker.send("GET", "/metrics", &[], b"").text();
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(-1.0, |value| value.trim().parse().unwrap())
}

fn dropped(broker: &Broker, reason: &str) -> f64 {
    let series = format!("redeliver_trace_spans_dropped_total{{reason=\"{reason}\"}}");
    value(broker, &series)
}

/// Delivers so many events, one after the other.
fn deliver(broker: &Broker, receiver: &Receiver, count: usize) {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": "crm", "url": receiver.url(), "policy": "standard" }),
    );
    for number in 0..count {
        broker.event("t", &json!(number));
    }
    eventually("all are delivered", || {
        (receiver.posts().len() == count).then_some(())
    });
}

/// The gauge is set behind the counters.
fn is_failing(broker: &Broker, failing: f64) {
    eventually("the collector is known to fail or not", || {
        (value(broker, "redeliver_trace_collector_failing") == failing).then_some(())
    });
}

fn told(site: &Site, words: &str) -> usize {
    site.log().matches(words).count()
}

#[test]
fn a_collector_that_is_down_costs_no_delivery_and_is_told_once() {
    let mut site = site(&nobody().replace("/hook", ""));
    site.set_env("OTEL_EXPORTER_OTLP_TIMEOUT", "1000");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    deliver(&broker, &receiver, 20);
    eventually("every span is dropped", || {
        (dropped(&broker, "collector") == 40.0).then_some(())
    });
    assert_eq!(value(&broker, "redeliver_trace_spans_exported_total"), 0.0);
    is_failing(&broker, 1.0);
    broker.event("t", &json!("one more"));
    eventually("those of one more, too", || {
        (dropped(&broker, "collector") == 42.0).then_some(())
    });
    broker.stop();
    assert_eq!(told(&site, FAILS), 1, "{}", site.log());
    assert!(site.log().contains("refused"), "{}", site.log());
}

#[test]
fn a_collector_that_comes_back_gets_what_follows_and_that_is_told_once() {
    // 400 is for good; 503 is tried again with the same batch.
    let collector = Collector::answering(|before| match before {
        0 => Reply::Status(400),
        1 => Reply::Status(503),
        _ => Reply::Status(200),
    });
    let site = collector.site();
    let broker = site.start(&[]);
    broker.event("t", &json!(1));
    eventually("its span is refused", || {
        (dropped(&broker, "collector") == 1.0).then_some(())
    });
    eventually("the refusal is told", || {
        site.log().contains("400").then_some(())
    });
    for number in 0..3 {
        broker.event("t", &json!(number));
    }
    eventually("the others are taken", || {
        (value(&broker, "redeliver_trace_spans_exported_total") == 3.0).then_some(())
    });
    is_failing(&broker, 0.0);
    broker.stop();
    assert_eq!((told(&site, FAILS), told(&site, AGAIN)), (1, 1));
}

#[test]
fn while_a_collector_hangs_the_queue_is_bounded_deliveries_go_on_and_a_stop_is_too() {
    let collector = Collector::answering(|_| Reply::Hang);
    let mut site = collector.site();
    site.set_env("OTEL_BSP_MAX_QUEUE_SIZE", "4");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    deliver(&broker, &receiver, 50);
    assert!(dropped(&broker, "queue_full") > 0.0);
    // In good order, although the collector would hang for ten seconds more.
    broker.stop();
    assert_eq!(told(&site, "stopping before the collector"), 1);
    assert_eq!(told(&site, "panicked"), 0);
}

#[test]
fn what_waits_at_a_stop_is_sent() {
    let collector = Collector::start();
    let mut site = collector.site();
    // Nothing goes by itself within the test.
    site.set_env("OTEL_BSP_SCHEDULE_DELAY", "300000");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    deliver(&broker, &receiver, 5);
    assert_eq!(collector.requests().len(), 0);
    broker.stop();
    assert_eq!(collector.spans().len(), 10);
}

#[test]
fn a_slow_collector_gets_batches_and_not_a_request_for_each_span() {
    let pause = Duration::from_millis(50);
    let collector = Collector::answering(move |_| Reply::After(pause, 200));
    let mut site = collector.site();
    site.set_env("OTEL_BSP_SCHEDULE_DELAY", "300000");
    site.set_env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10");
    let broker = site.start(&[]);
    for number in 0..25 {
        broker.event("t", &json!(number));
    }
    broker.stop();
    assert_eq!(collector.spans().len(), 25);
    assert_eq!(collector.requests().len(), 3);
}

/// Puts so many events in by one request.
fn list(broker: &Broker, name: &str, count: usize) {
    let event = |number: usize| json!({ "specversion": "1.0", "id": format!("{name}-{number}"), "source": "/s", "type": "t", "data": {} });
    let events: Vec<_> = (0..count).map(event).collect();
    let media = [("content-type", "application/cloudevents-batch+json")];
    let body = json!(events).to_string();
    let answer = broker.send("POST", "/v1/events", &media, body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[test]
fn a_list_of_events_is_sent_in_batches_as_large_as_any() {
    let collector = Collector::start();
    let mut site = collector.site();
    site.set_env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100");
    let broker = site.start(&[]);
    list(&broker, "a", 250);
    broker.stop();
    // The request, and each event's own beginning.
    assert_eq!(collector.spans().len(), 251);
    assert_eq!(collector.requests().len(), 3);
}

#[test]
fn what_waits_for_a_collector_is_bounded_by_events_and_not_by_the_requests_that_brought_them() {
    let collector = Collector::answering(|_| Reply::Hang);
    let mut site = collector.site();
    site.set_env("OTEL_BSP_MAX_QUEUE_SIZE", "60");
    site.set_env("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
    let broker = site.start(&[]);
    list(&broker, "a", 50);
    eventually("these are on their way", || {
        (!collector.requests().is_empty()).then_some(())
    });
    for name in ["b", "c", "d"] {
        list(&broker, name, 40);
    }
    assert_eq!(dropped(&broker, "queue_full"), 82.0, "two of three with 41");
    // Duplicates are no spans, and take as much room as they are long.
    list(&broker, "a", 50);
    assert_eq!(dropped(&broker, "queue_full"), 83.0);
    broker.stop();
}

#[test]
fn what_cannot_be_done_is_told_in_one_line_and_the_broker_starts() {
    for (name, value, words) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "absent.pem", "absent.pem"),
        ("OTEL_TRACES_SAMPLER", "xray", "always_on"),
    ] {
        let collector = Collector::start();
        let mut site = collector.site();
        site.set_env(name, value);
        let broker = site.start(&[]);
        broker.event("t", &json!(1));
        let exported = "redeliver_trace_spans_exported_total";
        assert_eq!(self::value(&broker, exported), -1.0, "there is no figure");
        broker.stop();
        let log = site.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("no traces are exported"));
        let lines: Vec<_> = lines.collect();
        assert!(lines.len() == 1 && lines[0].contains(words), "{log}");
        assert!(collector.requests().is_empty());
    }
}
