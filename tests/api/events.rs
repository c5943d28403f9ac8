//! `POST /v1/events`.

use redeliver::store::Options;

use crate::harness::{Api, Setup};

#[tokio::test]
async fn an_event_is_answered_with_its_place_once_it_is_on_disk() {
    let api = Api::new().await;
    let first = api.event("order.paid").await;
    assert_eq!(first["seq"], 1);
    assert_eq!(first["duplicate"], false);
    assert!(first["id"].as_str().unwrap().starts_with("evt_"));
    assert_eq!(api.event("order.paid").await["seq"], 2);
}

#[tokio::test]
async fn a_repeated_id_or_header_is_a_duplicate_and_the_header_counts_more() {
    let api = Api::new().await;
    let post = async |key: &str, id: &str| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        let headers = if key.is_empty() {
            &headers[..1]
        } else {
            &headers
        };
        let json = format!(r#"{{"type":"t","data":1,"id":"{id}"}}"#);
        let answer = api
            .send("POST", "/v1/events", headers, json.as_bytes())
            .await;
        let json = answer.expect(202);
        (json["seq"].as_u64().unwrap(), json["duplicate"] == true)
    };
    assert_eq!(post("", "a").await, (1, false));
    assert_eq!(post("", "a").await, (1, true));
    assert_eq!(post("a", "other").await, (1, true));
    assert_eq!(post("b", "a").await, (2, false));
    let long = "k".repeat(256);
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", &long),
    ];
    let answer = api
        .send("POST", "/v1/events", &headers, br#"{"type":"t","data":1}"#)
        .await;
    assert_eq!(answer.places(), ["idempotency-key"]);
}

#[tokio::test]
async fn both_modes_of_cloudevents_are_one_event_by_source_and_id() {
    let api = Api::new().await;
    let structured = br#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a": 1}}"#;
    let headers = [(
        "Content-Type",
        "application/cloudevents+json; charset=utf-8",
    )];
    let one = api.send("POST", "/v1/events", &headers, structured).await;
    assert_eq!(one.expect(202)["duplicate"], false);
    let binary = [
        ("Content-Type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/s"),
        ("ce-type", "t"),
    ];
    let two = api
        .send("POST", "/v1/events", &binary, br#"{"a": 1}"#)
        .await;
    assert_eq!(two.expect(202)["duplicate"], true);
    let mut other = binary;
    other[3].1 = "/other";
    other[0].1 = "text/plain";
    let three = api.send("POST", "/v1/events", &other, b"plain").await;
    assert_eq!(three.expect(202)["seq"], 2);
    let event = api.get("/v1/events/2").await.expect(200);
    assert_eq!(event["content_type"], "text/plain");
    assert_eq!(event["body_base64"], "cGxhaW4=");
}

#[tokio::test]
async fn a_media_type_that_is_not_taken_is_415_and_names_those_that_are() {
    let api = Api::new().await;
    let post = async |media| {
        let headers = [("Content-Type", media)];
        let answer = api.send("POST", "/v1/events", &headers, b"{}").await;
        answer.problem(415)
    };
    assert!(post("text/plain").await.contains("application/json"));
    let batch = "application/cloudevents-batch+json";
    assert!(post("application/cloudevents+avro").await.contains(batch));
    let none = api.send("POST", "/v1/events", &[], b"{}").await;
    assert!(none.problem(415).contains("without a Content-Type"));
}

#[tokio::test]
async fn malformed_json_is_400_with_its_place() {
    let api = Api::new().await;
    let detail = api.post("/v1/events", "{\"type\":\n!}").await.problem(400);
    assert_eq!(
        detail,
        "the body is not JSON: expected value at line 2, column 1"
    );
    let deep = format!(r#"{{"type":"t","data":{}}}"#, "[".repeat(10_000));
    assert!(
        api.post("/v1/events", &deep)
            .await
            .problem(400)
            .contains("100 levels")
    );
    let headers = [("Content-Type", "application/json")];
    let answer = api
        .send("POST", "/v1/events", &headers, b"{\"\xff\":1}")
        .await;
    assert!(answer.problem(400).contains("not UTF-8"));
    api.send("POST", "/v1/events", &headers, b"")
        .await
        .problem(400);
}

#[tokio::test]
async fn five_wrong_fields_are_told_at_once() {
    let api = Api::new().await;
    let json = r#"{"type":"","id":5,"subject":"","time":"yesterday","extra":1}"#;
    let places = api.post("/v1/events", json).await.places();
    assert_eq!(
        places,
        ["/extra", "/type", "/data", "/id", "/subject", "/time"]
    );
    let list = api.post("/v1/events", "[]").await;
    assert_eq!(list.places(), [""]);
}

#[tokio::test]
async fn data_comes_back_as_it_was_written() {
    let api = Api::new().await;
    let data = r#"{"b":1.50,"a":"\u00e9","big":123456789012345678901234567890}"#;
    let json = format!(r#"{{"data": {data},"type":"t","time":"2026-01-31T10:30:00+01:00"}}"#);
    api.post("/v1/events", &json).await.expect(202);
    let answer = api.get("/v1/events/1").await;
    assert!(
        answer.text.contains(&format!("\"data\":{data},")),
        "{answer:?}"
    );
    let event = answer.json();
    assert_eq!(event["time"], "2026-01-31T09:30:00.000Z");
    assert_eq!(event["received_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(event["source"], "api");
    assert_eq!(event["size"], data.len());
}

#[tokio::test]
async fn a_full_queue_asks_to_come_again() {
    let api = Api::with(Setup {
        options: Options {
            queue_max_events: 1,
            ..Options::default()
        },
        committing: false,
        ..Setup::default()
    })
    .await;
    let body = r#"{"type":"t","data":1}"#;
    let first = tokio::join!(api.post("/v1/events", body), async {
        use redeliver::store::Store;
        // The first one waits for a commit, the second finds the queue full.
        let waits = async {
            while api.store.depth().uncommitted == 0 {
                tokio::task::yield_now().await;
            }
        };
        let waits = tokio::time::timeout(std::time::Duration::from_secs(10), waits);
        assert!(waits.await.is_ok(), "the first one never came");
        let second = api.post("/v1/events", body).await;
        api.store.commit().unwrap();
        second
    });
    assert_eq!(first.0.expect(202)["seq"], 1);
    first.1.problem(503);
    assert_eq!(first.1.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_store_that_has_stopped_takes_nothing_and_is_not_ready() {
    let api = Api::new().await;
    api.store.backend().fail_writes_after(0);
    let body = r#"{"type":"t","data":1}"#;
    for _ in 0..2 {
        let answer = api.post("/v1/events", body).await;
        answer.problem(503);
        assert!(answer.header("retry-after").is_some());
    }
    api.get("/readyz").await.problem(503);
    api.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_server_whose_disk_is_full_lives_and_is_not_ready_until_there_is_room() {
    let api = Api::new().await;
    api.store.backend().set_free_bytes(1);
    let answer = api.get("/readyz").await;
    let told = answer.expect(503);
    assert_eq!(told["status"], "disk_full");
    assert!(
        told["detail"].as_str().unwrap().contains("make room"),
        "{told}"
    );
    api.get("/healthz").await.expect(200);
    api.post("/v1/events", r#"{"type":"t","data":1}"#)
        .await
        .problem(507);
    api.store.backend().set_free_bytes(u64::MAX);
    assert_eq!(api.get("/readyz").await.expect(200)["status"], "ready");
    api.post("/v1/events", r#"{"type":"t","data":1}"#)
        .await
        .expect(202);
}

#[tokio::test]
async fn a_server_that_drains_takes_no_event_and_is_not_ready() {
    let api = Api::new().await;
    assert_eq!(api.get("/readyz").await.expect(200)["status"], "ready");
    api.draining.send_replace(true);
    let answer = api.post("/v1/events", r#"{"type":"t","data":1}"#).await;
    assert!(answer.problem(503).contains("shutting down"));
    api.get("/readyz").await.problem(503);
    assert_eq!(api.get("/healthz").await.expect(200)["status"], "ok");
}

#[tokio::test]
async fn a_batch_of_cloudevents_is_taken_whole_or_not_at_all_and_each_once() {
    let api = Api::new().await;
    let event = |id: u32| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"t","data":{id}}}"#)
    };
    let post = async |body: String| {
        let headers = [
            ("Content-Type", "application/cloudevents-batch+json"),
            ("Idempotency-Key", "of no account"),
        ];
        api.send("POST", "/v1/events", &headers, body.as_bytes())
            .await
    };
    let wrong = post(format!("[{},{{}}]", event(1))).await;
    assert!(wrong.places().contains(&"/1/type".to_owned()), "{wrong:?}");
    let taken = post(format!("[{},{}]", event(1), event(2)))
        .await
        .expect(202);
    let seqs = |taken: &serde_json::Value| -> Vec<_> {
        let events = taken["events"].as_array().unwrap().iter();
        let event = |event: &serde_json::Value| {
            (event["seq"].as_u64().unwrap(), event["duplicate"] == true)
        };
        events.map(event).collect()
    };
    assert_eq!(seqs(&taken), [(1, false), (2, false)]);
    let again = post(format!("[{},{}]", event(2), event(3)))
        .await
        .expect(202);
    assert_eq!(seqs(&again), [(2, true), (3, false)]);
    let none = post("[]".to_owned()).await.expect(202);
    assert!(seqs(&none).is_empty());
    let lost = [
        ("Content-Type", "application/cloudevents-batch+json"),
        ("Idempotency-Key", ""),
    ];
    let lost = api.send("POST", "/v1/events", &lost, b"[]").await;
    assert_eq!(lost.status, 422, "{lost:?}");
    // As it is known in lists: source and id.
    let found = api.get("/v1/events?key=/s%0A2").await.expect(200);
    assert_eq!(found["data"][0]["data"], 2);
}

#[tokio::test]
async fn a_type_that_no_filter_can_name_is_refused_and_the_longest_one_can_be_named() {
    let api = Api::new().await;
    for kind in ["a,b", "order.*", "*", " ", " a"] {
        let json = format!(r#"{{"type":"{kind}","data":1}}"#);
        let answer = api.post("/v1/events", &json).await;
        assert_eq!(answer.places(), ["/type"], "{kind:?}");
    }
    let longest = "t".repeat(255);
    let json = format!(
        r#"{{"name":"e","url":"http://127.0.0.1:9/","policy":"standard","events":["{longest}"]}}"#
    );
    api.add(&json).await;
    api.event(&longest).await;
    let found = api.get(&format!("/v1/deliveries?type={longest}")).await;
    assert_eq!(found.expect(200)["data"].as_array().unwrap().len(), 1);
}
