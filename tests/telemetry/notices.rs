//! Operational events over what outlives them: their own deliveries, retention, attempts that nobody
//! settles.

use serde_json::{Value, json};

use crate::operations::{start, told_by};
use crate::process::broker::Broker;
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};

const ONCE: &str = "[policy.once]\nschedule = [\"1s\"]\ngive_up_after = 1\n";

fn add(broker: &Broker, name: &str, url: &str, policy: &str, events: &[&str]) {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": name, "url": url, "policy": policy, "events": events }),
    );
}

/// The operational events of the log, oldest first: type and name of the endpoint.
fn told(broker: &Broker) -> Vec<String> {
    let mut events = broker.list("/v1/events?limit=100&source=redeliver");
    events.sort_by_key(|event| event["seq"].as_u64());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = events.iter().map(|event| {
        let event = broker.get(&format!("/v1/events/{}", text(&event["id"])));
        let name = text(&event["data"]["endpoint"]["name"]);
        format!("{} {name}", text(&event["type"]))
    });
    each.collect()
}

#[test]
fn a_notice_that_is_a_dead_letter_is_never_told_whenever_somebody_looks() {
    let config = format!("[operations]\ndead_letters_every = \"1s\"\n{ONCE}");
    let (site, mut broker) = told_by(&config);
    let receiver = Receiver::always(500);
    add(&broker, "crm", &receiver.url(), "once", &["order.*"]);
    add(
        &broker,
        "chat",
        &receiver.url(),
        "once",
        &["delivery.*", "order.*"],
    );
    broker.event("order.paid", &json!(1));
    broker.advance("1m");
    let mut expected = vec!["delivery.dead chat", "delivery.dead crm"];
    let sorted = |broker: &Broker| {
        let mut told = told(broker);
        told.sort();
        told
    };
    assert_eq!(sorted(&broker), expected);
    // Something else to look at, and starts, at which everything is looked at.
    add(&broker, "other", &receiver.url(), "once", &["none"]);
    broker.advance("1m");
    assert_eq!(sorted(&broker), expected);
    for _ in 0..3 {
        broker.stop();
        broker = start(&site);
        broker.advance("1m");
        assert_eq!(sorted(&broker), expected);
    }
    // A dead letter of somebody's is told, and by itself.
    broker.event("order.paid", &json!(2));
    broker.advance("1m");
    expected = vec![
        "delivery.dead chat",
        "delivery.dead chat",
        "delivery.dead crm",
        "delivery.dead crm",
    ];
    assert_eq!(sorted(&broker), expected);
    let count = |name: &str| {
        let id = broker.endpoint(name)["id"].clone();
        let told = broker.list("/v1/events?limit=100&source=redeliver");
        let of_it = told.iter().filter(|event| event["subject"] == id);
        let last = of_it.max_by_key(|event| event["seq"].as_u64()).unwrap();
        let last = broker.get(&format!("/v1/events/{}", last["id"].as_str().unwrap()));
        (
            last["data"]["count"].clone(),
            last["data"]["dead_letters"].clone(),
        )
    };
    assert_eq!(count("crm"), (json!(1), json!(2)));
    // All that it has, those that are never told among them.
    let (dead, all) = count("chat");
    assert_eq!(dead, 1);
    assert!((4..=5).contains(&all.as_u64().unwrap()), "{all}");
}

#[test]
fn what_was_told_is_known_although_the_events_that_told_it_have_expired() {
    let config = format!(
        "[operations]\nfailing_after = \"10s\"\n[retention]\nmax_age = \"1h\"\n{ONCE}\
         [policy.often]\nschedule = [\"4s\"]\ngive_up_after = 10000\n"
    );
    let (site, broker) = told_by(&config);
    let receiver = Receiver::always(500);
    add(&broker, "paused", &receiver.url(), "often", &["none"]);
    add(&broker, "dead", &receiver.url(), "once", &["order.*"]);
    add(&broker, "fails", &receiver.url(), "often", &["order.*"]);
    broker.post("/v1/endpoints/paused/pause", &json!({}));
    broker.event("order.paid", &json!(1));
    broker.advance("1m");
    let mut all = told(&broker);
    all.sort();
    assert_eq!(
        all,
        [
            "delivery.dead dead",
            "endpoint.failing fails",
            "endpoint.paused paused"
        ]
    );
    broker.advance("6h");
    assert_eq!(told(&broker), Vec::<String>::new(), "they have expired");
    broker.stop();
    let broker = start(&site);
    broker.advance("1m");
    assert_eq!(told(&broker), Vec::<String>::new(), "nothing of it is news");
}

#[test]
fn an_attempt_whose_endpoint_is_removed_under_it_keeps_nobody_waiting() {
    let config = format!("[operations]\n{ONCE}");
    let (_site, broker) = told_by(&config);
    let answers = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let may_answer = answers.clone();
    let receiver = Receiver::start(move |seen, _| {
        while seen.method == "POST" && !may_answer.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Reply::Status(500)
    });
    add(&broker, "crm", &receiver.url(), "once", &["order.*"]);
    broker.event("order.paid", &json!(1));
    // Under way is what has reached the receiver: the broker counts an attempt before it connects.
    eventually("the attempt is under way", || {
        (receiver.posts().len() == 1).then_some(())
    });
    broker.call("DELETE", "/v1/endpoints/crm", &json!({}));
    answers.store(true, std::sync::atomic::Ordering::Relaxed);
    eventually("the attempt has ended", || {
        receiver.posts()[0].answered.map(drop)
    });
    broker.advance("0s");
    assert_eq!(told(&broker), ["endpoint.removed crm"]);
    // Nobody is waited for: with so much patience no client would be left.
    for _ in 0..20 {
        broker.post(
            "/v1/clock/advance",
            &json!({ "by": "2m", "patience": "60s" }),
        );
    }
}

#[test]
fn operational_events_that_waited_for_too_long_are_not_told_to_have() {
    let config = format!(
        "[retention]\nwaiting_max_age = \"1m\"\n[operations]\ndead_letters_every = \"1s\"\n{ONCE}"
    );
    let (site, mut broker) = told_by(&config);
    let receiver = Receiver::always(503);
    add(&broker, "crm", &receiver.url(), "once", &["order.*"]);
    add(
        &broker,
        "chat",
        &receiver.url(),
        "standard",
        &["delivery.*"],
    );
    broker.event("order.paid", &json!(1));
    broker.advance("10m");
    assert_eq!(
        broker.endpoint("chat")["dead"],
        1,
        "its notice was given up"
    );
    assert_eq!(told(&broker), ["delivery.dead crm"]);
    for _ in 0..2 {
        broker.stop();
        broker = start(&site);
        broker.advance("10m");
        assert_eq!(told(&broker), ["delivery.dead crm"]);
    }
}
