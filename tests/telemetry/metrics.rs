//! `GET /metrics`: what it counts, how it is written, who may read it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::process::broker::Site;
use crate::process::eventually;
use crate::scrape::Page;
use crate::shop::{broker, endpoint, picky};

const RELAY: &str = r#"
[[source]]
name = "hooks"
kind = "raw"
access_token = "env:TOKEN"
"#;

#[test]
fn events_attempts_and_queues_are_counted_as_they_happen() {
    let mut site = Site::new();
    site.set_env("TOKEN", "secret-token");
    site.configure(RELAY);
    let broker = site.start(&["--clock", "manual"]);
    let receiver = picky();
    endpoint(&broker, "a", &receiver.url(), &["good", "bad"]);
    endpoint(&broker, "stopped", &receiver.url(), &["good"]);
    broker.post("/v1/endpoints/stopped/pause", &json!({}));
    for _ in 0..2 {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "one"),
        ];
        let sent = broker.send(
            "POST",
            "/v1/events",
            &headers,
            br#"{"type":"good","data":1}"#,
        );
        assert_eq!(sent.status, 202);
    }
    broker.event("bad", &json!(1));
    let refused = broker.call("POST", "/v1/events", &json!({ "type": "" }));
    assert_eq!(refused.status, 422);
    assert_eq!(broker.call("POST", "/in/hooks", &json!({})).status, 401);
    assert_eq!(broker.call("POST", "/in/nobody", &json!({})).status, 404);
    broker.advance("90s");
    let page = Page::of(&broker);
    for (series, value) in [
        (r#"redeliver_events_received_total{source="api"}"#, 2.0),
        (r#"redeliver_events_duplicate_total{source="api"}"#, 1.0),
        (
            r#"redeliver_requests_refused_total{source="api",reason="invalid"}"#,
            1.0,
        ),
        (
            r#"redeliver_requests_refused_total{source="hooks",reason="unauthenticated"}"#,
            1.0,
        ),
        ("redeliver_requests_unknown_source_total", 1.0),
        (
            r#"redeliver_ingest_duration_seconds_count{result="accepted"}"#,
            3.0,
        ),
        (
            r#"redeliver_ingest_duration_seconds_count{result="refused"}"#,
            3.0,
        ),
        (
            r#"redeliver_delivery_attempts_total{endpoint="a",outcome="delivered"}"#,
            1.0,
        ),
        (
            r#"redeliver_delivery_attempts_total{endpoint="a",outcome="failed"}"#,
            2.0,
        ),
        (
            r#"redeliver_delivery_attempt_duration_seconds_count{outcome="failed"}"#,
            2.0,
        ),
        (
            r#"redeliver_delivery_wait_seconds_count{attempt="first"}"#,
            2.0,
        ),
        (
            r#"redeliver_delivery_wait_seconds_count{attempt="retry"}"#,
            1.0,
        ),
        (r#"redeliver_endpoint_backlog{endpoint="a"}"#, 1.0),
        (
            r#"redeliver_endpoint_oldest_waiting_age_seconds{endpoint="a"}"#,
            90.0,
        ),
        (r#"redeliver_endpoint_backlog{endpoint="stopped"}"#, 1.0),
        (r#"redeliver_endpoint_paused{endpoint="stopped"}"#, 1.0),
        (r#"redeliver_endpoint_paused{endpoint="a"}"#, 0.0),
        (r#"redeliver_deliveries{status="pending"}"#, 1.0),
        (r#"redeliver_deliveries{status="waiting"}"#, 1.0),
        (r#"redeliver_deliveries{status="dead"}"#, 0.0),
        (r#"redeliver_endpoints{state="paused"}"#, 1.0),
        ("redeliver_store_events", 2.0),
        ("redeliver_store_last_seq", 2.0),
        ("redeliver_store_commit_group_events_sum", 2.0),
        ("redeliver_store_duplicate_window_entries", 1.0),
        ("redeliver_store_stopped", 0.0),
    ] {
        let found = page.samples.get(series);
        assert_eq!(found, Some(&value), "{series}:\n{}", page.text);
    }
    for series in [
        "redeliver_store_used_bytes",
        "redeliver_store_free_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ] {
        assert!(page.value(series) > 0.0, "{series}:\n{}", page.text);
    }
    // Neither where an endpoint is nor what a source is let in by.
    assert!(!page.text.contains("127.0.0.1") && !page.text.contains("secret"));
}

#[test]
fn a_dead_letter_and_a_removed_endpoint_are_seen() {
    let (_site, broker) = broker("");
    let receiver = crate::process::receiver::Receiver::always(500);
    let gone = crate::process::receiver::Receiver::always(410);
    for (name, to) in [("fails", receiver.url()), ("leaves", gone.url())] {
        broker.post(
            "/v1/endpoints",
            &json!({ "name": name, "url": to, "policy": "hotjar" }),
        );
    }
    broker.event("t", &json!(1));
    broker.advance("0s");
    let leaves = |page: &Page| page.text.contains(r#"endpoint="leaves""#);
    assert!(!leaves(&Page::of(&broker)), "it is removed");
    broker.advance("2h");
    let page = Page::of(&broker);
    for (series, value) in [
        (
            r#"redeliver_delivery_attempts_total{endpoint="fails",outcome="failed"}"#,
            6.0,
        ),
        (
            r#"redeliver_delivery_attempts_total{endpoint="fails",outcome="dead"}"#,
            1.0,
        ),
        (r#"redeliver_endpoint_dead_letters{endpoint="fails"}"#, 1.0),
        (r#"redeliver_endpoint_backlog{endpoint="fails"}"#, 0.0),
        (
            r#"redeliver_delivery_attempt_duration_seconds_count{outcome="removed"}"#,
            1.0,
        ),
        (r#"redeliver_deliveries{status="dead"}"#, 1.0),
    ] {
        assert_eq!(page.value(series), value, "{series}:\n{}", page.text);
    }
}

#[test]
fn beyond_their_bound_endpoints_are_summed_up() {
    let (_site, broker) = broker("[limits]\nmetrics_endpoints_max = 2\n");
    let receiver = picky();
    for name in ["a", "b", "c", "d"] {
        endpoint(&broker, name, &receiver.url(), &["bad"]);
    }
    broker.event("bad", &json!(1));
    broker.advance("30s");
    let page = Page::of(&broker);
    let of = |name| {
        page.value(&format!(
            r#"redeliver_endpoint_backlog{{endpoint="{name}"}}"#
        ))
    };
    assert_eq!(of("a") + of("b") + of("c") + of("d"), 2.0, "{}", page.text);
    assert_eq!(of("(other)"), 2.0);
    let age = r#"redeliver_endpoint_oldest_waiting_age_seconds{endpoint="(other)"}"#;
    assert_eq!(page.value(age), 30.0);
    let failed: f64 = page
        .samples
        .iter()
        .filter(|(series, _)| series.starts_with("redeliver_delivery_attempts_total{"))
        .map(|(_, value)| value)
        .sum();
    assert!(failed >= 4.0);
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    let (_site, broker) = broker("");
    let page = Page::of(&broker);
    let helped = page.text.lines().filter(|line| line.starts_with("# HELP "));
    assert_eq!(helped.count(), page.types.len());
    for (name, kind) in &page.types {
        assert!(
            name.starts_with("redeliver_") || name.starts_with("process_"),
            "{name}"
        );
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} {kind}");
        for unit in ["_ms", "_millis", "_minutes", "_kib", "_mib", "_percent"] {
            assert!(!name.contains(unit), "{name}: use the base unit");
        }
    }
    for series in page.samples.keys() {
        let name = series.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|family| page.types.contains_key(*family));
        let family = family.unwrap_or(name);
        assert!(page.types.contains_key(family), "{series} has no type");
    }
}

#[test]
fn promtool_finds_nothing_to_say_about_either_form() {
    let (_site, broker) = broker("");
    let receiver = picky();
    endpoint(&broker, "a", &receiver.url(), &["good"]);
    broker.event("good", &json!(1));
    broker.advance("1s");
    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(_) => return crate::missing("promtool"),
    };
    let page = Page::of(&broker).text;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert_eq!(said, "", "promtool says");
}

#[test]
fn open_metrics_comes_to_those_who_ask_for_it_and_ends_as_it_must() {
    let (_site, broker) = broker("");
    broker.event("t", &json!(1));
    let accept = [(
        "accept",
        "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
    )];
    let answer = broker.send("GET", "/metrics", &accept, b"");
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), media);
    let text = answer.text();
    assert!(text.ends_with("\n# EOF\n"));
    assert!(text.contains("# TYPE redeliver_events_received counter\n"));
    assert!(text.contains("redeliver_events_received_total{source=\"api\"} 1\n"));
    let plain = broker.send("GET", "/metrics", &[], b"");
    let media = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(plain.header("content-type"), media);
}

#[test]
fn metrics_are_for_those_who_may_see_the_administration() {
    let mut site = Site::new();
    site.set_env("REDELIVER_TOKEN", "the-token");
    site.configure("[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n");
    let broker = site.start(&[]);
    let status = |headers: &[(&str, &str)]| broker.send("GET", "/metrics", headers, b"").status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("authorization", "Bearer wrong")]), 401);
    assert_eq!(status(&[("authorization", "Bearer the-token")]), 200);
    let open = Site::new();
    let open = open.start(&[]);
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(open.send("GET", "/metrics", &foreign, b"").status, 403);
    let wrong = open.send("GET", "/metrics?name=x", &[], b"");
    assert!(wrong.problem(422).contains("unknown parameter"));
}

#[test]
fn connections_are_counted_as_they_come_and_go() {
    let (_site, broker) = broker("[limits]\nheader_timeout = \"5m\"\n");
    let idle: Vec<_> = (0..3)
        .map(|_| std::net::TcpStream::connect(broker.address).unwrap())
        .collect();
    let open = |count: f64| {
        eventually("the connections are counted", || {
            let page = Page::of(&broker);
            (page.value("redeliver_connections_open") == count).then_some(())
        });
    };
    open(4.0);
    drop(idle);
    open(1.0);
}

#[test]
fn sources_that_an_import_makes_up_are_counted_together_beyond_a_thousand() {
    let (_site, broker) = broker("");
    let line = |number: usize| {
        json!({ "id": format!("evt_{number}"), "source": format!("made-up-{number}"), "type": "t",
            "time": "2026-01-31T09:30:00.000Z", "content_type": "application/json",
            "form": "data", "data": 1 })
        .to_string()
    };
    const EVENTS: usize = 3_000;
    for from in (0..EVENTS).step_by(1_000) {
        let lines: Vec<_> = (from..from + 1_000).map(line).collect();
        let media = [("content-type", "application/x-ndjson")];
        let body = lines.join("\n");
        let answer = broker.send("POST", "/v1/import", &media, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    broker.event("t", &json!(1));
    let page = Page::of(&broker);
    let received = page.samples.iter();
    let received =
        received.filter(|(series, _)| series.starts_with("redeliver_events_received_total"));
    let (series, events) = received.fold((0, 0.0), |(series, sum), (_, value)| {
        (series + 1, sum + value)
    });
    assert_eq!((series, events), (1_001, EVENTS as f64 + 1.0));
    assert_eq!(
        page.value(r#"redeliver_events_received_total{source="api"}"#),
        1.0
    );
}
