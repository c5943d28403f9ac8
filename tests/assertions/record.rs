//! `--record`: the exact request of each attempt.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Reply, Seen};

const SECRET: &str = "hunter2-of-the-header";

fn add(broker: &Broker, policy: &str, url: &str, key: &str) {
    let made = json!({"name": policy, "url": url, "policy": policy, "signing_key": key,
        "headers": {"X-Api-Key": SECRET},
        "basic_auth": {"user": "hook", "password": "s3cret-of-basic"}, "check": "off"});
    broker.post("/v1/endpoints", &made);
}

/// A delivery of the event, once it is as it should be.
fn delivery(broker: &Broker, event: &str, status: &str) -> Value {
    let found = broker.get(&format!(
        "/v1/wait?event={event}&status={status}&timeout=1m"
    ));
    let id = found["data"][0]["id"].as_str().unwrap();
    let shown = broker.get(&format!("/v1/deliveries/{id}"));
    assert_eq!(
        shown["attempts"], found["data"][0]["attempts"],
        "a wait shows them too"
    );
    shown
}

fn shown(attempt: &Value) -> (Vec<(String, String)>, String) {
    let request = &attempt["request"];
    let headers = serde_json::from_value(request["headers"].clone()).unwrap();
    (headers, request["body"].as_str().unwrap().to_owned())
}

/// Every byte that the receiver saw is in the record, in its order; but credentials.
#[track_caller]
fn is_what_was_seen(attempt: &Value, seen: &Seen) {
    let (headers, body) = shown(attempt);
    assert_eq!(body.as_bytes(), seen.body);
    let masked = |(name, value): &(String, String)| {
        let secret = matches!(&**name, "authorization" | "x-api-key");
        let value = if secret { "…" } else { value };
        (name.clone(), value.to_owned())
    };
    let expected: Vec<_> = seen.headers.iter().map(masked).collect();
    assert_eq!(headers, expected);
    for name in ["host", "content-length", "authorization", "x-api-key"] {
        assert!(
            headers.iter().any(|(given, _)| given == name),
            "{headers:?}"
        );
    }
}

#[test]
fn each_attempt_shows_the_bytes_that_the_receiver_saw_and_no_credentials() {
    for (policy, key, signature) in [
        ("hotjar", "site-key", "com-hotjar-signature"),
        ("esputnik", "site-key", "redeliver-signature"),
        ("standard", "whsec_aHVudGVyMg==", "webhook-signature"),
    ] {
        let receiver =
            Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
        let site = Site::new();
        let broker = site.start(&["--clock", "manual", "--record"]);
        add(&broker, policy, &receiver.url(), key);
        let data = json!({"activityStatus": "READ", "text": "Grüße, 日本"});
        let event = broker.event("survey_response", &data);
        delivery(&broker, &event, "waiting");
        broker.advance("2m");
        let shown = delivery(&broker, &event, "delivered");
        let seen = receiver.posts();
        assert_eq!(seen.len(), 2);
        for (attempt, seen) in shown["attempts"].as_array().unwrap().iter().zip(&seen) {
            assert_eq!(attempt["record"], "kept");
            assert_eq!(attempt["request"]["method"], "POST");
            assert_eq!(attempt["request"]["url"], receiver.url());
            is_what_was_seen(attempt, seen);
            assert!(!seen.header(signature).is_empty());
            let response = &attempt["response"];
            assert_eq!(response["status"], attempt["status"]);
            let lines = response["headers"].as_array().unwrap();
            assert!(
                lines.iter().any(|line| line[0] == "content-length"),
                "{response}"
            );
        }
        let text = shown.to_string();
        assert!(!text.contains(SECRET) && !text.contains("s3cret-of-basic"));
        broker.stop();
    }
}

#[test]
fn a_body_that_is_no_text_is_shown_in_base64() {
    let receiver = Receiver::always(200);
    let site = Site::new();
    site.configure("[[source]]\nname = \"raw\"\nkind = \"raw\"\n");
    let broker = site.start(&["--record"]);
    add(&broker, "standard", &receiver.url(), "whsec_aHVudGVyMg==");
    broker.send(
        "POST",
        "/in/raw",
        &[("content-type", "image/png")],
        &[0xff, 0, 0xfe],
    );
    let event = broker.list("/v1/events?limit=1")[0]["id"].clone();
    let shown = delivery(&broker, event.as_str().unwrap(), "delivered");
    assert_eq!(shown["attempts"][0]["request"]["body_base64"], "/wD+");
    broker.stop();
}

#[test]
fn older_records_give_way_and_the_attempt_says_so() {
    let receiver = Receiver::always(200);
    let site = Site::new();
    let broker = site.start(&["--record=8KiB"]);
    add(&broker, "hotjar", &receiver.url(), "site-key");
    let first = broker.event("t", &json!("x".repeat(3000)));
    let second = broker.event("t", &json!("y".repeat(3000)));
    let both = "/v1/wait?status=delivered&count=2&timeout=1m";
    broker.get(both);
    let third = broker.event("t", &json!("z".repeat(3000)));
    let last = delivery(&broker, &third, "delivered");
    assert_eq!(last["attempts"][0]["record"], "kept");
    let gone: Vec<_> = [first, second]
        .iter()
        .map(|event| delivery(&broker, event, "delivered")["attempts"][0].clone())
        .filter(|attempt| attempt["request"].is_null())
        .collect();
    assert_eq!(gone.len(), 1, "two of the three fit");
    assert!(gone[0]["record"].as_str().unwrap().starts_with("gone"));
    broker.stop();
    // What was recorded is nowhere on the disk, so nothing of it comes back.
    let broker = site.start(&["--record"]);
    let attempt = delivery(&broker, &third, "delivered")["attempts"][0].clone();
    assert!(attempt["record"].as_str().unwrap().starts_with("gone"));
    broker.stop();
}

#[test]
fn nothing_is_recorded_unless_it_was_asked_for() {
    let receiver = Receiver::always(200);
    let site = Site::new();
    let broker = site.start(&[]);
    add(&broker, "hotjar", &receiver.url(), "site-key");
    let event = broker.event("t", &json!(1));
    let shown = delivery(&broker, &event, "delivered");
    let attempt = shown["attempts"][0].as_object().unwrap();
    let members: Vec<_> = attempt.keys().map(String::as_str).collect();
    let expected = [
        "duration_ms",
        "ended_at",
        "error",
        "number",
        "response_excerpt",
        "started_at",
        "status",
    ];
    assert_eq!(members, expected);
    broker.stop();
}
