//! eSputnik: a login at most, and lists of activities.

use serde_json::json;
use serde_json::value::RawValue;

use crate::process::eventually;
use crate::process::receiver::Receiver;
use crate::site::*;

const BULK: &[u8] = include_bytes!("../fixtures/payloads/esputnik_bulk.json");
const SEQUENCE: &[u8] =
    include_bytes!("../fixtures/payloads/esputnik_sequence_delivered_read_clicked.json");

#[test]
fn a_11_the_login_is_asked_for_on_get_and_post_and_esp_07_the_check_is_answered() {
    let site = site();
    let broker = site.start(&[]);
    let (name, value) = login();
    let wrong = redeliver::vendor::basic_authorization("hook", "password");
    for method in ["GET", "POST"] {
        let none = broker.send(method, "/in/mails", &[JSON], b"");
        none.problem(401);
        assert!(header(&none, "www-authenticate").starts_with("Basic "));
        let other = broker.send(method, "/in/mails", &[JSON, (name, &*wrong)], b"");
        other.problem(401);
    }
    let checked = broker.send("GET", "/in/mails", &[(name, &*value)], b"");
    assert_eq!(checked.status, 200);
    assert_eq!(checked.json()["status"], "ok");
    let put = broker.send("PUT", "/in/mails", &[(name, &*value)], b"");
    put.problem(405);
    assert_eq!(header(&put, "allow"), "GET, HEAD, POST");
    let shown = source(&broker, "mails");
    assert_eq!(shown["refused"], json!({"unauthenticated": 4, "method": 1}));
    assert_eq!(count(&broker), 0);
}

#[test]
fn esp_12_a_list_is_answered_200_and_esp_39_comes_again_as_a_duplicate() {
    let site = site();
    let broker = site.start(&[]);
    assert_eq!(taken(&activities(&broker, "mails", BULK)), (1, false));
    assert_eq!(taken(&activities(&broker, "mails", BULK)), (1, true));
    let compact: serde_json::Value = serde_json::from_slice(BULK).unwrap();
    let compact = compact.to_string();
    // Other bytes, the same activities.
    assert_eq!(
        taken(&activities(&broker, "mails", compact.as_bytes())),
        (1, true)
    );
    assert_eq!(
        event(&broker, 1)["data"],
        serde_json::from_slice::<serde_json::Value>(BULK).unwrap()
    );
    let empty = activities(&broker, "mails", b"[]");
    assert_eq!((empty.status, empty.json()), (200, json!({"events": []})));
    assert_eq!(count(&broker), 1);
}

#[test]
fn a_list_taken_apart_is_stored_whole_or_not_at_all_and_each_activity_once() {
    let site = site();
    let broker = site.start(&[]);
    let answer = activities(&broker, "activities", BULK);
    assert_eq!(answer.status, 200);
    let events = answer.json()["events"].clone();
    let seqs: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["seq"].clone())
        .collect();
    assert_eq!(json!(seqs), json!([1, 2, 3, 4]));
    // One that was among them, and one that was not.
    let list: serde_json::Value = serde_json::from_slice(BULK).unwrap();
    let mut other = list[0].clone();
    other["activityDateTime"] = json!("2023-09-14T08:30:04");
    let mixed = json!([list[2], other]).to_string();
    let answer = activities(&broker, "activities", mixed.as_bytes()).json();
    let found: Vec<_> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["seq"].as_u64().unwrap(), event["duplicate"] == true))
        .collect();
    assert_eq!(found, [(3, true), (5, false)]);
    let broken = json!([{"iid": "new", "activityStatus": "READ"}, 7]).to_string();
    let answer = activities(&broker, "activities", broken.as_bytes());
    answer.problem(422);
    assert_eq!(answer.json()["errors"][0]["at"], "/1");
    activities(&broker, "activities", &BULK[..BULK.len() - 4]).problem(400);
    let many = format!("[{}]", vec!["{}"; 1001].join(","));
    activities(&broker, "activities", many.as_bytes()).problem(413);
    let (name, value) = login();
    let xml = [("content-type", "application/xml"), (name, &*value)];
    broker
        .send("POST", "/in/activities", &xml, b"<a/>")
        .problem(415);
    assert_eq!(count(&broker), 5);
    let shown = source(&broker, "activities");
    assert_eq!(
        (&shown["accepted"], &shown["duplicates"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(
        shown["refused"],
        json!({"invalid": 1, "malformed": 1, "too_large": 1, "unsupported": 1})
    );
}

#[test]
fn esp_11_activities_taken_apart_arrive_one_by_one_in_their_order_and_filters_see_their_status() {
    let site = site();
    let broker = site.start(&[]);
    let (all, read) = (Receiver::always(200), Receiver::always(200));
    for (name, receiver, events) in [
        ("all", &all, json!(["*"])),
        ("read", &read, json!(["READ"])),
    ] {
        broker.post(
            "/v1/endpoints",
            &json!({"name": name, "url": receiver.url(), "policy": "esputnik", "events": events}),
        );
    }
    let requests: Vec<&RawValue> = serde_json::from_slice(SEQUENCE).unwrap();
    let bodies = requests.iter().map(|request| request.get());
    for (body, seq) in bodies.clone().zip(1..) {
        let answer = activities(&broker, "activities", body.as_bytes());
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["events"][0]["seq"], seq);
    }
    let answer = activities(&broker, "activities", BULK);
    assert_eq!(answer.status, 200);
    // The first of these was the first of those, too.
    let sent: Vec<_> = bodies.chain([std::str::from_utf8(BULK).unwrap()]).collect();
    let sent: Vec<&RawValue> = sent
        .iter()
        .flat_map(|body| serde_json::from_str::<Vec<&RawValue>>(body).unwrap())
        .collect();
    let duplicate = answer.json()["events"][0].clone();
    assert_eq!(
        (&duplicate["seq"], &duplicate["duplicate"]),
        (&json!(1), &json!(true))
    );
    let expected: Vec<String> = sent
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != 3)
        .map(|(_, activity)| format!("[{}]", activity.get()))
        .collect();
    eventually("all have arrived", || {
        (all.posts().len() == expected.len()).then_some(())
    });
    for (post, body) in all.posts().iter().zip(&expected) {
        assert_eq!(post.body, body.as_bytes());
        assert_eq!(post.header("content-type"), "application/json");
    }
    eventually("the filtered one has arrived", || {
        (read.posts().len() == 1).then_some(())
    });
    assert_eq!(read.posts()[0].json()[0]["activityStatus"], "READ");
}
