//! Events carried from one store to another: what comes out goes in, and comes out the same.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;

use std::collections::BTreeMap;
use std::sync::Arc;

use process::broker::{Broker, Site};
use process::receiver::Receiver;
use proptest::prelude::*;
use redeliver::api::carry::lines;
use redeliver::clock::Timestamp;
use redeliver::event::{Event, Form, NewEvent};
use redeliver::id::EventId;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const BODIES: &[&str] = &[
    "null",
    "{}",
    " {\"a\": 1}",
    "{\"a\":\n[1.50, \"\u{e9}\\u00e9\"]}",
    "{\"b\":2e400,\"b\":1}",
    "\"text\"",
];

fn bodies() -> impl Strategy<Value = (Form, String, Vec<u8>)> {
    let json = prop::sample::select(BODIES);
    prop_oneof![
        json.prop_map(|body| (Form::Data, "application/json".to_owned(), body.into())),
        (
            prop::sample::select(&["text/plain", "application/json", "application/octet-stream"]),
            prop::collection::vec(any::<u8>(), 0..200)
        )
            .prop_map(|(media, body)| (Form::Relayed, media.to_owned(), body)),
        prop::sample::select(BODIES).prop_map(|body| (
            Form::Relayed,
            "application/json".to_owned(),
            body.into()
        )),
    ]
}

prop_compose! {
    fn events()(
        (form, media, body) in bodies(),
        source in "[a-z]{1,8}|https://shop\\.example/[a-z]{1,5}",
        kind in "[a-z]{1,8}(\\.[a-z]{1,8})?",
        subject in prop::option::of("[ -~é]{1,20}"),
        status in prop::option::of("[A-Z]{1,9}"),
        key in prop::option::of("[!-~]{1,20}"),
        time in prop::option::of(0_i64..4_000_000_000_000),
        received in 1_600_000_000_000_i64..1_800_000_000_000,
        seq in 1_u64..1_000_000,
    ) -> Event {
        let received_at = Timestamp::from_millis(received);
        Event {
            id: EventId::new(received_at, seq, 7),
            seq,
            received_at,
            content: NewEvent {
                source: source.as_str().into(),
                kind: kind.as_str().into(),
                subject,
                time: time.map(Timestamp::from_millis),
                content_type: media.as_str().into(),
                form,
                body: body.into(),
                status: status.map(Arc::from),
                idempotency_key: key,
            },
        }
    }
}

proptest! {
    #[test]
    fn a_line_is_read_back_as_the_event_that_it_is_of(event in events()) {
        let line = lines::write(&event);
        prop_assert!(!line.contains(['\n', '\r']));
        let read = lines::read(&line).unwrap();
        prop_assert_eq!(&read, &NewEvent {
            time: Some(event.time()),
            idempotency_key: Some(format!("import:{}", event.id)),
            ..event.content.clone()
        });
        // Carried on, it keeps its first id, by which it is known again.
        let later = Timestamp::from_millis(1_900_000_000_000);
        let carried = Event { id: EventId::new(later, 9, 8), seq: 9, received_at: later, content: read };
        let again = lines::write(&carried);
        let [one, two] = [&line, &again].map(|line| without_place(line));
        prop_assert_eq!(one, two);
    }
}

/// A line without what is of one store only.
fn without_place(line: &str) -> BTreeMap<String, String> {
    let line: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap();
    let members = line.into_iter();
    let mut line: BTreeMap<_, _> = members
        .map(|(key, raw)| (key, raw.get().to_owned()))
        .collect();
    for of_one_store in ["seq", "received_at"] {
        assert!(line.remove(of_one_store).is_some());
    }
    line
}

fn all_without_place(text: &str) -> Vec<BTreeMap<String, String>> {
    assert!(text.starts_with("{\"redeliver_export\":1}\n"));
    text.lines().skip(1).map(without_place).collect()
}

fn url(broker: &Broker) -> String {
    format!("http://{}", broker.address)
}

/// Events of several kinds and forms.
fn fill(site: &Site, broker: &Broker) {
    for body in BODIES {
        let event =
            format!(r#"{{"type": "order.paid", "data": {body}, "id": "k", "subject": "s"}}"#);
        let event = event.replace("\"k\"", &format!("\"{}\"", body.len()));
        let headers = [("content-type", "application/json")];
        let answer = broker.send("POST", "/v1/events", &headers, event.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    for body in [&b"\x00\xff\n"[..], b"plain", &[7; 20_000]] {
        let headers = [("content-type", "application/octet-stream")];
        let answer = broker.send("POST", "/in/raw", &headers, body);
        assert_eq!(answer.status, 200, "{} {}", answer.text(), site.log());
    }
}

fn site() -> Site {
    let site = Site::new();
    site.configure("[[source]]\nname = \"raw\"\nkind = \"raw\"\n");
    site
}

#[test]
fn what_is_exported_imported_and_exported_again_is_the_same_and_comes_in_once() {
    let site = site();
    let broker = site.start(&[]);
    fill(&site, &broker);
    let first = site.run(&["store", "export", "--server", &url(&broker), "events.jsonl"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let first = std::fs::read_to_string(site.path("events.jsonl")).unwrap();
    assert_eq!(first.lines().count(), 1 + BODIES.len() + 3);
    assert!(!site.path("events.jsonl.partial").exists());
    let there = site.run(&["store", "export", "--server", &url(&broker), "events.jsonl"]);
    assert!(
        there.code == 2 && there.err.contains("there already"),
        "{}",
        there.err
    );
    broker.stop();
    let stopped = site.run(&["store", "export", "--data", "data", "-"]);
    assert!(stopped.out == first, "{} {}", stopped.out, stopped.err);
    let other = Site::new();
    let receiver = Receiver::always(200);
    let broker = other.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    let file = site.path("events.jsonl");
    let file = file.to_str().unwrap();
    let import = ["store", "import", "--server", &url(&broker), "--json", file];
    let count = BODIES.len() + 3;
    for (imported, duplicates) in [(count, 0), (0, count)] {
        let ran = other.run(&import);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let done: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            done,
            json!({"imported": imported, "duplicates": duplicates, "left_out": 0})
        );
    }
    process::eventually("every event is delivered", || {
        (receiver.posts().len() == count).then_some(())
    });
    assert!(
        receiver
            .posts()
            .iter()
            .any(|seen| seen.body == b"\x00\xff\n")
    );
    let second = other.run(&["store", "export", "--server", &url(&broker), "-"]);
    assert_eq!(all_without_place(&second.out), all_without_place(&first));
}

#[test]
fn operational_events_are_left_out_of_an_import_unless_they_are_asked_for() {
    let site = Site::new();
    site.configure("[operations]\n");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    broker.event("order.paid", &json!(1));
    broker.post("/v1/endpoints/e/pause", &json!({}));
    broker.post("/v1/endpoints/e/resume", &json!({}));
    broker.advance("1s");
    let exported = site.run(&["store", "export", "--server", &url(&broker), "events.jsonl"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    broker.stop();
    let file = site.path("events.jsonl");
    let file = file.to_str().unwrap();
    let other = Site::new();
    let broker = other.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "chat", "url": receiver.url(), "policy": "standard", "events": ["endpoint.*"]}),
    );
    let import = |more: &[&str]| {
        let server = url(&broker);
        let ran = other.run(&[&["store", "import", "--server", &server, file], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    assert_eq!(
        import(&[]),
        "imported 1 events; 0 were there already; 2 operational events were left out (--operational takes them)\n"
    );
    assert_eq!(broker.list("/v1/events?limit=10").len(), 1);
    assert_eq!(
        import(&["--operational"]),
        "imported 2 events; 1 were there already\n"
    );
}

#[test]
fn only_what_is_wanted_is_exported() {
    let site = site();
    let broker = site.start(&[]);
    fill(&site, &broker);
    let lines = |filter: &[&str]| {
        let server = url(&broker);
        let ran = site.run(&[&["store", "export", "--server", &server, "-"], filter].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().count() - 1
    };
    assert_eq!(lines(&["--source", "raw"]), 3);
    assert_eq!(lines(&["--type", "order.*,x"]), BODIES.len());
    assert_eq!(lines(&["--since", "2100-01-01T00:00:00Z"]), 0);
    assert_eq!(lines(&["--until", "2001-01-01T00:00:00Z"]), 0);
    assert_eq!(lines(&["--since", "1h"]), BODIES.len() + 3);
    assert_eq!(lines(&["--until", "1h"]), 0);
    let ran = site.run(&[
        "store",
        "export",
        "--server",
        &url(&broker),
        "-",
        "--since",
        "x",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("how long ago such as 2h"), "{}", ran.err);
    broker.stop();
    let stopped = site.run(&["store", "export", "--data", "data", "-", "--until", "1h"]);
    assert_eq!(
        (stopped.code, stopped.out.lines().count()),
        (0, 1),
        "{}",
        stopped.err
    );
}

#[test]
fn an_export_that_fails_leaves_no_file() {
    let site = site();
    for args in [
        ["--server", "http://127.0.0.1:9"],
        ["--data", "nothing-here"],
    ] {
        let ran = site.run(&[&["store", "export", "out.jsonl"][..], &args].concat());
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(!site.path("out.jsonl").exists() && !site.path("out.jsonl.partial").exists());
    }
}

#[test]
fn what_is_no_export_is_refused_and_a_bad_line_named() {
    let site = site();
    let broker = site.start(&[]);
    fill(&site, &broker);
    let good = site
        .run(&["store", "export", "--server", &url(&broker), "-"])
        .out;
    let line = good.lines().nth(1).unwrap();
    for (text, said) in [
        ("", "does not begin with"),
        ("{\"type\": \"x\"}\n", "does not begin with"),
        ("{\"redeliver_export\":2}\n", "a later version"),
        (&good.replace("\"data\",", "\"date\","), "form"),
        (
            &format!("{}\n{line}\n{{\"id\": 7}}\n", lines::HEADER),
            "error: line 3: Bad Request: the line is not an event",
        ),
    ] {
        std::fs::write(site.path("bad.jsonl"), text).unwrap();
        let ran = site.run(&["store", "import", "--server", &url(&broker), "bad.jsonl"]);
        assert_eq!(ran.code, 2, "{text}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let ran = site.run(&["store", "import", "--server", &url(&broker), "none.jsonl"]);
    assert!(
        ran.code == 3 && ran.err.contains("none.jsonl"),
        "{}",
        ran.err
    );
    let answer = broker.send("POST", "/v1/import", &[], good.as_bytes());
    answer.problem(415);
}
