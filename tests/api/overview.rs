//! `/v1/overview`: all endpoints at a glance; and an event's very bytes.

use std::time::Duration;

use redeliver::store::Outcome;
use serde_json::{Value, json};

use crate::harness::{Api, START};

const RETRY: Outcome = Outcome::Retry {
    after: Duration::from_secs(30),
};

async fn endpoint(api: &Api, name: &str, events: &str) {
    let json = json!({"name": name, "url": format!("http://127.0.0.1:9/{name}"), "policy": "hotjar", "events": [events]});
    api.add(&json.to_string()).await;
}

async fn overview(api: &Api, query: &str) -> Value {
    api.get(&format!("/v1/overview?{query}")).await.expect(200)
}

fn names(overview: &Value) -> Vec<(&str, &str)> {
    let rows = overview["data"].as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["name"].as_str().unwrap(),
            row["health"].as_str().unwrap(),
        )
    })
    .collect()
}

/// One that is well, one with a dead letter, one that is paused, one that fails; made in this order.
async fn four() -> Api {
    let api = Api::new().await;
    endpoint(&api, "well", "none").await;
    endpoint(&api, "lost", "lost").await;
    endpoint(&api, "paused", "none").await;
    endpoint(&api, "failing", "failing").await;
    api.post("/v1/endpoints/paused/pause", "").await.expect(200);
    api.event("lost").await;
    api.attempt(404, Outcome::Dead);
    api.event("failing").await;
    api.attempt(503, RETRY);
    api.clock.set(START.moved(5 * 60_000));
    api.attempt(503, RETRY);
    api
}

#[tokio::test]
async fn an_endpoint_at_which_some_attempts_succeed_is_retrying_and_none_that_fails() {
    let api = Api::new().await;
    endpoint(&api, "crm", "order").await;
    let health = async |minutes: i64, status, outcome: Outcome| {
        api.clock.set(START.moved(minutes * 60_000));
        api.attempt(status, outcome);
        let seen = overview(&api, "").await;
        names(&seen)[0].1.to_owned()
    };
    api.event("order").await;
    assert_eq!(health(0, 503, RETRY).await, "retrying");
    // As `endpoint.failing` is told: after five minutes, and never for a single failure.
    assert_eq!(health(4, 503, RETRY).await, "retrying");
    assert_eq!(health(5, 503, RETRY).await, "failing");
    api.event("order").await;
    assert_eq!(health(5, 200, Outcome::Delivered).await, "retrying");
    let seen = overview(&api, "health=retrying").await;
    assert_eq!(
        (
            seen["matched"].as_u64(),
            seen["totals"]["retrying"].as_u64()
        ),
        (Some(1), Some(1))
    );
    assert_eq!(seen["data"][0]["last_failure"]["status"], 503);
    // What it waits for is due again: it goes on failing, from now on.
    assert_eq!(health(11, 503, RETRY).await, "retrying");
}

#[tokio::test]
async fn the_endpoint_that_fails_comes_first_with_its_last_failure() {
    let api = four().await;
    let seen = overview(&api, "").await;
    assert_eq!(
        names(&seen),
        [
            ("failing", "failing"),
            ("paused", "paused"),
            ("lost", "dead_letters"),
            ("well", "well")
        ]
    );
    let rows = &seen["data"];
    assert_eq!(rows[0]["last_failure"]["status"], 503);
    assert_eq!(rows[0]["last_failure"]["attempt"], 2);
    assert_eq!(rows[0]["backlog"], 1);
    assert_eq!(rows[2]["last_failure"]["status"], 404);
    assert_eq!(rows[3]["last_failure"], Value::Null);
    let totals = &seen["totals"];
    for (name, count) in [
        ("endpoints", 4),
        ("failing", 1),
        ("paused", 1),
        ("dead_letters", 1),
        ("well", 1),
        ("backlog", 1),
        ("dead", 1),
        ("delivered", 0),
    ] {
        assert_eq!(totals[name], count, "{name}");
    }
    assert_eq!(totals["next_attempt_at"], rows[0]["next_attempt_at"]);
    assert_eq!(totals["oldest_waiting_at"], rows[0]["oldest_waiting_at"]);
    assert_eq!(seen["last_seq"], 2);
}

#[tokio::test]
async fn what_is_selected_is_a_part_and_the_totals_stay_those_of_all() {
    let api = four().await;
    let all = overview(&api, "").await;
    let part = overview(&api, "health=failing,paused&limit=1&offset=1").await;
    assert_eq!(names(&part), [("paused", "paused")]);
    assert_eq!(part["matched"], 2);
    assert_eq!(part["totals"], all["totals"]);
    // By name, and by URL.
    assert_eq!(names(&overview(&api, "search=LOS").await).len(), 1);
    assert_eq!(
        names(&overview(&api, "search=9/w").await),
        [("well", "well")]
    );
    let sorted = overview(&api, "sort=name").await;
    let sorted: Vec<_> = names(&sorted).into_iter().map(|(name, _)| name).collect();
    assert_eq!(sorted, ["failing", "lost", "paused", "well"]);
    assert_eq!(names(&overview(&api, "sort=dead").await)[0].0, "lost");
    assert_eq!(names(&overview(&api, "sort=backlog").await)[0].0, "failing");
}

#[tokio::test]
async fn a_removed_endpoint_is_shown_on_request_alone() {
    let api = four().await;
    api.send("DELETE", "/v1/endpoints/failing", &[], b"").await;
    let seen = overview(&api, "").await;
    assert_eq!(names(&seen)[0].0, "paused");
    assert_eq!(seen["totals"]["endpoints"], 3);
    assert_eq!(seen["totals"]["removed"], 1);
    let removed = overview(&api, "health=removed").await;
    assert_eq!(names(&removed), [("failing", "removed")]);
}

#[tokio::test]
async fn what_the_overview_cannot_mean_is_refused() {
    let api = Api::new().await;
    let long = format!("search={}", "x".repeat(201));
    for query in [
        "limit=0",
        "limit=201",
        "offset=-1",
        "sort=age",
        "health=ill",
        "state=x",
        &long,
    ] {
        let refused = api.get(&format!("/v1/overview?{query}")).await;
        refused.problem(422);
    }
}

#[tokio::test]
async fn an_events_body_is_its_very_bytes_and_never_a_page() {
    let api = Api::new().await;
    let sent = r#"{"type":"page","data":{"big": 12345678901234567890.10,   "html":"<script>"}}"#;
    let event = api.post("/v1/events", sent).await.expect(202);
    let id = event["id"].as_str().unwrap();
    let body = api.get(&format!("/v1/events/{id}/body")).await;
    assert_eq!(body.status, 200);
    assert_eq!(
        body.text,
        r#"{"big": 12345678901234567890.10,   "html":"<script>"}"#
    );
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
        (
            "content-disposition",
            &format!("attachment; filename=\"{id}\""),
        ),
    ] {
        assert_eq!(body.header(name), Some(value));
    }
    api.get("/v1/events/99/body").await.problem(404);
}
