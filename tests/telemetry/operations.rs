//! Operational events: told once, to those who name them, over restarts and kills, without end to
//! themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};

const TOLD: &str = "[operations]\nfailing_after = \"5m\"\ndead_letters_every = \"1m\"\n";

pub fn start(site: &Site) -> Broker {
    site.start(&["--clock", "manual"])
}

pub fn told_by(config: &str) -> (Site, Broker) {
    let site = Site::new();
    site.configure(config);
    let broker = start(&site);
    (site, broker)
}

/// A receiver that answers every POST with the status that it is given meanwhile.
fn answering(status: u16) -> (Receiver, Arc<AtomicU16>) {
    let answer = Arc::new(AtomicU16::new(status));
    let status = answer.clone();
    let receiver = Receiver::start(move |seen, _| match &*seen.method {
        "POST" => Reply::Status(status.load(Ordering::Relaxed)),
        _ => Reply::Status(200),
    });
    (receiver, answer)
}

fn add(broker: &Broker, name: &str, url: &str, policy: &str, events: &[&str]) {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": name, "url": url, "policy": policy, "events": events }),
    );
}

/// The operational events of the log: type, name of the endpoint, data.
fn told(broker: &Broker) -> Vec<(String, String, Value)> {
    let mut events = broker.list("/v1/events?limit=100&source=redeliver&order=asc");
    events.sort_by_key(|event| event["seq"].as_u64());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = events.iter().map(|event| {
        let event = broker.get(&format!("/v1/events/{}", text(&event["id"])));
        let data = event["data"].clone();
        assert_eq!(event["subject"], data["endpoint"]["id"]);
        (text(&event["type"]), text(&data["endpoint"]["name"]), data)
    });
    each.collect()
}

fn kinds(broker: &Broker) -> Vec<String> {
    let told = told(broker).into_iter();
    told.map(|(kind, name, _)| format!("{kind} {name}"))
        .collect()
}

#[test]
fn an_endpoint_that_fails_for_five_minutes_is_told_once_and_its_recovery_too() {
    let (site, broker) = told_by(TOLD);
    let (receiver, answer) = answering(503);
    let (watcher, _) = answering(200);
    add(&broker, "crm", &receiver.url(), "hotjar", &["order.*"]);
    add(&broker, "chat", &watcher.url(), "standard", &["endpoint.*"]);
    add(&broker, "all", &watcher.url(), "standard", &["*"]);
    broker.event("order.paid", &json!(1));
    // Attempts at 0 s, 30 s, 90 s and 210 s: each fails, but not for five minutes yet. The next
    // one is made at 510 s, which nobody waits for.
    broker.advance("4m");
    assert_eq!(kinds(&broker), Vec::<String>::new());
    broker.advance("10m");
    let all = told(&broker);
    assert_eq!(all.len(), 1, "{all:?}");
    let (kind, name, data) = &all[0];
    assert_eq!((&**kind, &**name), ("endpoint.failing", "crm"));
    assert_eq!(data["failed_attempts"], 4);
    assert_eq!(data["last"]["status"], 503);
    assert_eq!(data["last"]["event_type"], "order.paid");
    assert_eq!(data["backlog"], 1);
    // Nothing is told again by a kill, and what was told is known behind it.
    broker.kill();
    let broker = start(&site);
    broker.advance("5m");
    answer.store(200, Ordering::Relaxed);
    broker.event("order.paid", &json!(2));
    broker.advance("0s");
    let expected = ["endpoint.failing crm", "endpoint.recovered crm"];
    assert_eq!(kinds(&broker), expected);
    broker.stop();
    let broker = start(&site);
    broker.event("order.paid", &json!(3));
    broker.advance("1h");
    assert_eq!(kinds(&broker), expected);
    // Who names them gets them; `*` is for what senders bring.
    let got = |url: &str| {
        let posts = watcher.posts().into_iter();
        let posts = posts.filter(|seen| seen.json()["type"].as_str().unwrap().starts_with(url));
        posts.count()
    };
    assert_eq!((got("endpoint."), got("order.")), (2, 3));
}

const OFTEN: &str = "[operations]\nfailing_after = \"10s\"\n[policy.often]\n\
    schedule = [\"4s\"]\ngive_up_after = 1000\n";

/// When an event of this type was told, and its `data`.
fn moment(broker: &Broker, kind: &str) -> (Timestamp, Value) {
    let mut found = broker.list(&format!("/v1/events?type={kind}"));
    assert_eq!(found.len(), 1, "{found:?}");
    let at = Timestamp::parse(found[0]["received_at"].as_str().unwrap());
    (at.unwrap(), found[0]["data"].take())
}

#[test]
fn an_endpoint_is_told_to_be_failing_when_its_time_is_up_however_others_come_and_go() {
    let (_site, broker) = told_by(OFTEN);
    let (receiver, _) = answering(500);
    let (other, answer) = answering(200);
    add(&broker, "crm", &receiver.url(), "often", &["order.*"]);
    add(&broker, "flaps", &other.url(), "often", &["other"]);
    broker.event("order.paid", &json!(1));
    for round in 0..20 {
        let status = if round % 3 == 0 { 200 } else { 500 };
        answer.store(status, Ordering::Relaxed);
        broker.event("other", &json!(round));
        broker.advance("1s");
    }
    assert_eq!(kinds(&broker), ["endpoint.failing crm"]);
    let (at, data) = moment(&broker, "endpoint.failing");
    let since = Timestamp::parse(data["since"].as_str().unwrap()).unwrap();
    assert_eq!(at.since(since), Duration::from_secs(10));
    // At 0, 4 and 8 s: the one at 12 s is not waited for.
    assert_eq!(data["failed_attempts"], 3);
}

#[test]
fn one_failure_alone_is_no_failing_endpoint_however_long_ago_it_was() {
    let (_site, broker) = told_by(OFTEN);
    let (receiver, _) = answering(500);
    add(&broker, "crm", &receiver.url(), "hotjar", &["order.*"]);
    broker.event("order.paid", &json!(1));
    broker.advance("29s");
    // Whatever else there is to look at meanwhile.
    add(&broker, "other", &receiver.url(), "hotjar", &["none"]);
    broker.advance("500ms");
    assert_eq!(kinds(&broker), Vec::<String>::new());
    broker.advance("500ms");
    assert_eq!(kinds(&broker), ["endpoint.failing crm"]);
    assert_eq!(moment(&broker, "endpoint.failing").1["failed_attempts"], 2);
}

#[test]
fn an_endpoint_that_is_paused_in_time_is_not_told_to_be_failing() {
    let (_site, broker) = told_by(OFTEN);
    let (receiver, _) = answering(500);
    add(&broker, "crm", &receiver.url(), "often", &["order.*"]);
    broker.event("order.paid", &json!(1));
    broker.advance("9s");
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    broker.advance("1h");
    assert_eq!(kinds(&broker), ["endpoint.paused crm"]);
}

#[test]
fn what_redeliver_has_noticed_can_be_told_from_what_a_sender_calls_so() {
    let (_site, broker) = told_by(TOLD);
    let (watcher, _) = answering(200);
    add(&broker, "crm", &watcher.url(), "hotjar", &["none"]);
    add(&broker, "chat", &watcher.url(), "standard", &["endpoint.*"]);
    let forged = json!({ "type": "endpoint.paused", "data": { "endpoint": { "name": "crm" } } });
    let headers = [
        ("content-type", "application/json"),
        ("redeliver-event-source", "redeliver"),
    ];
    let answer = broker.send(
        "POST",
        "/v1/events",
        &headers,
        forged.to_string().as_bytes(),
    );
    assert_eq!(answer.status, 202);
    broker.advance("0s");
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    broker.advance("0s");
    let posts = watcher.posts();
    let sources: Vec<_> = posts
        .iter()
        .map(|seen| seen.header("redeliver-event-source"))
        .collect();
    assert_eq!(sources, ["", "redeliver"]);
    // No endpoint of the API or the configuration may set it either.
    let own = json!({ "name": "x", "url": watcher.url(), "policy": "standard",
        "headers": { "Redeliver-Event-Source": "redeliver" } });
    broker.call("POST", "/v1/endpoints", &own).problem(422);
}

#[test]
fn an_endpoint_that_fails_at_its_own_notices_makes_no_more_of_them() {
    let (_site, broker) = told_by(TOLD);
    let (receiver, _) = answering(500);
    let everything = ["order.*", "endpoint.*", "delivery.*"];
    add(&broker, "crm", &receiver.url(), "hotjar", &everything);
    broker.event("order.paid", &json!(1));
    // Every delivery dies: the order's, and those of what is told of it.
    broker.advance("24h");
    let expected = ["endpoint.failing crm", "delivery.dead crm"];
    assert_eq!(kinds(&broker), expected);
    let dead = broker.list("/v1/deliveries?limit=100&status=dead");
    assert_eq!(dead.len(), 3);
    // Those of the notices are dead letters, and yet not told.
    broker.advance("240h");
    assert_eq!(kinds(&broker).len(), 2);
}

#[test]
fn a_storm_of_dead_letters_is_told_once_a_minute_with_its_count() {
    let (site, broker) = told_by(TOLD);
    let (receiver, _) = answering(500);
    let policy = "[policy.once]\norder = \"independent\"\nsuccess = \"2xx\"\nschedule = [\"1s\"]\ngive_up_after = 1\n";
    broker.stop();
    site.configure(&format!("{TOLD}{policy}"));
    let broker = start(&site);
    add(&broker, "crm", &receiver.url(), "once", &["order.*"]);
    for number in 0..50 {
        broker.event("order.paid", &json!(number));
        broker.advance("0s");
    }
    let counts = |broker: &Broker| {
        let told = told(broker).into_iter();
        let dead = told.filter(|(kind, ..)| kind == "delivery.dead");
        let count = |data: &Value| (data["count"].as_u64(), data["dead_letters"].as_u64());
        dead.map(|(.., data)| count(&data)).collect::<Vec<_>>()
    };
    assert_eq!(counts(&broker), [(Some(1), Some(1))]);
    // A kill between the two neither forgets the others nor repeats the first.
    broker.kill();
    let broker = start(&site);
    broker.advance("2m");
    let all = [(Some(1), Some(1)), (Some(49), Some(50))];
    assert_eq!(counts(&broker), all);
    broker.advance("2h");
    assert_eq!(counts(&broker), all);
}

#[test]
fn pauses_resumptions_and_removals_are_told_with_their_reason() {
    let (site, broker) = told_by(TOLD);
    let (gone, _) = answering(410);
    let (fine, _) = answering(200);
    add(&broker, "leaves", &gone.url(), "hotjar", &["order.*"]);
    add(&broker, "pauses", &gone.url(), "standard", &["order.*"]);
    add(&broker, "fine", &fine.url(), "standard", &["order.*"]);
    broker.post("/v1/endpoints/fine/pause", &json!({}));
    broker.advance("0s");
    broker.post("/v1/endpoints/fine/resume", &json!({}));
    broker.event("order.paid", &json!(1));
    broker.advance("1s");
    let mut all = kinds(&broker);
    assert_eq!(all[..2], ["endpoint.paused fine", "endpoint.resumed fine"]);
    all.sort();
    assert_eq!(
        all[1..3],
        ["endpoint.paused pauses", "endpoint.removed leaves"]
    );
    for (kind, name, data) in told(&broker) {
        let by_receiver = ["leaves", "pauses"].contains(&&*name);
        let reason = data["reason"].as_str().unwrap_or_default();
        assert_eq!(
            reason.contains("answered 410"),
            by_receiver,
            "{kind} {data}"
        );
    }
    broker.kill();
    let broker = start(&site);
    broker.advance("1h");
    assert_eq!(kinds(&broker).len(), 4);
}

#[test]
fn a_disk_that_is_low_is_told_once_over_restarts_and_its_recovery_too() {
    let site = Site::new();
    let free_bytes = {
        let broker = start(&site);
        let free = broker.get("/v1/status")["store"]["free_bytes"].as_u64();
        broker.stop();
        free.unwrap()
    };
    // Half of what is free would have to be used up by others to change what follows.
    let reserve = |bytes: u64| format!("{TOLD}[limits]\ndisk_reserve_bytes = {bytes}\n");
    site.configure(&reserve(free_bytes / 2));
    let broker = start(&site);
    let (watcher, _) = answering(200);
    add(&broker, "chat", &watcher.url(), "standard", &["store.*"]);
    add(&broker, "all", &watcher.url(), "standard", &["*"]);
    let kinds = |broker: &Broker| {
        let mut told = broker.list("/v1/events?limit=100&source=redeliver&order=asc");
        told.sort_by_key(|event| event["seq"].as_u64());
        let kind = |event: &Value| event["type"].as_str().unwrap().to_owned();
        told.iter().map(kind).collect::<Vec<_>>()
    };
    let told = |broker: &Broker, count: usize| {
        eventually("it is told", || {
            Some(kinds(broker)).filter(|kinds| kinds.len() == count)
        })
    };
    assert_eq!(told(&broker, 1), ["store.disk_low"]);
    let id = broker.list("/v1/events?limit=1&source=redeliver")[0]["id"].clone();
    let event = broker.get(&format!("/v1/events/{}", id.as_str().unwrap()));
    assert_eq!(event["data"]["reserve_bytes"], free_bytes / 2);
    assert!(event["data"]["free_bytes"].as_u64().unwrap() < 2 * free_bytes);
    assert!(event["subject"].is_null() && event["data"]["endpoint"].is_null());
    // It stands in the log: a kill tells nothing twice.
    broker.kill();
    let broker = start(&site);
    broker.event("order.paid", &json!(1));
    broker.advance("1h");
    assert_eq!(kinds(&broker), ["store.disk_low"]);
    broker.stop();
    site.configure(&reserve(1 << 20));
    let broker = start(&site);
    let expected = ["store.disk_low", "store.disk_recovered"];
    assert_eq!(told(&broker, 2), expected);
    broker.advance("1h");
    assert_eq!(kinds(&broker), expected);
    // `*` is for what senders bring.
    let posts = watcher.posts().into_iter();
    let all = posts.filter(|seen| seen.json()["type"] == "order.paid");
    assert_eq!(all.count(), 1);
}

#[test]
fn without_its_table_nothing_is_told_and_mistakes_in_it_are() {
    let (site, broker) = told_by("");
    let (gone, _) = answering(410);
    add(&broker, "leaves", &gone.url(), "hotjar", &["*"]);
    broker.event("order.paid", &json!(1));
    broker.advance("1h");
    assert_eq!(kinds(&broker), Vec::<String>::new());
    broker.stop();
    // What was removed before anybody asked is no news.
    site.configure(TOLD);
    let broker = start(&site);
    broker.advance("1h");
    assert_eq!(kinds(&broker), Vec::<String>::new());
    broker.stop();
    site.configure("[operations]\nfailing_after = \"0.1s\"\nfailing = 1\n[[source]]\nname = \"redeliver\"\nkind = \"raw\"\n");
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2);
    for said in [
        "2: failing_after \"100ms\" is not within 1s to 24h; choose another",
        "3: unknown key \"failing\" in [operations]; use one of \"failing_after\", \"dead_letters_every\"",
        "source \"redeliver\" is redeliver's own; choose another name",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}
