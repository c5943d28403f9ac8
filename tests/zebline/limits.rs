//! Every limit at its edge.

use serde_json::{Map, Value, json};

use crate::shop::{event, logged, open, post, queued, refused};

#[test]
fn names_and_visitors_are_taken_up_to_their_limits_zeb_06_zeb_18_zeb_19() {
    let (_site, broker) = open("");
    for (member, limit) in [("eventName", 49), ("userId", 100), ("anonymousId", 100)] {
        // Characters count, not bytes.
        for (length, fits) in [(0, false), (1, true), (limit, true), (limit + 1, false)] {
            let mut changes = json!({member: "é".repeat(length)});
            if member == "anonymousId" {
                changes["userId"] = Value::Null;
            }
            let answer = post(&broker, &[], &event(changes));
            match fits {
                true => drop(queued(&answer)),
                false => {
                    let words = refused(&answer, 400);
                    assert!(
                        words.contains(&format!("{member} has {length} characters")),
                        "{words}"
                    );
                }
            }
        }
    }
    broker.stop();
}

/// `eventData` of so many attributes of each type.
fn data(strings: usize, numbers: usize) -> Value {
    let mut data = Map::new();
    for n in 0..strings {
        data.insert(format!("s{n:02}"), json!("x"));
    }
    for n in 0..numbers {
        data.insert(format!("n{n:02}"), json!(1));
    }
    Value::Object(data)
}

#[test]
fn an_attribute_beyond_a_limit_is_dropped_and_named_and_the_rest_is_kept_a_32() {
    let (_site, broker) = open("");
    let (fits, too_long) = ("a".repeat(50), "b".repeat(51));
    for (sent, dropped) in [
        (json!({fits: 1}), 0),
        (json!({too_long: 1, "a": 1}), 1),
        (json!({"text": "é".repeat(1000)}), 0),
        (json!({"text": "é".repeat(1001), "a": 1}), 1),
        (data(25, 25), 0),
        (data(26, 25), 1),
        (data(25, 27), 2),
        (json!({"none": null, "a": 1}), 1),
    ] {
        let before = sent.as_object().unwrap().len();
        queued(&post(&broker, &[], &event(json!({"eventData": sent}))));
        let stored = logged(&broker).pop().unwrap();
        let kept = stored["eventData"].as_object().unwrap().len();
        assert_eq!(kept, before - dropped, "{stored}");
        let told = stored
            .get("droppedAttributes")
            .map_or(0, |told| told.as_array().unwrap().len());
        assert_eq!(told, dropped, "{stored}");
    }
    broker.stop();
}

#[test]
fn in_strict_mode_the_same_faults_fail_the_request_a_32() {
    let (_site, broker) = open("strict = true");
    queued(&post(
        &broker,
        &[],
        &event(json!({"eventData": data(25, 25)})),
    ));
    for (sent, words) in [
        (
            data(26, 0),
            "attribute \"s25\": there are more than 25 attributes of type string",
        ),
        (json!({"a": null}), "attribute \"a\": null is of no type"),
        (
            json!({"s00": 1}),
            "attribute \"s00\": it is of type number, and was first received as string",
        ),
        (
            json!({"o": {"x": 1, "y": "2"}}),
            "attribute \"o\": its values are of more than one type",
        ),
    ] {
        let told = refused(&post(&broker, &[], &event(json!({"eventData": sent}))), 400);
        assert!(told.contains(words), "{told}");
    }
    let system = post(&broker, &[], &event(json!({"eventName": "we_open"})));
    assert!(refused(&system, 400).contains("system event"));
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}

#[test]
fn the_5001st_request_of_a_minute_is_429_until_the_minute_ends_zeb_04() {
    let (_site, broker) = open("");
    // What is not right counts too; it costs no sync.
    for _ in 0..4999 {
        refused(&post(&broker, &[], &json!({})), 400);
    }
    queued(&post(&broker, &[], &event(json!({}))));
    let late = post(&broker, &[], &event(json!({})));
    assert_eq!(refused(&late, 429), "Rate limit exceeded");
    assert!(late.headers.contains(&("retry-after".into(), "60".into())));
    broker.advance("59s");
    let late = post(&broker, &[], &event(json!({})));
    assert!(late.headers.contains(&("retry-after".into(), "1".into())));
    // Without a key nothing is counted.
    broker.advance("1s");
    queued(&post(&broker, &[], &event(json!({}))));
    broker.stop();
}

#[test]
fn the_success_status_and_unix_times_are_the_operators_choice_a_35_a_38() {
    let (_site, broker) =
        open("success_status = 200\naccept_unix_time = true\nsystem_events = [\"opened\"]");
    let answer = post(&broker, &[], &event(json!({"eventTime": 1_704_067_200})));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let stored = broker.list("/v1/events").remove(0);
    assert_eq!(stored["time"], "2024-01-01T00:00:00.000Z");
    // Accepted, and no event.
    let answer = post(&broker, &[], &event(json!({"eventName": "opened"})));
    assert_eq!(answer.status, 200);
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}
