//! One kill of the real process, between or during attempts.

use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply, Seen};

/// One event to one endpoint under a policy of one delay.
fn one_event(site: &Site, receiver: &Receiver, delay: &str) -> (Broker, String) {
    site.configure(&format!(
        "[policy.p]\norder = \"in-order\"\nschedule = [\"{delay}\"]\n\n\
         [[endpoint]]\nname = \"e\"\nurl = \"{}\"\npolicy = \"p\"\n",
        receiver.url()
    ));
    let broker = site.start(&[]);
    let event = broker.event("t", &json!({"n": 1}));
    (broker, event)
}

fn ids(seen: &Seen) -> [&str; 4] {
    [
        "redeliver-event-id",
        "redeliver-delivery-id",
        "webhook-id",
        "content-type",
    ]
    .map(|name| seen.header(name))
}

#[test]
fn an_attempt_that_was_under_way_at_a_kill_is_repeated_under_its_own_number_and_ids() {
    let site = Site::new();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Status(500),
        1 => Reply::Hang,
        _ => Reply::Status(200),
    });
    let (broker, event) = one_event(&site, &receiver, "50ms");
    eventually("the second attempt is under way", || {
        (receiver.posts().len() == 2).then_some(())
    });
    // That the first one has ended is written before it is shown.
    assert_eq!(broker.delivery_of(&event)["attempt_count"], 1);
    broker.kill();
    let broker = site.start(&[]);
    let delivery = broker.delivery_once(&event, "delivered");
    assert_eq!(delivery["attempt_count"], 2);
    let posts = receiver.posts();
    let numbers: Vec<_> = posts.iter().map(Seen::attempt).collect();
    assert_eq!(numbers, [1, 2, 2]);
    assert_eq!(ids(&posts[1]), ids(&posts[2]));
    assert_eq!(posts[1].body, posts[2].body);
    let statuses: Vec<&Value> = delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["status"])
        .collect();
    assert_eq!(statuses, [500, 200]);
    broker.stop();
}

#[test]
fn a_kill_between_attempts_makes_the_next_one_neither_early_nor_another() {
    let site = Site::new();
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let (broker, event) = one_event(&site, &receiver, "15s");
    let waiting = broker.delivery_once(&event, "waiting");
    let ended = Timestamp::parse(waiting["attempts"][0]["ended_at"].as_str().unwrap()).unwrap();
    broker.kill();
    // Again, so that a due time is not counted from the start of the process.
    let broker = site.start(&[]);
    assert_eq!(
        broker.delivery_of(&event)["next_attempt_at"],
        waiting["next_attempt_at"]
    );
    broker.kill();
    let broker = site.start(&[]);
    assert_eq!(receiver.posts().len(), 1);
    let delivery = broker.delivery_once(&event, "delivered");
    assert_eq!(delivery["attempt_count"], 2);
    let posts = receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[1].attempt(), 2);
    assert_eq!(ids(&posts[0]), ids(&posts[1]));
    let due = ended.plus(Duration::from_secs(15));
    assert!(posts[1].arrived >= due, "{} before {due}", posts[1].arrived);
    println!("{:?} after it was due", posts[1].arrived.since(due));
    broker.stop();
}
