//! What lists can be narrowed down by.

use std::time::Duration;

use redeliver::clock::Clock;
use redeliver::store::Outcome;
use serde_json::Value;

use crate::harness::{Api, Setup};

/// The `member` of each item of a list.
async fn each(api: &Api, path: &str, member: &str) -> Vec<String> {
    let list = api.get(path).await.expect(200);
    let items = list["data"].as_array().unwrap().iter();
    items
        .map(|item| item[member].as_str().unwrap().to_owned())
        .collect()
}

async fn send(api: &Api, json: &str) {
    api.post("/v1/events", json).await.expect(202);
}

/// An endpoint, and three events a minute apart: answered 500, then 404, then not at all.
async fn with_deliveries() -> Api {
    let api = Api::new().await;
    api.add(r#"{"name":"a","url":"http://127.0.0.1:9/","policy":"hotjar"}"#)
        .await;
    for (kind, status) in [
        ("order.paid", Some(500)),
        ("order.sent", Some(404)),
        ("invoice", None),
    ] {
        api.event(kind).await;
        let after = Duration::from_secs(3600);
        if let Some(status) = status {
            api.attempt(status, Outcome::Retry { after });
        }
        api.clock.set(api.clock.now().plus(Duration::from_secs(60)));
    }
    api
}

#[tokio::test]
async fn events_are_found_by_source_subject_and_the_key_that_they_were_sent_with() {
    let api = Api::new().await;
    send(&api, r#"{"type":"a","data":1,"subject":"u-1","id":"k-1"}"#).await;
    send(&api, r#"{"type":"b","data":1,"subject":"u-2","id":"k-2"}"#).await;
    send(&api, r#"{"type":"c","data":1}"#).await;
    for (query, expected) in [
        ("subject=u-2", &["b"][..]),
        ("key=k-1", &["a"]),
        ("subject=u-1&key=k-2", &[]),
        ("source=api&order=asc", &["a", "b", "c"]),
        ("source=shop", &[]),
    ] {
        let found = each(&api, &format!("/v1/events?{query}"), "type").await;
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn deliveries_are_found_by_type_time_and_the_last_status() {
    let api = with_deliveries().await;
    for (query, expected) in [
        ("type=order.*", &["order.sent", "order.paid"][..]),
        ("type=invoice,order.paid", &["invoice", "order.paid"]),
        ("last_status=500", &["order.paid"]),
        ("last_status=404&type=order.paid", &[]),
        ("since=2023-11-14T22:14:20Z", &["invoice", "order.sent"]),
        ("until=2023-11-14T22:14:20Z", &["order.paid"]),
        (
            "since=2023-11-14T22:14:20Z&until=2023-11-14T22:15:20Z",
            &["order.sent"],
        ),
        ("since=2024-01-01T00:00:00Z", &[]),
        ("until=2023-01-01T00:00:00Z", &[]),
        ("status=waiting&since=2023-11-14T22:14:00Z", &["order.sent"]),
    ] {
        let found = each(&api, &format!("/v1/deliveries?{query}"), "event_type").await;
        assert_eq!(found, expected, "{query}");
    }
    for wrong in ["99", "600", "ok"] {
        let answer = api
            .get(&format!("/v1/deliveries?last_status={wrong}"))
            .await;
        assert_eq!(answer.places(), ["?last_status"]);
    }
}

#[tokio::test]
async fn dead_letters_behind_many_with_another_status_are_found_to_the_last() {
    let api = Api::new().await;
    api.add(r#"{"name":"a","url":"http://127.0.0.1:9/","policy":"hotjar"}"#)
        .await;
    for status in [404, 500, 500, 500, 500] {
        api.event("t").await;
        api.attempt(status, Outcome::Dead);
    }
    let found = each(
        &api,
        "/v1/deliveries?status=dead&last_status=404&limit=1",
        "id",
    )
    .await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn endpoints_are_found_by_policy_and_too_many_patterns_are_refused() {
    let api = Api::with(Setup::default()).await;
    for (name, policy) in [("a", "hotjar"), ("b", "standard")] {
        let json =
            format!(r#"{{"name":"{name}","url":"http://127.0.0.1:9/","policy":"{policy}"}}"#);
        api.add(&json).await;
    }
    assert_eq!(
        each(&api, "/v1/endpoints?policy=standard", "name").await,
        ["b"]
    );
    assert_eq!(
        each(&api, "/v1/endpoints?policy=esputnik", "name").await,
        [""; 0]
    );
    let many = "a,".repeat(101);
    for path in [
        "events?type",
        "deliveries?type",
        "wait?type",
        "stream?types",
    ] {
        let answer = api.get(&format!("/v1/{path}={many}")).await;
        let named = format!("?{}", path.split('?').nth(1).unwrap());
        assert_eq!(answer.places(), [named], "{path}");
        assert_ne!(answer.json()["detail"], Value::Null);
    }
}

#[tokio::test]
async fn what_a_filter_names_must_be_there_and_what_there_is_is_told() {
    let api = with_deliveries().await;
    for (path, place, words) in [
        ("deliveries?endpoint=shop", "?endpoint", "there is \"a\""),
        ("wait?endpoint=b", "?endpoint", "did you mean \"a\"?"),
        ("activity?endpoint=shop", "?endpoint", "there is \"a\""),
        ("wait?event=99", "?event", "there is no event \"99\""),
        (
            "endpoints?policy=hotjr",
            "?policy",
            "did you mean \"hotjar\"?",
        ),
    ] {
        let answer = api.get(&format!("/v1/{path}")).await;
        assert_eq!(answer.places(), [place], "{path}");
        assert!(answer.problem(422).contains(words), "{answer:?}");
    }
    let id = api.get("/v1/endpoints/a").await.expect(200)["id"].clone();
    let id = id.as_str().unwrap();
    api.send("DELETE", "/v1/endpoints/a", &[], b"").await;
    let told = api.get("/v1/endpoints/a").await.problem(404);
    assert!(told.contains(id), "{told}");
    let told = api.get("/v1/deliveries?endpoint=a").await.problem(422);
    assert!(told.contains(id), "{told}");
    let path = format!("/v1/deliveries?endpoint={id}");
    assert_eq!(each(&api, &path, "endpoint").await, ["a"; 3]);
    // A source may have left the configuration, with its events in the log.
    assert_eq!(each(&api, "/v1/events?source=gone", "id").await, [""; 0]);
}

#[tokio::test]
async fn a_filter_whose_value_was_lost_is_refused() {
    let api = Api::new().await;
    for path in [
        "events?type=",
        "events?key=",
        "events?subject=",
        "events?source=",
        "deliveries?status=",
        "deliveries?endpoint=",
        "endpoints?policy=",
        "stream?types=",
        "wait?event=",
    ] {
        let answer = api.get(&format!("/v1/{path}&limit=1")).await;
        let name = path.split(['?', '=']).nth(1).unwrap();
        assert!(answer.places().contains(&format!("?{name}")), "{path}");
    }
}

#[tokio::test]
async fn type_and_types_are_the_same_and_a_cursor_goes_on_with_its_own_query_alone() {
    let api = Api::new().await;
    for kind in ["a", "b", "a"] {
        api.event(kind).await;
    }
    for name in ["type", "types"] {
        assert_eq!(
            each(&api, &format!("/v1/events?{name}=b"), "type").await,
            ["b"]
        );
    }
    let part = api.get("/v1/events?type=a&limit=1").await.expect(200);
    let next = part["next"].as_str().unwrap();
    let path = format!("/v1/events?types=a&limit=5&cursor={next}");
    assert_eq!(each(&api, &path, "type").await, ["a"]);
    for other in ["", "&type=b", "&type=a&order=asc"] {
        let answer = api.get(&format!("/v1/events?cursor={next}{other}")).await;
        assert_eq!(answer.places(), ["?cursor"], "{other}");
    }
}
