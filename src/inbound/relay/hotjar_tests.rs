//! Requests of Hotjar against the vectors of the contract files.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::source::Kind;
use super::super::source::tests::{one, read, read_at, refused};
use super::*;
use crate::event::Form;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn payloads(all: &Value) -> BTreeMap<&str, Vec<u8>> {
    let payloads = all["payloads"].as_array().unwrap().iter();
    payloads
        .filter_map(|payload| {
            let bytes = STANDARD.decode(payload["payload_b64"].as_str()?).unwrap();
            Some((text(payload, "name"), bytes))
        })
        .collect()
}

/// A source with the vectors' key of this name.
fn keyed(all: &Value, name: &str, signature_encoding: TextEncoding) -> Kind {
    let mut keys = all["keys"].as_array().unwrap().iter();
    let key = keys.find(|key| text(key, "name") == name).unwrap();
    Kind::Hotjar(Hotjar {
        key: Secret::new(text(key, "key_hex")),
        previous_keys: Vec::new(),
        key_encoding: TextEncoding::Hex,
        signature_encoding,
        max_age: None,
    })
}

const KEY: &[u8] = b"key";

fn source(max_age: Option<Duration>) -> Kind {
    Kind::Hotjar(Hotjar {
        key: Secret::new("key"),
        previous_keys: Vec::new(),
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        max_age,
    })
}

fn signed(body: &[u8]) -> Result<Intake, Refusal> {
    let signature = hotjar::sign(KEY, body, TextEncoding::Hex).unwrap();
    read(&source(None), &[(SIGNATURE_HEADER, &signature)], body)
}

#[test]
fn hot_31_every_vector_of_a_payload_is_believed_in_both_encodings_and_kept_as_it_came() {
    let all = vectors();
    let payloads = payloads(&all);
    let mut believed = 0;
    for vector in all["vectors"].as_array().unwrap() {
        let Some(body) = payloads.get(text(vector, "payload")) else {
            continue;
        };
        for (field, encoding) in [("hex", TextEncoding::Hex), ("base64", TextEncoding::Base64)] {
            let kind = keyed(&all, text(vector, "key"), encoding);
            let headers = [
                (SIGNATURE_HEADER, text(vector, field)),
                ("content-type", "application/json"),
            ];
            let intake = read(&kind, &headers, body);
            if body.starts_with(b"{") {
                let event = one(intake);
                assert_eq!((&event.body[..], event.form), (&body[..], Form::Relayed));
                assert_eq!(event.content_type.as_deref(), Some("application/json"));
                believed += 1;
            } else {
                // Signed, but no payload of this vendor's.
                assert_eq!(refused(intake), (400, "malformed"));
            }
        }
    }
    assert!(believed > 0);
}

#[test]
fn hot_34_every_forgery_of_the_vectors_is_401_and_counted_as_what_it_is() {
    let all = vectors();
    let payloads = payloads(&all);
    for case in all["must_fail"].as_array().unwrap() {
        let changed = case["payload_b64"].as_str();
        let changed = changed.map(|base64| STANDARD.decode(base64).unwrap());
        let body = changed.unwrap_or_else(|| payloads[text(case, "payload")].clone());
        let kind = keyed(&all, text(case, "key"), TextEncoding::Hex);
        let headers = [(SIGNATURE_HEADER, text(case, "signature_hex"))];
        let expected = match text(case, "why") {
            "empty signature" => "unauthenticated",
            _ => "forged",
        };
        assert_eq!(refused(read(&kind, &headers, &body)), (401, expected));
    }
    let none = read(&source(None), &[], b"{}");
    assert_eq!(refused(none), (401, "unauthenticated"));
    let other = hotjar::sign(b"other", b"{}", TextEncoding::Hex).unwrap();
    let other = read(&source(None), &[(SIGNATURE_HEADER, &other)], b"{}");
    assert_eq!(refused(other), (401, "forged"));
}

#[test]
fn hot_35_the_signature_comes_first_and_then_five_minutes_either_way_hold() {
    let body = br#"{"event":"e","version":1,"timestamp":1000000,"data":{}}"#;
    let allowed = Duration::from_secs(300);
    let at = |millis: i64, body: &[u8], max_age| {
        let signature = hotjar::sign(KEY, body, TextEncoding::Hex).unwrap();
        let now = Timestamp::from_millis(1_000_000_000 + millis);
        read_at(
            &source(max_age),
            &[(SIGNATURE_HEADER, &signature)],
            body,
            now,
        )
    };
    for near in [0, 299_000, 300_999, -299_000, -300_000] {
        assert!(at(near, body, Some(allowed)).is_ok(), "{near}");
    }
    for far in [301_000, -301_000] {
        assert_eq!(refused(at(far, body, Some(allowed))), (403, "stale"));
        assert!(at(far, body, None).is_ok());
    }
    let mut forged = body.to_vec();
    forged[10] ^= 1;
    let signature = hotjar::sign(KEY, body, TextEncoding::Hex).unwrap();
    let headers = [(SIGNATURE_HEADER, &*signature)];
    let late = Timestamp::from_millis(i64::MAX);
    let forged = read_at(&source(Some(allowed)), &headers, &forged, late);
    assert_eq!(refused(forged), (401, "forged"));
    for timeless in [
        r#"{"event":"e"}"#,
        r#"{"timestamp":"1000000"}"#,
        r#"{"timestamp":1e6}"#,
    ] {
        let refusal = refused(at(0, timeless.as_bytes(), Some(allowed)));
        assert_eq!(refusal, (400, "malformed"), "{timeless}");
        assert!(at(0, timeless.as_bytes(), None).is_ok());
    }
}

#[test]
fn hot_17_any_name_is_a_type_and_one_that_cannot_be_is_unknown() {
    let kind = |event: Value| {
        let body = json!({ "event": event, "data": null }).to_string();
        one(signed(body.as_bytes())).kind.to_string()
    };
    assert_eq!(kind(json!("survey_response")), "survey_response");
    assert_eq!(kind(json!("recording")), "recording");
    for nameless in [
        json!(null),
        json!(7),
        json!(""),
        json!("a\nb"),
        json!("x".repeat(256)),
    ] {
        assert_eq!(kind(nameless), "unknown");
    }
}

#[test]
fn hot_49_an_event_happened_when_it_was_created_unless_that_cannot_be() {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let time = |created: Value| {
        let body = json!({"event": "e", "data": {"created_timestamp": created}}).to_string();
        let signature = hotjar::sign(KEY, body.as_bytes(), TextEncoding::Hex).unwrap();
        let headers = [(SIGNATURE_HEADER, &*signature)];
        one(read_at(&source(None), &headers, body.as_bytes(), now)).time
    };
    let of = |seconds: i64| Some(Timestamp::from_millis(seconds * 1000));
    assert_eq!(time(json!(1_686_136_385)), of(1_686_136_385));
    assert_eq!(time(json!(1_700_086_400)), of(1_700_086_400));
    for senseless in [
        json!(null),
        json!(0),
        json!(-1),
        json!(1_700_086_401),
        json!(i64::MAX),
    ] {
        assert_eq!(time(senseless), None);
    }
}

#[test]
fn hot_18_a_payload_is_recognised_by_its_id_and_name_whatever_its_time() {
    let key = |event: &str, data: Value, timestamp: i64| {
        let body = json!({"event": event, "timestamp": timestamp, "data": data}).to_string();
        one(signed(body.as_bytes())).idempotency_key
    };
    let first = key("survey_response", json!({"id": 42}), 1);
    assert!(first.is_some());
    assert_eq!(
        first,
        key("survey_response", json!({"id": 42, "new": 1}), 2)
    );
    assert_ne!(first, key("survey_response", json!({"id": 43}), 1));
    assert_ne!(first, key("recording", json!({"id": 42}), 1));
    assert_ne!(first, key("survey_response", json!({"id": "42"}), 1));
    for without in [
        json!({"sample": "data"}),
        json!({"id": null}),
        json!({"id": {}}),
        json!([1]),
    ] {
        assert_eq!(key("test_message", without, 1), None);
    }
}

#[test]
fn hot_04_what_is_no_object_of_json_is_malformed_and_another_media_type_is_not_taken() {
    for body in ["", "{", "[1]", "{} {}", r#"{"event":1,"event":2}"#] {
        assert_eq!(
            refused(signed(body.as_bytes())),
            (400, "malformed"),
            "{body}"
        );
    }
    assert_eq!(refused(signed(b"{\"event\":\"\xff\"}")), (400, "malformed"));
    let body = b"{}";
    let signature = hotjar::sign(KEY, body, TextEncoding::Hex).unwrap();
    let of = |media| {
        let headers = [(SIGNATURE_HEADER, &*signature), ("content-type", media)];
        read(&source(None), &headers, body)
    };
    let kept = one(of("application/json; charset=utf-8")).content_type;
    assert_eq!(kept.as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!(refused(of("text/plain")), (415, "unsupported"));
    assert_eq!(refused(of("nonsense")), (415, "unsupported"));
}
