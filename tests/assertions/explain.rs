//! `redeliver explain` and `GET /v1/deliveries/{id}`: the rule, the clock, and what the signature
//! is made of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redeliver::endpoint::TextEncoding;
use redeliver::vendor::{hotjar, signature};
use serde_json::{Value, json};

use crate::mock::{KEY, Mock};
use crate::process::broker::Site;
use crate::process::receiver::Receiver;
use crate::raw::{Do, Raw};

fn shown(mock: &Mock, event: &str, status: &str) -> Value {
    let id = mock.delivery(event, status)["id"].clone();
    mock.get(&format!("/v1/deliveries/{}", id.as_str().unwrap()))
}

#[test]
fn hot_31_the_base_string_under_the_key_is_the_signature_that_the_receiver_saw() {
    let receiver = Raw::start(|_, before| Do::Answer(if before < 2 { 500 } else { 200 }));
    let mock = Mock::start(1, &[]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    let first = shown(&mock, &event, "waiting");
    assert_eq!(
        first["rule"],
        "HOT-21: retry 1 leaves 30s after the first attempt's failure"
    );
    let signing = &first["signing"];
    assert_eq!(signing["attempt"], 2, "the next one");
    assert_eq!(signing["at"], first["next_attempt_at"]);
    assert_eq!(first["clock"]["kind"], "manual");
    assert_eq!(first["clock"]["next_attempt_at"], first["next_attempt_at"]);
    // What was told of the next attempt is what it is then.
    mock.advance("30s");
    let second = shown(&mock, &event, "waiting");
    assert_eq!(
        second["rule"],
        "HOT-22: retry 2 leaves 1m after retry 1's failure"
    );
    let came = &receiver.came()[1];
    let base = signing["base_string"].as_str().unwrap();
    assert_eq!(base.as_bytes(), came.body);
    assert_eq!(signing["value"], came.header("com-hotjar-signature"));
    let made = hotjar::sign(KEY.as_bytes(), base.as_bytes(), TextEncoding::Hex).unwrap();
    assert_eq!(signing["value"], made);
    let timestamp = came.json()["timestamp"].to_string();
    let told = signing["timestamp"].as_str().unwrap();
    assert!(
        told.starts_with(&timestamp) && told.contains("HOT-36"),
        "{told}"
    );
    mock.advance("1m");
    let last = shown(&mock, &event, "delivered");
    assert_eq!(last["signing"]["attempt"], 3);
    let came = &receiver.came()[2];
    assert_eq!(
        last["signing"]["base_string"].as_str().unwrap().as_bytes(),
        came.body
    );
    assert!(last["rule"].as_str().unwrap().starts_with("HOT-16, HOT-27"));
    assert!(!last.to_string().contains(KEY));
}

#[test]
fn the_base_string_of_standard_webhooks_is_id_timestamp_and_body() {
    let receiver = Raw::good();
    let mock = Mock::start(1, &[]);
    mock.endpoint("standard", &receiver.url());
    let event = mock.event("order.paid");
    let shown = shown(&mock, &event, "delivered");
    let signing = &shown["signing"];
    let came = &receiver.came()[0];
    let base = signing["base_string"].as_str().unwrap();
    let (id, time) = (came.header("webhook-id"), came.header("webhook-timestamp"));
    let body = std::str::from_utf8(&came.body).unwrap();
    assert_eq!(base, format!("{id}.{time}.{body}"));
    assert_eq!(signing["over"], "webhook-id.webhook-timestamp.body");
    let mac = signature::hmac_sha256(b"hunter2", &[base.as_bytes()]);
    let made = format!("v1,{}", STANDARD.encode(mac));
    assert_eq!(
        (&signing["value"], came.header("webhook-signature")),
        (&json!(made), &*made)
    );
}

#[test]
fn esp_16_the_rule_of_an_ordered_queue_and_a_base_string_that_is_too_long_are_told() {
    let receiver = Raw::start(|_, _| Do::Answer(503));
    let mock = Mock::start(1, &[]);
    mock.endpoint("esputnik", &receiver.url());
    let first = mock.event("a");
    let data = json!({"type": "b", "data": {"activityStatus": "READ", "x": "ü".repeat(9000)}});
    let second = mock.post("/v1/events", &data)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let waiting = shown(&mock, &first, "waiting");
    let rule = waiting["rule"].as_str().unwrap();
    assert!(
        rule.starts_with("ESP-13, ESP-14 (A-01): retry 1 leaves 1m"),
        "{rule}"
    );
    let pending = shown(&mock, &second, "pending");
    assert!(
        pending["rule"]
            .as_str()
            .unwrap()
            .starts_with("ESP-16, ESP-17")
    );
    let signing = &pending["signing"];
    let begins = signing["base_string_begins"].as_str().unwrap();
    assert!(begins.len() <= 16_384 && begins.ends_with('ü'));
    assert!(signing["base_string_bytes"].as_u64().unwrap() > 18_000);
}

#[test]
fn the_command_prints_rule_clock_and_signature_and_never_the_key() {
    let receiver = Receiver::always(500);
    let site = Site::new();
    let broker = site.start(&["--clock", "manual"]);
    let made = json!({"name": "mine", "url": receiver.url(), "policy": "hotjar",
        "signing_key": KEY});
    broker.post("/v1/endpoints", &made);
    let event = broker.event("survey_response", &json!({"id": 7}));
    let found = broker.get(&format!("/v1/wait?event={event}&status=waiting&timeout=1m"));
    let id = found["data"][0]["id"].as_str().unwrap();
    let server = format!("http://{}", broker.address);
    let explained = site.run(&["explain", id, "--server", &server]);
    let shown = site.run(&["delivery", "show", id, "--server", &server]);
    assert_eq!((explained.code, &*explained.err), (0, ""));
    assert_eq!(explained.out, shown.out);
    for line in [
        "rule      HOT-21: retry 1 leaves 30s after the first attempt's failure",
        "(manual)",
        "signature of attempt 2",
        "  header     com-hotjar-signature",
        "  made by    HMAC-SHA3-256 over the body, byte for byte as it is sent",
        "  encoding   key utf8, signature hex",
        r#"  base       {"event":"survey_response","version":1,"timestamp":"#,
    ] {
        assert!(explained.out.contains(line), "{line}: {}", explained.out);
    }
    assert!(!explained.out.contains(KEY));
    broker.stop();
}
