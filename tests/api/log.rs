//! `GET /v1/events`.

use std::time::Duration;

use redeliver::clock::Clock;

use crate::harness::Api;

async fn seqs(api: &Api, query: &str) -> (Vec<u64>, Option<String>) {
    let list = api.get(&format!("/v1/events?{query}")).await.expect(200);
    let data = list["data"].as_array().unwrap().iter();
    (
        data.map(|event| event["seq"].as_u64().unwrap()).collect(),
        list["next"].as_str().map(str::to_owned),
    )
}

#[tokio::test]
async fn events_are_listed_newest_first_in_parts_without_gaps() {
    let api = Api::new().await;
    for _ in 0..7 {
        api.event("t").await;
    }
    let (first, next) = seqs(&api, "limit=3").await;
    assert_eq!(first, [7, 6, 5]);
    api.event("t").await;
    let (second, next) = seqs(&api, &format!("limit=3&cursor={}", next.unwrap())).await;
    assert_eq!(second, [4, 3, 2]);
    let last = seqs(&api, &format!("limit=3&cursor={}", next.unwrap())).await;
    assert_eq!(last, (vec![1], None));
    let (oldest, next) = seqs(&api, "limit=5&order=asc").await;
    assert_eq!(oldest, [1, 2, 3, 4, 5]);
    let rest = seqs(&api, &format!("order=asc&cursor={}", next.unwrap())).await;
    assert_eq!(rest, (vec![6, 7, 8], None));
}

#[tokio::test]
async fn events_are_filtered_by_type_source_and_time() {
    let api = Api::new().await;
    for kind in ["order.paid", "user.made", "order.sent"] {
        api.event(kind).await;
        api.clock.set(api.clock.now().plus(Duration::from_secs(60)));
    }
    assert_eq!(seqs(&api, "type=order.*").await.0, [3, 1]);
    assert_eq!(seqs(&api, "type=user.made,order.paid").await.0, [2, 1]);
    assert!(seqs(&api, "source=shop").await.0.is_empty());
    assert_eq!(seqs(&api, "source=api&type=user.made").await.0, [2]);
    assert_eq!(seqs(&api, "since=2023-11-14T22:14:20Z").await.0, [3, 2]);
    assert_eq!(seqs(&api, "until=2023-11-14T22:14:20Z").await.0, [1]);
    assert!(seqs(&api, "since=2030-01-01T00:00:00Z").await.0.is_empty());
    let places = api.get("/v1/events?since=now&order=up").await.places();
    assert_eq!(places, ["?since", "?order"]);
}

#[tokio::test]
async fn a_page_ends_before_its_bodies_take_the_memory() {
    let api = Api::new().await;
    let body = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(60_000));
    for _ in 0..80 {
        api.post("/v1/events", &body).await.expect(202);
    }
    let (first, next) = seqs(&api, "limit=1000").await;
    assert!(first.len() < 80 && next.is_some());
    let (rest, next) = seqs(&api, &format!("limit=1000&cursor={}", next.unwrap())).await;
    assert_eq!((first.len() + rest.len(), next), (80, None));
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_its_position() {
    let api = Api::new().await;
    let id = api.event("t").await["id"].as_str().unwrap().to_owned();
    let event = api.get(&format!("/v1/events/{id}")).await.expect(200);
    assert_eq!(event["type"], "t");
    assert_eq!(api.get("/v1/events/1").await.expect(200), event);
    // The same position in another store.
    let mut foreign = id.into_bytes();
    let last = foreign.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let foreign = String::from_utf8(foreign).unwrap();
    api.get(&format!("/v1/events/{foreign}")).await.problem(404);
}

#[tokio::test]
async fn an_expired_event_is_answered_410_with_the_day_on_which_it_went_and_lists_leave_it_out() {
    let options = redeliver::store::Options {
        retention: redeliver::store::Retention {
            max_age: Some(Duration::from_secs(3600)),
            ..Default::default()
        },
        ..Default::default()
    };
    let api = Api::with(crate::harness::Setup {
        options,
        ..Default::default()
    })
    .await;
    for _ in 0..5 {
        api.event("t").await;
    }
    api.clock
        .set(api.clock.now().plus(Duration::from_secs(7200)));
    api.event("t").await;
    redeliver::store::Store::maintain(&*api.store).unwrap();
    let gone = api.get("/v1/events/3").await.expect(410);
    let detail = gone["detail"].as_str().unwrap();
    assert!(
        detail.contains("expired by retention on 2023-11-15"),
        "{detail}"
    );
    for of in ["body", "deliveries"] {
        api.get(&format!("/v1/events/3/{of}")).await.expect(410);
    }
    api.get("/v1/events/7").await.expect(404);
    for query in [
        "limit=3",
        "order=asc",
        "since=2023-11-14T22:13:20Z",
        "until=2030-01-01T00:00:00Z",
    ] {
        assert_eq!(seqs(&api, query).await, (vec![6], None), "{query}");
    }
    assert_eq!(
        seqs(&api, "until=2023-11-14T23:00:00Z").await.0,
        Vec::<u64>::new()
    );
}
