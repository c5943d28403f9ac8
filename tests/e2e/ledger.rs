//! What must hold of a log and its deliveries, whatever happened to the process.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::Value;

use crate::kills::delay_after;
use crate::process::broker::Broker;
use crate::process::receiver::Seen;

/// An event as its sender knows it.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub key: String,
    pub id: String,
    pub seq: u64,
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Acknowledged = delivered + waiting + dead, event by event and in the sums. Nothing may be put in
/// meanwhile. Says how it adds up.
pub fn check(broker: &Broker, acknowledged: &[Acknowledged]) -> String {
    let log = broker.list("/v1/events?order=asc&limit=1000");
    let keys: HashMap<&str, &Value> = log
        .iter()
        .map(|event| (text(&event["data"]["key"]), event))
        .collect();
    assert_eq!(keys.len(), log.len(), "an event is in the log twice");
    for (at, event) in log.iter().enumerate() {
        assert_eq!(count(&event["seq"]), at as u64 + 1, "a gap in the log");
    }
    for known in acknowledged {
        let event = keys.get(&*known.key);
        let event = event.unwrap_or_else(|| panic!("lost: {known:?}"));
        assert_eq!(event["id"], known.id);
        assert_eq!(event["seq"], known.seq);
    }
    let mut sums = Vec::new();
    for name in ["ordered", "free"] {
        let deliveries = broker.list(&format!("/v1/deliveries?endpoint={name}&limit=1000"));
        let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
        for delivery in &deliveries {
            *statuses.entry(text(&delivery["status"])).or_default() += 1;
        }
        let known = ["pending", "waiting", "in_flight", "delivered", "dead"];
        assert!(
            statuses.keys().all(|status| known.contains(status)),
            "{statuses:?}"
        );
        assert_eq!(deliveries.len(), log.len(), "{name}: {statuses:?}");
        // The queues, which are another projection, and which go on meanwhile.
        let endpoint = broker.endpoint(name);
        let sum = ["delivered", "dead", "backlog"].map(|part| count(&endpoint[part]));
        assert_eq!(sum.iter().sum::<u64>(), log.len() as u64, "{endpoint}");
        sums.push(format!("{name} {statuses:?}"));
    }
    sums.join(", ")
}

/// Whether what the receiver of endpoint `name` saw agrees with what the broker has on record, now
/// that all has ended. Gives, for each request that was a repeat, how long before the kill the one
/// before it was answered, if it was.
pub fn compare(broker: &Broker, name: &str, seen: &[Seen], kills: &[Timestamp]) -> Vec<Duration> {
    let mut by_delivery: HashMap<&str, Vec<&Seen>> = HashMap::new();
    for post in seen {
        let id = post.header("redeliver-delivery-id");
        by_delivery.entry(id).or_default().push(post);
    }
    let deliveries = broker.list(&format!("/v1/deliveries?endpoint={name}&limit=1000"));
    let mut repeats = Vec::new();
    for delivery in &deliveries {
        let posts = by_delivery
            .remove(text(&delivery["id"]))
            .unwrap_or_default();
        let success = posts
            .iter()
            .any(|post| matches!(post.answered, Some((200, _))));
        let dead = delivery["status"] == "dead";
        assert!(dead || delivery["status"] == "delivered", "{delivery}");
        assert_eq!(success, !dead, "{delivery} {posts:?}");
        for post in &posts {
            assert_eq!(
                post.header("redeliver-event-id"),
                text(&delivery["event_id"])
            );
            assert_eq!(post.json()["data"], posts[0].json()["data"]);
        }
        let last = posts.iter().map(|post| post.attempt()).max();
        assert_eq!(last.map(u64::from), delivery["attempt_count"].as_u64());
        recorded_in_time(name, delivery);
        repeats.extend(seen_in_time(name, &posts, kills));
    }
    assert!(
        by_delivery.is_empty(),
        "sent but not on record: {by_delivery:?}"
    );
    repeats
}

/// By the record: numbers without a gap, none begun before it was due.
fn recorded_in_time(name: &str, delivery: &Value) {
    let attempts = delivery["attempts"].as_array().unwrap();
    let time = |value: &Value| Timestamp::parse(text(value)).unwrap();
    for (at, attempt) in attempts.iter().enumerate() {
        assert_eq!(count(&attempt["number"]), at as u64 + 1, "{delivery}");
    }
    for (attempt, next) in attempts.iter().zip(attempts.iter().skip(1)) {
        let delay = delay_after(name, count(&attempt["number"]) as u32);
        let due = time(&attempt["ended_at"]).plus(delay);
        assert!(time(&next["started_at"]) >= due, "early: {delivery}");
    }
}

/// By the receiver's own clock: numbers without a gap, each attempt no sooner than its delay after
/// the one before it was answered, none twice without a kill in between. Gives for each repeat how
/// long before the kill the one before it was answered, if it was.
fn seen_in_time(name: &str, posts: &[&Seen], kills: &[Timestamp]) -> Vec<Duration> {
    let mut repeats = Vec::new();
    for (at, post) in posts.iter().enumerate() {
        let number = post.attempt();
        // One that was not answered ended later than it came in.
        let ended = |seen: &Seen| seen.answered.map_or(seen.arrived, |(_, at)| at);
        let latest = |number| posts[..at].iter().rev().find(|b| b.attempt() == number);
        if let Some(same) = latest(number) {
            let between = |kill: &&Timestamp| (same.arrived..=post.arrived).contains(*kill);
            let kill = kills.iter().find(between);
            let kill = kill.unwrap_or_else(|| panic!("repeated without a kill: {posts:?}"));
            let answered = same.answered.map(|(_, at)| kill.since(at));
            repeats.push(answered.unwrap_or_default());
        }
        if number == 1 {
            continue;
        }
        let failed = latest(number - 1);
        let failed = failed.unwrap_or_else(|| panic!("attempt {number} came first: {posts:?}"));
        let due = ended(failed).plus(delay_after(name, number - 1));
        assert!(
            post.arrived >= due,
            "{} before {due}: {posts:?}",
            post.arrived
        );
    }
    repeats
}

/// The order in which the receiver first took each event is the order of the log.
pub fn check_order(broker: &Broker, seen: &[Seen]) {
    let log = broker.list("/v1/events?order=asc&limit=1000");
    let mut taken: Vec<&str> = Vec::new();
    for post in seen {
        let event = post.header("redeliver-event-id");
        if matches!(post.answered, Some((200, _))) && !taken.contains(&event) {
            taken.push(event);
        }
    }
    let log: Vec<&str> = log.iter().map(|event| text(&event["id"])).collect();
    assert_eq!(taken, log);
}
