//! `GET /v1/activity`.

use serde_json::{Value, json};

use crate::shop::{broker, endpoint, picky};

/// The steps that are not zero, counted from the newest.
fn steps(counts: &Value) -> Vec<(usize, u64)> {
    let counts = counts.as_array().unwrap().iter().rev().enumerate();
    let counts = counts.map(|(behind, count)| (behind, count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn what_comes_in_and_what_is_attempted_is_counted_step_by_step_on_the_brokers_clock() {
    let (_site, broker) = broker("");
    let receiver = picky();
    endpoint(&broker, "a", &receiver.url(), &["good", "bad"]);
    endpoint(&broker, "idle", &receiver.url(), &["nothing"]);
    broker.event("good", &json!(1));
    broker.event("good", &json!(2));
    broker.advance("0s");
    broker.advance("30m");
    broker.event("bad", &json!(3));
    // Behind its first attempt it waits for 5 s, 5 min and 30 min, each longer or shorter by a tenth.
    broker.advance("10m");
    let hour = broker.get("/v1/activity");
    assert_eq!((&hour["step"], &hour["more"]), (&json!("1m"), &json!(0)));
    assert_eq!(hour["ingested"].as_array().unwrap().len(), 60);
    assert_eq!(steps(&hour["ingested"]), [(10, 1), (40, 2)]);
    let endpoints = hour["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 1, "{hour}");
    assert_eq!(endpoints[0]["name"], "a");
    assert_eq!(endpoints[0]["id"], broker.endpoint("a")["id"]);
    assert_eq!(steps(&endpoints[0]["delivered"]), [(40, 2)]);
    let failed: u64 = steps(&endpoints[0]["failed"]).iter().map(|(_, n)| n).sum();
    assert_eq!(failed, 3);
    for (window, step, length) in [("24h", "15m", 96), ("7d", "2h", 84)] {
        let shown = broker.get(&format!("/v1/activity?window={window}"));
        assert_eq!(shown["step"], step);
        let endpoint = &shown["endpoints"][0];
        for counts in [
            &shown["ingested"],
            &endpoint["delivered"],
            &endpoint["failed"],
        ] {
            assert_eq!(counts.as_array().unwrap().len(), length);
            let sum: u64 = steps(counts).iter().map(|(_, n)| n).sum();
            assert!((2..=3).contains(&sum), "{counts}");
        }
    }
    broker.advance("2h");
    let hour = broker.get("/v1/activity");
    assert_eq!(steps(&hour["ingested"]), []);
}

#[test]
fn the_answer_is_bounded_by_limit_and_narrowed_to_an_endpoint() {
    let (_site, broker) = broker("");
    let receiver = picky();
    for name in ["a", "b", "c"] {
        endpoint(&broker, name, &receiver.url(), &[name]);
        broker.event(name, &json!(1));
        broker.advance("1s");
    }
    let names = |query: &str| {
        let shown = broker.get(&format!("/v1/activity?{query}"));
        let names = shown["endpoints"].as_array().unwrap().iter();
        let names = names.map(|endpoint| endpoint["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), shown["more"].as_u64().unwrap())
    };
    assert_eq!(names("").0, ["c", "b", "a"]);
    assert_eq!(names("limit=2"), (vec!["c".into(), "b".into()], 1));
    assert_eq!(names("endpoint=b"), (vec!["b".into()], 0));
    let wrong = broker.send("GET", "/v1/activity?window=2h&limit=0", &[], b"");
    let detail = wrong.problem(422);
    assert_eq!(detail, "2 fields are not right; see errors");
    assert!(wrong.text().contains("did you mean"), "{}", wrong.text());
    broker
        .send("GET", "/v1/activity?endpoint=x", &[], b"")
        .problem(422);
}
