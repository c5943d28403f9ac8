//! Raw bodies and CloudEvents, with a token, and sources that are not there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::site::*;

#[test]
fn a_raw_body_is_kept_with_the_type_that_its_sender_gives() {
    let site = site();
    let broker = site.start(&[]);
    let body = b"\x00\xffnot text";
    let send = |path: &str, more: &[(&str, &str)]| {
        let headers = [&[TOKEN, ("content-type", "image/x-odd; v=1")], more].concat();
        broker.send("POST", path, &headers, body)
    };
    assert_eq!(taken(&send("/in/anything", &[])), (1, false));
    let named = ("redeliver-event-type", "photo.taken");
    assert_eq!(taken(&send("/in/anything?type=x", &[named])), (2, false));
    assert_eq!(
        taken(&send("/in/anything?type=a%2Fb&more=1", &[])),
        (3, false)
    );
    let key = ("idempotency-key", "k");
    assert_eq!(taken(&send("/in/anything", &[key])), (4, false));
    assert_eq!(taken(&send("/in/anything", &[key])), (4, true));
    for (seq, kind) in [(1, "anything"), (2, "photo.taken"), (3, "a/b")] {
        let event = event(&broker, seq);
        assert_eq!(event["type"], kind);
        assert_eq!(event["content_type"], "image/x-odd; v=1");
        assert_eq!(event["body_base64"], STANDARD.encode(body));
    }
    send("/in/anything?type=", &[]).problem(422);
    let packed = send("/in/anything", &[("content-encoding", "gzip")]);
    assert!(packed.problem(415).contains("Content-Encoding"));
    assert_eq!(header(&packed, "accept-encoding"), "identity");
    broker.send("POST", "/in/anything", &[], body).problem(401);
    let wrong = ("authorization", "Bearer another");
    broker
        .send("POST", "/in/anything", &[wrong], body)
        .problem(401);
    broker
        .send("GET", "/in/anything?challenge=1", &[TOKEN], b"")
        .problem(405);
    let shown = source(&broker, "anything");
    assert_eq!(
        shown["refused"],
        json!({"unauthenticated": 2, "invalid": 1, "method": 1, "unsupported": 1})
    );
    assert_eq!(
        (&shown["accepted"], &shown["duplicates"]),
        (&json!(4), &json!(1))
    );
}

#[test]
fn json_that_is_nested_too_deep_to_be_shown_is_kept_and_shown_as_bytes() {
    let site = site();
    let broker = site.start(&[]);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let answer = broker.send("POST", "/in/anything", &[TOKEN, JSON], deep.as_bytes());
    assert_eq!(taken(&answer), (1, false));
    assert_eq!(event(&broker, 1)["body_base64"], STANDARD.encode(&deep));
}

#[test]
fn cloudevents_come_alone_or_in_batches_and_each_once() {
    let site = site();
    let broker = site.start(&[]);
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "t", "data": {"id": id}});
    let send = |media: &str, body: serde_json::Value| {
        let headers = [TOKEN, ("content-type", media)];
        broker.send("POST", "/in/cloud", &headers, body.to_string().as_bytes())
    };
    let structured = "application/cloudevents+json";
    let batch = "application/cloudevents-batch+json";
    assert_eq!(taken(&send(structured, event("a"))), (1, false));
    let answer = send(batch, json!([event("a"), event("b")])).json();
    let found: Vec<_> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["seq"].as_u64().unwrap(), event["duplicate"] == true))
        .collect();
    assert_eq!(found, [(1, true), (2, false)]);
    let wrong = send(batch, json!([event("c"), {}]));
    wrong.problem(422);
    assert_eq!(wrong.json()["errors"][0]["at"], "/1/specversion");
    send("application/json", event("d")).problem(415);
    let binary = [
        TOKEN,
        ("content-type", "text/plain"),
        ("ce-specversion", "1.0"),
        ("ce-id", "e"),
        ("ce-source", "/s"),
        ("ce-type", "t"),
    ];
    assert_eq!(
        taken(&broker.send("POST", "/in/cloud", &binary, b"plain")),
        (3, false)
    );
    assert_eq!(count(&broker), 3);
    assert_eq!(
        source(&broker, "cloud")["refused"],
        json!({"invalid": 1, "unsupported": 1})
    );
}

#[test]
fn a_source_that_is_not_there_is_404_and_one_that_is_elsewhere_says_where() {
    let site = site();
    let broker = site.start(&[]);
    for path in ["/in/nobody", "/in/surveys%20", "/in/api", "/in/SURVEYS"] {
        let answer = broker.send("POST", path, &[JSON], b"{}");
        assert!(answer.problem(404).contains("no source"), "{path}");
    }
    let zebline = broker.send("POST", "/in/shop", &[JSON], b"{}");
    assert!(zebline.problem(404).contains("/v1/accounts/"));
    for path in ["/in", "/in/", "/in/surveys/", "/in/surveys/x"] {
        broker.send("POST", path, &[JSON], b"{}").problem(404);
    }
    let sources = broker.get("/v1/sources");
    assert_eq!(sources["unknown"], 5);
    let names = sources["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["name"].as_str());
    let names: Vec<_> = names.map(Option::unwrap).collect();
    assert_eq!(
        names,
        [
            "surveys",
            "old-surveys",
            "mails",
            "activities",
            "orders",
            "cloud",
            "anything",
            "open",
            // Behind those that are relayed.
            "shop"
        ]
    );
    broker
        .send("GET", "/v1/sources?limit=1", &[], b"")
        .problem(422);
}
