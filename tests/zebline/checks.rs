//! Whose request is taken, and in which order that is asked.

use serde_json::{Value, json};

use crate::process::broker::Site;
use crate::shop::{EVENTS, event, logged, open, post, queued, refused, site};

const KEY: (&str, &str) = ("authorization", "Bearer hunter2");
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn the_vendors_own_requests_are_queued_and_lie_in_the_log_as_they_were_sent_zeb_23_zeb_29() {
    let (_site, broker) = open("");
    for name in ["zebline_event_request", "zebline_event_request_anonymous"] {
        let path = format!(
            "{}/tests/fixtures/payloads/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let body = std::fs::read(path).unwrap();
        let answer = broker.send("POST", EVENTS, &[KEY, JSON], &body);
        queued(&answer);
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let stored = broker.list("/v1/events?limit=1").remove(0);
        assert_eq!(stored["data"], sent);
        assert_eq!(
            (&stored["type"], &stored["source"]),
            (&json!("page_view"), &json!("shop"))
        );
        let visitor = sent.get("userId").or(sent.get("anonymousId")).unwrap();
        assert_eq!(&stored["subject"], visitor);
    }
    let times: Vec<_> = broker
        .list("/v1/events?order=asc")
        .iter()
        .map(|e| e["time"].clone())
        .collect();
    assert_eq!(
        times,
        ["2024-01-01T00:00:00.000Z", "2023-12-31T20:30:00.000Z"]
    );
    broker.stop();
}

#[test]
fn the_path_is_asked_before_the_key_and_the_key_before_license_and_resource_a_40() {
    let (_site, broker) = open("");
    let body = event(json!({})).to_string();
    let ask =
        |path: &str, headers: &[(&str, &str)]| broker.send("POST", path, headers, body.as_bytes());
    for path in [
        "/v1/accounts/",
        "/v1/accounts/LICENSE",
        "/v1/accounts//events",
    ] {
        assert_eq!(refused(&ask(path, &[]), 404), "Invalid URL", "{path}");
    }
    let wrong_key = "Invalid authentication or unauthorized access";
    for headers in [
        &[JSON][..],
        &[JSON, ("authorization", "Bearer hunter")],
        &[JSON, ("authorization", "Bearer ")],
        &[JSON, ("authorization", "Basic hunter2")],
        &[JSON, ("authorization", "hunter2")],
    ] {
        for path in [
            EVENTS,
            "/v1/accounts/OTHER/events",
            "/v1/accounts/LICENSE/nothing",
        ] {
            assert_eq!(refused(&ask(path, headers), 401), wrong_key);
        }
    }
    for path in [
        "/v1/accounts/OTHER/events",
        "/v1/accounts/LICENSE/users",
        "/v1/accounts/LICENSE/survey/response/1",
        "/v1/accounts/LICENSE/nothing",
        "/v1/accounts/LICENSE/events/1",
    ] {
        let words = refused(&ask(path, &[KEY, JSON]), 400);
        assert!(
            words.starts_with("Invalid resource or parameters: "),
            "{words}"
        );
    }
    let got = broker.send("GET", EVENTS, &[KEY], b"");
    refused(&got, 405);
    assert!(got.headers.contains(&("allow".into(), "POST".into())));
    assert!(logged(&broker).is_empty());
    queued(&ask("/v1/accounts/LICENSE/events/", &[KEY, JSON]));
    broker.stop();
}

#[test]
fn what_is_wrong_with_a_body_is_told_and_nothing_of_it_is_kept_zeb_33() {
    let (_site, broker) = open("");
    for (changes, words) in [
        (json!({"eventName": null}), "eventName is missing"),
        (json!({"eventTime": null}), "eventTime is missing"),
        (json!({"eventData": null}), "eventData is missing"),
        (json!({"userId": null}), "userId or anonymousId is missing"),
        (json!({"eventData": "x"}), "eventData is not a JSON object"),
        (json!({"eventTime": 1_704_067_200}), "is not a time such as"),
    ] {
        let told = refused(&post(&broker, &[], &event(changes)), 400);
        assert!(told.contains(words), "{told}");
    }
    for (body, words) in [
        (&b"{"[..], "the body is not JSON"),
        (b"[]", "not an object"),
        (b"\xff", "not UTF-8"),
        (b"", "the body is empty"),
    ] {
        let told = refused(&broker.send("POST", EVENTS, &[KEY, JSON], body), 400);
        assert!(told.contains(words), "{told}");
    }
    let body = event(json!({})).to_string();
    let packed = [KEY, JSON, ("content-encoding", "gzip")];
    let told = refused(&broker.send("POST", EVENTS, &packed, body.as_bytes()), 415);
    let native = [JSON, ("content-encoding", "gzip")];
    let native = broker
        .send("POST", "/v1/events", &native, b"{}")
        .problem(415);
    assert_eq!(told, native, "the same words on every way in");
    assert!(told.contains("\"gzip\" is not accepted"), "{told}");
    for path in ["/v1/accounts", "/v1/accounts/", "/v1/accounts/LICENSE"] {
        refused(&broker.send("GET", path, &[KEY], b""), 404);
    }
    let text = ("content-type", "text/plain");
    refused(
        &broker.send("POST", EVENTS, &[KEY, text], body.as_bytes()),
        400,
    );
    let large = event(json!({"userId": "x".repeat(2 << 20)})).to_string();
    refused(
        &broker.send("POST", EVENTS, &[KEY, JSON], large.as_bytes()),
        413,
    );
    assert!(logged(&broker).is_empty());
    broker.stop();
}

#[test]
fn what_came_in_and_what_was_refused_is_counted_by_reason() {
    let (_site, broker) = open("requests_per_minute = 3");
    let id = [("x-request-id", "aa")];
    for _ in 0..2 {
        queued(&post(&broker, &id, &event(json!({}))));
    }
    refused(&post(&broker, &[], &json!({})), 400);
    refused(&post(&broker, &[], &json!({})), 429);
    refused(&broker.send("POST", EVENTS, &[JSON], b"{}"), 401);
    let source = broker.list("/v1/sources").remove(0);
    assert_eq!(
        (&source["name"], &source["path"]),
        (&json!("shop"), &json!(EVENTS))
    );
    assert_eq!(
        (&source["accepted"], &source["duplicates"]),
        (&json!(1), &json!(1))
    );
    let counted = json!({"malformed": 1, "too_many": 1, "unauthenticated": 1});
    assert_eq!(source["refused"], counted);
    broker.stop();
}

#[test]
fn two_licenses_have_their_own_keys_and_their_own_events() {
    let mut site = Site::new();
    site.set_env("A", "key-a");
    site.set_env("B", "key-b");
    let source = |name: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nkind = \"zebline\"\nlicense = \"L{name}\"\naccess_token = \"env:{name}\"\n"
        )
    };
    site.configure(&(source("A") + &source("B")));
    let broker = site.start(&[]);
    let body = event(json!({})).to_string();
    for (license, key, status) in [
        ("LA", "key-a", 201),
        ("LB", "key-b", 201),
        ("LA", "key-b", 400),
        ("LB", "key-a", 400),
        ("LC", "key-a", 400),
    ] {
        let key = format!("Bearer {key}");
        // The same id under both licenses: two events.
        let headers = [JSON, ("authorization", &key), ("x-request-id", "ff")];
        let path = format!("/v1/accounts/{license}/events");
        let answer = broker.send("POST", &path, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{license} {key}");
    }
    let sources: Vec<_> = broker
        .list("/v1/events?order=asc")
        .iter()
        .map(|e| e["source"].clone())
        .collect();
    assert_eq!(sources, ["A", "B"]);
    broker.stop();
}

#[test]
fn without_a_source_of_the_kind_there_is_no_such_url() {
    let site = Site::new();
    let broker = site.start(&[]);
    let answer = broker.send("POST", EVENTS, &[KEY, JSON], b"{}");
    assert_eq!(refused(&answer, 404), "Invalid URL");
    broker.stop();
}

#[test]
fn options_that_cannot_be_are_refused_at_the_start() {
    for (option, words) in [
        (
            "requests_per_minute = 0",
            "requests_per_minute 0 is not within 1",
        ),
        (
            "success_status = 204",
            "success_status 204 is not within 200 to 201",
        ),
        ("strict = \"yes\"", "strict"),
        (
            "key = \"x\"",
            "key does not belong to a source of kind \"zebline\"",
        ),
    ] {
        let ran = site(option).start_in_vain(&[]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
