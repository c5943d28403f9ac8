//! Dead letters that no attempt made: told, counted and explained as what they are.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::receiver::Receiver;
use crate::scrape::Page;
use crate::shop::{broker, endpoint};

const BOUNDED: &str =
    "[retention]\nwaiting_max_age = \"1m\"\n\n[operations]\ndead_letters_every = \"1s\"\n";

/// A broker with an endpoint whose two deliveries have waited for too long by now.
fn overdue() -> (Site, Broker, Receiver, String) {
    let (site, broker) = broker(BOUNDED);
    let receiver = Receiver::always(503);
    endpoint(&broker, "crm", &receiver.url(), &["order.*"]);
    broker.event("order.paid", &json!(1));
    let last = broker.event("order.paid", &json!(2));
    broker.advance("3m");
    (site, broker, receiver, last)
}

#[test]
fn deliveries_that_waited_for_too_long_are_told_with_the_reason_and_counted_by_cause() {
    let (site, broker, _receiver, last) = overdue();
    let told = |broker: &Broker| broker.list("/v1/events?limit=100&source=redeliver");
    let dead = told(&broker);
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0]["type"], "delivery.dead");
    let event = broker.get(&format!("/v1/events/{}", dead[0]["id"].as_str().unwrap()));
    let data = &event["data"];
    let why = "not attempted: it had waited for longer than retention.waiting_max_age allows";
    assert_eq!(data["endpoint"]["name"], "crm");
    assert_eq!(
        (&data["count"], &data["dead_letters"], &data["reason"]),
        (&json!(2), &json!(2), &json!(why))
    );
    let told_last = &data["last"];
    assert_eq!(
        (
            &told_last["event_id"],
            &told_last["attempt"],
            &told_last["error"]
        ),
        (&json!(last), &json!(2), &json!(why))
    );
    let page = Page::of(&broker);
    let counted = |cause: &str| {
        let series = format!("redeliver_dead_letters_total{{endpoint=\"crm\",cause=\"{cause}\"}}");
        assert!(page.samples.contains_key(&series), "{}", page.text);
        page.value(&series)
    };
    assert_eq!(
        ["policy", "waiting_max_age", "operator"].map(counted),
        [0.0, 2.0, 0.0]
    );
    // Nothing was attempted, so no attempt is counted.
    let attempts = "redeliver_delivery_attempts_total{endpoint=\"crm\",outcome=\"dead\"}";
    assert_eq!(page.value(attempts), 0.0);
    broker.kill();
    let broker = site.start(&["--clock", "manual"]);
    broker.advance("1h");
    assert_eq!(told(&broker).len(), 1, "a kill tells nothing twice");
}

#[test]
fn a_dead_letter_that_no_attempt_made_shows_neither_a_rule_of_its_policy_nor_a_signature() {
    let (site, broker, receiver, last) = overdue();
    let delivery = broker.delivery_of(&last);
    let requests = receiver.posts().len();
    assert_eq!(requests, 4, "two attempts at each of two");
    assert_eq!(
        (&delivery["status"], &delivery["attempt_count"]),
        (&json!("dead"), &json!(2))
    );
    let numbers: Vec<&Value> = delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["number"])
        .collect();
    assert_eq!(numbers, [1, 2]);
    let given_up = &delivery["given_up"][0];
    assert_eq!(
        given_up["reason"],
        "it had waited for longer than retention.waiting_max_age allows"
    );
    let at = given_up["at"].as_str().unwrap();
    let explanation = format!(
        "given up at {at} after 2 attempts: it had waited for longer than retention.waiting_max_age allows; a retry or a replay sends it again"
    );
    assert_eq!(delivery["explanation"], explanation);
    let rule = delivery["rule"].as_str().unwrap();
    assert!(rule.starts_with("retention.waiting_max_age: "), "{rule}");
    assert!(delivery.get("signing").is_none(), "{delivery}");
    let server = format!("http://{}", broker.address);
    let id = delivery["id"].as_str().unwrap();
    let shown = site.run(&["delivery", "show", id, "--server", &server]);
    assert!(shown.out.contains("\n  given up  "), "{}", shown.out);
    assert!(!shown.out.contains("#3"), "{}", shown.out);
    assert!(!shown.out.contains("signature of"), "{}", shown.out);
    // Put back, it goes on, and what it was given up for stays in its history.
    broker.post(&format!("/v1/deliveries/{id}/retry"), &json!({}));
    broker.advance("1ms");
    let again = broker.delivery_of(&last);
    assert_eq!(
        (&again["attempt_count"], &again["given_up"][0]),
        (&json!(3), given_up)
    );
    assert_eq!(receiver.posts().len(), requests + 1);
}
