//! What must hold of a log and its queues at any time, whatever happened to the process.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::payload;
use crate::process::broker::Broker;
use crate::senders::Acknowledged;

/// An event as the log has it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub id: String,
    pub key: String,
}

pub fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// Each of these events is there under its id and number, with the bytes that were sent.
pub fn check_events(broker: &Broker, acknowledged: &[Acknowledged]) {
    for known in acknowledged {
        let answer = broker.send("GET", &format!("/v1/events/{}", known.id), &[], b"");
        assert_eq!(answer.status, 200, "lost: {known:?}: {}", answer.text());
        let shown = answer.text();
        assert!(
            shown.contains(&format!(r#""data":{}"#, payload::data(&known.key))),
            "{known:?} has other bytes: {}",
            &shown[..shown.len().min(500)]
        );
        assert_eq!(answer.json()["seq"], known.seq);
    }
}

/// The whole log, oldest first: without a gap, no event twice, every acknowledged one in its place.
pub fn check_log(broker: &Broker, acknowledged: &[Acknowledged]) -> Vec<Logged> {
    let events = broker.list("/v1/events?order=asc&limit=1000");
    let mut log = Vec::new();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(count(&event["seq"]), at as u64 + 1, "a gap in the log");
        let key = text(&event["data"]["key"]).to_owned();
        assert_eq!(count(&event["size"]), payload::data(&key).len() as u64);
        let id = text(&event["id"]).to_owned();
        log.push(Logged { id, key });
    }
    let keys: HashMap<&str, &Logged> = log.iter().map(|event| (&*event.key, event)).collect();
    assert_eq!(keys.len(), log.len(), "an event is in the log twice");
    for known in acknowledged {
        let event = keys.get(&*known.key);
        let event = event.unwrap_or_else(|| panic!("lost: {known:?}"));
        assert_eq!(event.id, known.id);
        assert_eq!(log[known.seq as usize - 1].key, known.key);
    }
    log
}

/// The deliveries of a present endpoint, which may go on meanwhile: one for every event from the
/// first of them on, and as many as its queue counts. Says how they add up.
pub fn check_deliveries(broker: &Broker, name: &str, events: usize) -> (Vec<Value>, String) {
    let deliveries = broker.list(&format!("/v1/deliveries?endpoint={name}&limit=1000"));
    let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, delivery) in deliveries.iter().enumerate() {
        let status = text(&delivery["status"]);
        *statuses.entry(status).or_default() += 1;
        let known = ["pending", "waiting", "in_flight", "delivered", "dead"];
        assert!(known.contains(&status), "{delivery}");
        let seq = count(&delivery["seq"]) as usize;
        assert_eq!(seq, events - at, "{name} has a gap: {statuses:?}");
    }
    // The queues, which are another projection.
    let endpoint = broker.endpoint(name);
    let sum = ["delivered", "dead", "backlog"].map(|part| count(&endpoint[part]));
    let sum = sum.iter().sum::<u64>() as usize;
    assert_eq!(sum, deliveries.len(), "{statuses:?} {endpoint}");
    let sums = format!("{name} {statuses:?}");
    (deliveries, sums)
}

/// Now that all has ended: the counts of the queue are those of the records.
pub fn check_counts(endpoint: &Value, deliveries: &[Value]) {
    for status in ["delivered", "dead"] {
        let listed = deliveries.iter().filter(|d| d["status"] == status);
        assert_eq!(count(&endpoint[status]), listed.count() as u64);
    }
    assert_eq!(count(&endpoint["backlog"]), 0);
}
