//! The first value that is received fixes an attribute's type (ZEB-14, ZEB-15).

use serde_json::{Value, json};

use crate::process::broker::Broker;
use crate::shop::{event, logged, open, post, queued, site};

fn send(broker: &Broker, name: &str, data: Value) {
    queued(&post(
        broker,
        &[],
        &event(json!({"eventName": name, "eventData": data})),
    ));
}

fn attribute(broker: &Broker, name: &str) -> Value {
    let all = broker.list("/v1/attributes?source=shop&event=order");
    let found = all.into_iter().find(|attribute| attribute["name"] == name);
    found.unwrap_or_else(|| panic!("no attribute {name}"))
}

#[test]
fn a_value_of_another_type_is_dropped_flagged_and_not_forgotten_over_a_kill() {
    let site = site("");
    let broker = site.start(&["--clock", "manual"]);
    send(&broker, "order", json!({"price": 1, "Price": "one"}));
    send(&broker, "order", json!({"price": "two", "currency": "EUR"}));
    // Another event's attributes are its own.
    send(&broker, "refund", json!({"price": "three"}));
    let reason = "it is of type string, and was first received as number";
    let check = |broker: &Broker| {
        let price = attribute(broker, "price");
        let told = (&price["type"], &price["dropped"], &price["last_reason"]);
        assert_eq!(told, (&json!("number"), &json!(1), &json!(reason)));
        assert_eq!(price["conventional"], true);
        assert_eq!(attribute(broker, "Price")["conventional"], false);
        let stored = logged(broker);
        assert_eq!(stored[1]["eventData"], json!({"currency": "EUR"}));
        let dropped = json!([{"name": "price", "reason": reason}]);
        assert_eq!(stored[1]["droppedAttributes"], dropped);
        assert_eq!(stored[2]["eventData"], json!({"price": "three"}));
    };
    check(&broker);
    broker.kill();
    let broker = site.start(&["--clock", "manual"]);
    // An answer waits for the log to be read.
    send(&broker, "other", json!({}));
    check(&broker);
    send(&broker, "order", json!({"price": true}));
    assert_eq!(attribute(&broker, "price")["dropped"], 2);
    assert_eq!(logged(&broker).pop().unwrap()["eventData"], json!({}));
    broker.stop();
}

#[test]
fn a_request_that_failed_fixes_no_type() {
    let (_site, broker) = open("");
    let failed =
        event(json!({"eventName": "order", "eventTime": "now", "eventData": {"price": "x"}}));
    assert_eq!(post(&broker, &[], &failed).status, 400);
    send(&broker, "order", json!({"price": 1}));
    assert_eq!(attribute(&broker, "price")["type"], "number");
    broker.stop();
}

#[test]
fn the_list_goes_on_where_it_ended() {
    let (_site, broker) = open("");
    send(
        &broker,
        "order",
        json!({"a": 1, "b": "x", "c": [1], "d": {"e": 1}, "e": true}),
    );
    let mut names = Vec::new();
    let mut path = "/v1/attributes?limit=2".to_owned();
    loop {
        let page = broker.send("GET", &path, &[], b"").json();
        names.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["name"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/attributes?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    broker.stop();
}
