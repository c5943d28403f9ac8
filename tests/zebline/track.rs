//! What became of a request: looked up by its track id (ZEB-31, A-39).

use serde_json::json;

use crate::process::receiver::{Receiver, Reply};
use crate::shop::{event, open, post, queued, site};

#[test]
fn a_track_id_leads_to_the_event_and_its_deliveries_over_a_restart() {
    let site = site("");
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let broker = site.start(&["--clock", "manual"]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    let track = queued(&post(&broker, &[], &event(json!({}))));
    broker.advance("1ms");
    let path = format!("/v1/track/{track}");
    let found = broker.send("GET", &path, &[], b"").json();
    assert_eq!(
        (&found["trackID"], &found["status"]),
        (&json!(track), &json!("queued"))
    );
    assert_eq!(found["deliveries"][0]["status"], "waiting");
    broker.kill();
    let broker = site.start(&["--clock", "manual"]);
    broker.advance("1m");
    let found = broker.send("GET", &path, &[], b"").json();
    assert_eq!(found["status"], "processed");
    assert_eq!(found["event"]["data"], event(json!({})));
    assert_eq!(found["deliveries"][0]["status"], "delivered");
    let sent = receiver.posts().pop().unwrap().json();
    assert_eq!(
        (&sent["type"], &sent["data"]),
        (&json!("page_view"), &event(json!({})))
    );
    broker.stop();
}

#[test]
fn an_event_of_the_system_is_accepted_dropped_and_tells_so_a_34() {
    let (_site, broker) = open("");
    let body = event(json!({"eventName": "we_open"}));
    let [first, second] = [(); 2].map(|()| queued(&post(&broker, &[], &body)));
    assert_ne!(first, second);
    let found = broker
        .send("GET", &format!("/v1/track/{first}"), &[], b"")
        .json();
    assert_eq!(
        (&found["status"], found.get("event")),
        (&json!("dropped"), None)
    );
    assert!(broker.list("/v1/events").is_empty());
    broker.stop();
}

#[test]
fn an_id_that_was_never_given_is_not_found_and_what_is_none_is_told() {
    let (_site, broker) = open("");
    let unknown = "/v1/track/018cc251-f400-8000-8000-00017f3a9c21";
    let another = "/v1/track/f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    for path in [unknown, another] {
        broker.send("GET", path, &[], b"").problem(404);
    }
    let words = broker.send("GET", "/v1/track/x", &[], b"").problem(400);
    assert!(words.contains("is no track id"), "{words}");
    broker.stop();
}
