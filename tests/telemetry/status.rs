//! `GET /v1/status`.

use serde_json::json;

use crate::shop::{broker, endpoint, picky};

#[test]
fn the_status_counts_deliveries_over_all_endpoints_and_names_clock_store_and_version() {
    let (_site, broker) = broker("[limits]\ndisk_reserve_bytes = 33554432\nstreams_max = 7\n");
    let receiver = picky();
    endpoint(&broker, "a", &receiver.url(), &["good", "bad"]);
    endpoint(&broker, "b", &receiver.url(), &["good"]);
    broker.post("/v1/endpoints/b/pause", &json!({}));
    broker.event("good", &json!(1));
    broker.event("bad", &json!(1));
    broker.advance("0s");
    let status = broker.get("/v1/status");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        status["clock"],
        json!({ "kind": "manual", "speed": "manual" })
    );
    assert_eq!(status["endpoints"], json!({ "active": 1, "paused": 1 }));
    let deliveries = &status["deliveries"];
    for (state, count) in [
        ("pending", 1),
        ("waiting", 1),
        ("in_flight", 0),
        ("delivered", 1),
        ("dead", 0),
        ("removed", 0),
    ] {
        assert_eq!(deliveries[state], count, "{state}: {status}");
    }
    assert!(deliveries["next_due_at"].as_str() > status["now"].as_str());
    assert_eq!(status["streams"], json!({ "open": 0, "max": 7 }));
    let store = &status["store"];
    assert_eq!(
        (&store["first_seq"], &store["last_seq"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(store["reserve_bytes"], 33_554_432);
    assert_eq!(store["stopped"], json!(null));
    assert!(store["oldest_at"].as_str() >= status["started_at"].as_str());
}
