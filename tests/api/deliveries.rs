//! `/v1/deliveries`, and putting deliveries back.

use std::time::Duration;

use redeliver::clock::Clock;
use redeliver::store::{Outcome, Store};
use serde_json::Value;

use crate::harness::Api;

const WAIT: Outcome = Outcome::Retry {
    after: Duration::from_secs(30),
};

async fn with_endpoint() -> Api {
    let api = Api::new().await;
    let json = r#"{"name":"a","url":"http://127.0.0.1:9/","policy":"hotjar","events":["order.*"]}"#;
    api.add(json).await;
    api
}

async fn only(api: &Api, query: &str) -> Value {
    let list = api
        .get(&format!("/v1/deliveries?{query}"))
        .await
        .expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    list["data"][0].clone()
}

#[tokio::test]
async fn a_delivery_shows_its_attempts_and_why_it_is_where_it_is() {
    let api = with_endpoint().await;
    let event = api.event("order.paid").await;
    let pending = only(&api, "endpoint=a").await;
    assert_eq!(pending["status"], "pending");
    assert_eq!(pending["event_id"], event["id"]);
    assert_eq!(pending["event_type"], "order.paid");
    assert_eq!(pending["endpoint"], "a");
    api.attempt(500, WAIT);
    let waiting = only(&api, "status=waiting").await;
    assert_eq!(waiting["attempt_count"], 1);
    assert_eq!(waiting["last_status"], 500);
    assert_eq!(waiting["last_error"], Value::Null);
    assert_eq!(waiting["next_attempt_at"], "2023-11-14T22:13:50.000Z");
    assert_eq!(
        waiting["explanation"],
        "attempt 1 of 7 failed with status 500; retry 1 leaves 30s after that failure, at \
         2023-11-14T22:13:50.000Z, as policy \"hotjar\" says"
    );
    assert_eq!(
        waiting["attempts"][0],
        serde_json::json!({
            "number": 1,
            "started_at": "2023-11-14T22:13:20.000Z",
            "ended_at": "2023-11-14T22:13:20.000Z",
            "duration_ms": 0,
            "status": 500,
            "error": null,
            "response_excerpt": "said so",
        })
    );
    let id = waiting["id"].as_str().unwrap();
    let mut one = api.get(&format!("/v1/deliveries/{id}")).await.expect(200);
    // By itself it says more than in a list.
    for member in ["rule", "signing", "clock"] {
        assert!(one.as_object_mut().unwrap().remove(member).is_some());
    }
    assert_eq!(one, waiting);
    let endpoint = api.get("/v1/endpoints/a").await.expect(200);
    assert_eq!(endpoint["backlog"], 1);
    assert_eq!(endpoint["next_attempt_at"], waiting["next_attempt_at"]);
    assert_eq!(endpoint["oldest_waiting_at"], "2023-11-14T22:13:20.000Z");
}

#[tokio::test]
async fn a_retry_is_due_now_and_refused_where_nothing_is_to_be_put_back() {
    let api = with_endpoint().await;
    api.event("order.paid").await;
    let id = only(&api, "").await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/deliveries/{id}/retry");
    assert!(
        api.post(&path, "")
            .await
            .problem(409)
            .contains("due already")
    );
    api.attempt(500, WAIT);
    let retried = api.post(&path, "").await.expect(202);
    assert_eq!(retried["status"], "pending");
    let claims = api.store.claim(10).unwrap();
    assert!(
        api.post(&path, "")
            .await
            .problem(409)
            .contains("being attempted")
    );
    api.store.release(claims[0].token).unwrap();
    api.attempt(200, Outcome::Delivered);
    api.post(&path, "").await.expect(202);
    api.attempt(500, Outcome::Dead);
    let narrow = |events: &str| format!(r#"{{"events":["{events}"]}}"#);
    let change = async |events: &str| {
        let changed = api.json("PATCH", "/v1/endpoints/a", &narrow(events)).await;
        changed.expect(200);
    };
    api.post(&path, "").await.expect(202);
    api.attempt(200, Outcome::Delivered);
    change("invoice").await;
    let told = api.post(&path, "").await.problem(409);
    assert!(told.contains("do not select it"), "{told}");
    change("*").await;
}

#[tokio::test]
async fn what_was_put_back_goes_with_its_endpoint_and_says_why_it_cannot_be_sent() {
    let api = with_endpoint().await;
    for _ in 0..2 {
        api.event("order.paid").await;
    }
    api.attempt(500, Outcome::Dead);
    let found = api.get("/v1/deliveries").await.expect(200);
    let id = |n: usize| found["data"][n]["id"].as_str().unwrap().to_owned();
    let (put_back, dead) = (id(0), id(1));
    let retry = |id: &str| format!("/v1/deliveries/{id}/retry");
    api.post("/v1/endpoints/a/pause", "").await.expect(200);
    api.post(&retry(&put_back), "").await.expect(202);
    api.send("DELETE", "/v1/endpoints/a", &[], b"").await;
    let status = api.get("/v1/status").await.expect(200);
    assert_eq!(status["deliveries"]["removed"], 1);
    for (id, status) in [(&put_back, "removed"), (&dead, "dead")] {
        let shown = api.get(&format!("/v1/deliveries/{id}")).await.expect(200);
        assert_eq!(shown["status"], status);
        let why = shown["explanation"].as_str().unwrap();
        assert!(!why.contains("a replay"), "{why}");
        let told = api.post(&retry(id), "").await.problem(409);
        assert!(told.contains("its endpoint \"a\" is removed"), "{told}");
    }
    let list = api.get("/v1/deliveries?status=removed").await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn dead_letters_are_counted_and_then_replayed() {
    let api = with_endpoint().await;
    for _ in 0..3 {
        api.event("order.paid").await;
    }
    api.attempt(500, Outcome::Dead);
    api.clock.set(api.clock.now().plus(Duration::from_secs(60)));
    api.event("order.paid").await;
    api.attempt(200, Outcome::Delivered);
    let replay = async |json: &str| {
        let answer = api.post("/v1/endpoints/a/replay", json).await.expect(200);
        assert_eq!(answer["matched"], answer["replayed"]);
        (
            answer["replayed"].as_u64().unwrap(),
            answer["dry_run"] == true,
        )
    };
    assert_eq!(
        replay(r#"{"status":"dead","dry_run":true}"#).await,
        (3, true)
    );
    assert_eq!(replay(r#"{"status":"dead","limit":1}"#).await, (1, false));
    assert_eq!(
        replay(r#"{"since":"2023-11-14T22:14:20Z"}"#).await,
        (1, false)
    );
    assert_eq!(replay("").await, (2, false));
    let wrong = r#"{"since":"now","until":1,"status":"alive","limit":-1,"dry_run":"x","y":0}"#;
    let mut places = api.post("/v1/endpoints/a/replay", wrong).await.places();
    places.sort();
    assert_eq!(
        places,
        ["/dry_run", "/limit", "/since", "/status", "/until", "/y"]
    );
}

#[tokio::test]
async fn deliveries_are_listed_in_parts_by_status_and_by_event() {
    let api = with_endpoint().await;
    api.add(r#"{"name":"b","url":"http://127.0.0.1:9/","policy":"standard"}"#)
        .await;
    for kind in ["order.paid", "user.made", "order.sent"] {
        api.event(kind).await;
    }
    let (mut found, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let list = api
            .get(&format!("/v1/deliveries?{query}"))
            .await
            .expect(200);
        for delivery in list["data"].as_array().unwrap() {
            found.push(format!(
                "{}{}",
                delivery["seq"],
                delivery["endpoint"].as_str().unwrap()
            ));
        }
        let Some(next) = list["next"].as_str() else {
            break;
        };
        query = format!("limit=2&cursor={next}");
    }
    assert_eq!(found, ["3a", "3b", "2b", "1a", "1b"]);
    let of = async |query: &str| {
        let path = format!("/v1/events/2/deliveries{query}");
        let list = api.get(&path).await.expect(200);
        let data = list["data"].as_array().unwrap().iter();
        data.map(|d| d["endpoint"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("").await, ["b"]);
    assert_eq!(of("?status=filtered").await, ["a"]);
    let path = "/v1/deliveries?status=pending&endpoint=b";
    let pending = api.get(path).await.expect(200);
    assert_eq!(pending["data"].as_array().unwrap().len(), 3);
}
