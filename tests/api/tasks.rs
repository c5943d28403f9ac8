//! `/v1/tasks`: bulk operations.

use redeliver::store::Outcome;
use serde_json::{Value, json};

use crate::harness::Api;

/// Two endpoints, three dead letters at the first and two at the second, one of another type.
async fn with_dead_letters() -> Api {
    let api = Api::new().await;
    for (name, events) in [("a", r#"["*"]"#), ("b", r#"["order.*"]"#)] {
        api.add(&format!(
            r#"{{"name":"{name}","url":"http://127.0.0.1:9/","policy":"hotjar","events":{events}}}"#
        ))
        .await;
    }
    for kind in ["order.paid", "order.sent", "invoice"] {
        api.event(kind).await;
    }
    api.attempt(500, Outcome::Dead);
    assert_eq!(api.counts("dead").await, (3, 2));
    api
}

impl Api {
    /// How many deliveries of each endpoint have this status.
    async fn counts(&self, status: &str) -> (usize, usize) {
        let list = self.get(&format!("/v1/deliveries?status={status}")).await;
        let list = list.expect(200);
        let deliveries = list["data"].as_array().unwrap().iter();
        let of = |name: &str| deliveries.clone().filter(|d| d["endpoint"] == name).count();
        (of("a"), of("b"))
    }

    async fn task(&self, json: &Value) -> Value {
        let made = self.post("/v1/tasks", &json.to_string()).await;
        let task = made.expect(202);
        let id = task["id"].as_str().unwrap();
        assert_eq!(made.header("location"), Some(&*format!("/v1/tasks/{id}")));
        task
    }

    /// The task once it has ended.
    async fn ended(&self, task: &Value) -> Value {
        let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
        for _ in 0..5_000 {
            let task = self.get(&path).await.expect(200);
            if task["state"] != "running" {
                return task;
            }
            tokio::task::yield_now().await;
        }
        panic!("{task} does not end");
    }
}

#[tokio::test]
async fn a_replay_of_all_dead_letters_puts_each_back_and_says_how_many() {
    let api = with_dead_letters().await;
    let task = api.task(&json!({"kind": "replay", "status": "dead"})).await;
    assert_eq!(
        (&task["kind"], &task["dry_run"]),
        (&json!("replay"), &json!(false))
    );
    assert_eq!(
        task["request"],
        json!({"kind": "replay", "status": "dead", "dry_run": false})
    );
    let ended = api.ended(&task).await;
    assert_eq!(ended["state"], "done");
    assert_eq!(ended["ended_at"], "2023-11-14T22:13:20.000Z");
    for (member, count) in [("matched", 5), ("done", 5), ("total", 5)] {
        assert_eq!(ended[member], count, "{ended}");
    }
    assert_eq!(
        (&ended["progress"], &ended["error"]),
        (&json!(1.0), &Value::Null)
    );
    assert_eq!(api.counts("pending,waiting").await, (3, 2));
    assert_eq!(api.counts("dead").await, (0, 0));
}

#[tokio::test]
async fn a_task_takes_what_its_endpoint_type_and_limit_say_and_no_more() {
    for (request, expected) in [
        (json!({"endpoint": "b"}), (0, 2)),
        (json!({"type": "order.*"}), (2, 2)),
        (json!({"type": "invoice, order.sent"}), (2, 1)),
        (json!({"endpoint": "a", "limit": 2}), (2, 0)),
        (json!({"limit": 4}), (3, 1)),
        (json!({"since": "2023-11-14T22:13:21Z"}), (0, 0)),
        (json!({"until": "2023-11-14T22:13:20Z"}), (0, 0)),
        (json!({"until": "2023-11-14T22:13:21Z"}), (3, 2)),
    ] {
        let api = with_dead_letters().await;
        let mut whole = request.clone();
        whole["kind"] = json!("replay");
        whole["status"] = json!("dead");
        let ended = api.ended(&api.task(&whole).await).await;
        assert_eq!(ended["done"], expected.0 + expected.1, "{request}: {ended}");
        assert_eq!(api.counts("pending,waiting").await, expected, "{request}");
    }
}

#[tokio::test]
async fn a_dry_run_counts_and_puts_nothing_back() {
    let api = with_dead_letters().await;
    let task = api.task(&json!({"kind": "replay", "dry_run": true})).await;
    let ended = api.ended(&task).await;
    assert_eq!((&ended["matched"], &ended["done"]), (&json!(5), &json!(0)));
    assert_eq!(api.counts("dead").await, (3, 2));
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_first_task_and_refuses_another_request() {
    let api = with_dead_letters().await;
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "k"),
    ];
    let post = |body: &'static str| api.send("POST", "/v1/tasks", &headers, body.as_bytes());
    let first = post(r#"{"kind":"replay","status":"dead"}"#)
        .await
        .expect(202);
    let again = post(r#"{"status":"dead","kind":"replay"}"#)
        .await
        .expect(202);
    assert_eq!(first["id"], again["id"]);
    let other = post(r#"{"kind":"replay"}"#).await.problem(409);
    assert!(other.contains("was asked for something else"), "{other}");
    assert_eq!(
        api.get("/v1/tasks").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn tasks_are_listed_newest_first_in_parts_and_by_state() {
    let api = with_dead_letters().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let task = api.task(&json!({"kind": "replay", "dry_run": true})).await;
        made.push(api.ended(&task).await["id"].clone());
    }
    let first = api.get("/v1/tasks?limit=2&state=done").await.expect(200);
    let ids = |list: &Value| -> Vec<Value> {
        let tasks = list["data"].as_array().unwrap().iter();
        tasks.map(|task| task["id"].clone()).collect()
    };
    assert_eq!(ids(&first), [made[2].clone(), made[1].clone()]);
    let next = format!(
        "/v1/tasks?limit=2&state=done&cursor={}",
        first["next"].as_str().unwrap()
    );
    let rest = api.get(&next).await.expect(200);
    assert_eq!(ids(&rest), [made[0].clone()]);
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(
        ids(&api.get("/v1/tasks?state=failed,running").await.expect(200)).len(),
        0
    );
}

#[tokio::test]
async fn a_task_that_has_ended_is_not_cancelled_and_an_unknown_one_is_404() {
    let api = with_dead_letters().await;
    let task = api.task(&json!({"kind": "replay", "dry_run": true})).await;
    api.ended(&task).await;
    let path = format!("/v1/tasks/{}/cancel", task["id"].as_str().unwrap());
    let detail = api.post(&path, "").await.problem(409);
    assert!(
        detail.ends_with("has ended already: it is done"),
        "{detail}"
    );
    for id in ["tsk_01HF7YAT00000000000000000A", "tsk_", "x"] {
        api.get(&format!("/v1/tasks/{id}")).await.problem(404);
        api.post(&format!("/v1/tasks/{id}/cancel"), "")
            .await
            .problem(404);
    }
}

#[tokio::test]
async fn every_mistake_of_a_request_is_told_at_once() {
    let api = with_dead_letters().await;
    let places = |body: &'static str| async { api.post("/v1/tasks", body).await.places() };
    assert_eq!(places("").await, ["/kind"]);
    let wrong = r#"{"kind":"erase","endpoint":"c","status":"live","type":"","since":"now",
        "until":7,"limit":0,"dry_run":"no","force":true}"#;
    let all = [
        "force", "kind", "endpoint", "status", "type", "since", "until", "limit", "dry_run",
    ];
    assert_eq!(places(wrong).await, all.map(|name| format!("/{name}")));
}

#[tokio::test]
async fn a_discard_of_dead_letters_takes_them_out_of_the_list_and_leaves_them_to_be_read() {
    let api = with_dead_letters().await;
    let asked = json!({"kind": "discard", "status": "dead", "endpoint": "a", "type": "order.*"});
    let task = api.task(&asked).await;
    let ended = api.ended(&task).await;
    assert_eq!(
        (&ended["kind"], &ended["done"]),
        (&json!("discard"), &json!(2))
    );
    assert_eq!(api.counts("dead").await, (1, 2));
    assert_eq!(api.counts("removed").await, (2, 0));
    let list = api.get("/v1/deliveries?status=removed").await.expect(200);
    let id = list["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/deliveries/{id}");
    let shown = api.get(&path).await.expect(200);
    let why = format!(
        "not attempted: discarded by {}",
        task["id"].as_str().unwrap()
    );
    assert_eq!(shown["last_error"], why);
    assert_eq!(shown["attempts"][0]["status"], 500);
    let explained = shown["explanation"]
        .as_str()
        .unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(
        explained,
        format!("{why}; a retry or a replay sends it again")
    );
    assert_eq!(shown.get("rule"), None, "{shown}");
    let back = api.post(&format!("{path}/retry"), "").await.expect(202);
    assert_eq!(back["status"], "pending");
    assert_eq!(api.counts("removed").await, (1, 0));
    assert_eq!(api.get("/v1/endpoints/a").await.expect(200)["removed"], 1);
}

#[tokio::test]
async fn a_discard_of_a_backlog_ends_what_waits_and_what_has_not_been_attempted() {
    let api = with_dead_letters().await;
    api.event("order.new").await;
    api.attempt(
        500,
        Outcome::Retry {
            after: std::time::Duration::from_secs(60),
        },
    );
    api.event("order.newer").await;
    assert_eq!(api.counts("waiting").await, (1, 1));
    assert_eq!(api.counts("pending").await, (1, 1));
    for (status, dry_run, found) in [("pending,waiting", true, 4), ("waiting", false, 2)] {
        let asked = json!({"kind": "discard", "status": status, "dry_run": dry_run});
        let ended = api.ended(&api.task(&asked).await).await;
        assert_eq!(ended["matched"], found, "{ended}");
        assert_eq!(ended["request"]["status"], status);
    }
    assert_eq!(api.counts("waiting").await, (0, 0));
    assert_eq!(api.counts("pending").await, (1, 1));
    assert_eq!(api.counts("dead").await, (3, 2));
}

#[tokio::test]
async fn a_discard_says_what_it_gives_up_and_a_replay_takes_dead_letters_alone() {
    let api = with_dead_letters().await;
    for (kind, status) in [
        ("discard", json!(null)),
        ("discard", json!("delivered")),
        ("discard", json!("dead,")),
        ("discard", json!(7)),
        ("replay", json!("pending")),
        ("replay", json!("pending,dead")),
        ("replay", json!("")),
    ] {
        let asked = json!({"kind": kind, "status": status}).to_string();
        let places = api.post("/v1/tasks", &asked).await.places();
        assert_eq!(places, ["/status"], "{asked}");
    }
    assert_eq!(api.counts("dead").await, (3, 2));
}
