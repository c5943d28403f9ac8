//! Of a running server, by the binary over the network.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::process::broker::{Broker, Ran, Site};
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply};
use crate::process::{eventually, now};

const TOKEN: &str = "t0ken";
const AUTH: (&str, &str) = ("authorization", "Bearer t0ken");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server that has an admin token.
pub fn site() -> Site {
    let mut site = Site::new();
    site.set_env("REDELIVER_TOKEN", TOKEN);
    site.configure("[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n");
    site
}

pub fn ask(broker: &Broker, method: &str, path: &str, body: &Value) -> Value {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let answer = broker.send(method, path, &[AUTH, JSON], body.as_bytes());
    assert!(answer.status < 300, "{path}: {}", answer.text());
    answer.json()
}

pub fn backup(site: &Site, broker: &Broker, dir: &Path) -> Ran {
    let url = format!("http://{}", broker.address);
    let dir = dir.to_str().unwrap();
    site.run(&["store", "backup", "--server", &url, "--json", dir])
}

/// What the API says of everything in a store.
fn everything(broker: &Broker) -> Vec<Value> {
    let mut all = Vec::new();
    for list in ["events", "deliveries", "endpoints"] {
        let mut next = String::new();
        loop {
            let page = ask(
                broker,
                "GET",
                &format!("/v1/{list}?limit=100{next}"),
                &Value::Null,
            );
            for item in page["data"].as_array().unwrap() {
                let id = item["id"].as_str().unwrap();
                let mut object = ask(broker, "GET", &format!("/v1/{list}/{id}"), &Value::Null);
                // What depends on the time of asking: a clock that is behind forgives.
                for moving in [
                    "clock",
                    "signing",
                    "rule",
                    "explanation",
                    "next_attempt_at",
                    "oldest_waiting_at",
                ] {
                    object.as_object_mut().unwrap().remove(moving);
                }
                all.push(object);
            }
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
        }
    }
    all
}

#[test]
fn a_server_started_on_a_backup_says_the_same_of_everything() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::start(|request, _| match request.body.len() > 1_000 {
        true => Reply::Status(500),
        false => Reply::Status(200),
    });
    let endpoint = json!({
        "name": "crm", "url": receiver.url(), "policy": "standard",
        "signing_key": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0",
    });
    ask(&broker, "POST", "/v1/endpoints", &endpoint);
    for number in 0..120 {
        // One in ten has a body of several records.
        let text = "x".repeat(if number % 10 == 0 { 20_000 } else { 10 });
        let event = json!({"type": "order.paid", "data": {"number": number, "text": text}});
        ask(&broker, "POST", "/v1/events", &event);
    }
    let hour = json!({"by": "1h", "patience": "60s"});
    ask(&broker, "POST", "/v1/clock/advance", &hour);
    let copy = Site::new();
    let ran = backup(&site, &broker, &copy.path("data"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(summary["last_seq"], 120);
    assert_eq!(summary["events"], 120);
    assert_eq!(summary["findings"], json!([]));
    assert!(!copy.path("data.partial").exists());
    let before = everything(&broker);
    assert!(before.len() > 240, "{}", before.len());
    broker.stop();
    let mut copy = copy;
    copy.set_env("REDELIVER_TOKEN", TOKEN);
    copy.configure("[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n");
    assert_eq!(copy.verify().code, 0);
    let restored = copy.start(&["--clock", "manual"]);
    assert!(
        copy.log().contains("this store is a backup"),
        "{}",
        copy.log()
    );
    for (after, before) in everything(&restored).iter().zip(&before) {
        assert_eq!(after, before);
    }
}

#[test]
fn what_was_acknowledged_before_a_backup_is_in_it_while_events_keep_coming() {
    let site = site();
    let broker = site.start(&[]);
    let stop = AtomicBool::new(false);
    let copies = tempfile::tempdir().unwrap();
    std::thread::scope(|threads| {
        let sender = threads.spawn(|| {
            let (mut client, mut sent) = (Client::new(broker.address), 0);
            while !stop.load(Ordering::Relaxed) {
                let body = json!({"type": "t", "data": "x".repeat(3_000)}).to_string();
                let answer = client
                    .send("POST", "/v1/events", &[AUTH, JSON], body.as_bytes())
                    .unwrap();
                assert_eq!(answer.status, 202);
                sent += 1;
            }
            sent
        });
        let newest = || {
            let list = ask(&broker, "GET", "/v1/events?limit=1", &Value::Null);
            list["data"][0]["seq"].as_u64().unwrap_or(0)
        };
        for round in 0..3_u64 {
            let before = eventually("more events", || {
                Some(newest()).filter(|newest| *newest > 200 * (round + 1))
            });
            let dir = copies.path().join(round.to_string());
            let ran = backup(&site, &broker, &dir);
            assert_eq!(ran.code, 0, "{}", ran.err);
            let summary: Value = serde_json::from_str(&ran.out).unwrap();
            let last = summary["last_seq"].as_u64().unwrap();
            assert!(last >= before && summary["events"] == last);
            assert!(newest() > last, "nothing came in meanwhile");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(sender.join().unwrap() > 600);
    });
}

#[test]
fn a_server_without_a_token_gives_no_keys_away() {
    let site = Site::new();
    let broker = site.start(&[]);
    let answer = broker.send("GET", "/v1/backup", &[], b"");
    assert!(answer.problem(403).contains("admin_token"));
    let dir = site.path("copy");
    let ran = backup(&site, &broker, &dir);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("--data"), "{}", ran.err);
    assert!(!dir.exists() && !site.path("copy.partial").exists());
}

#[test]
fn a_wrong_token_and_a_strange_question_are_refused() {
    let site = site();
    let broker = site.start(&[]);
    let ask = |query: &str, token: &str| {
        let headers = [("authorization", token)];
        broker.send("GET", &format!("/v1/backup{query}"), &headers, b"")
    };
    assert_eq!(ask("", "Bearer wrong").status, 401);
    let mine = "Bearer t0ken";
    for wrong in ["?events_from=0", "?events_from=x", "?store=-1", "?from=1"] {
        ask(wrong, mine).problem(422);
    }
    let behind = ask("?events_from=99", mine).problem(409);
    assert!(behind.contains("event 99"), "{behind}");
    let other = ask("?store=1", mine).problem(409);
    assert!(other.contains("another store"), "{other}");
}

#[test]
fn a_server_that_is_killed_leaves_a_part_that_the_next_backup_goes_on_with() {
    let site = site();
    let broker = site.start(&[]);
    let mut client = Client::new(broker.address);
    let body = json!({"type": "t", "data": "x".repeat(200_000)}).to_string();
    for _ in 0..150 {
        let sent = client.send("POST", "/v1/events", &[AUTH, JSON], body.as_bytes());
        assert_eq!(sent.unwrap().status, 202);
    }
    let dir = site.path("copy");
    let partial = site.path("copy.partial");
    std::thread::scope(|threads| {
        let backup = threads.spawn(|| backup(&site, &broker, &dir));
        eventually("a part of the copy", || {
            std::fs::metadata(partial.join("records/00000001"))
                .ok()
                .filter(|file| file.len() > 1 << 20)
        });
        broker.signal("KILL");
        let ran = backup.join().unwrap();
        assert_eq!(ran.code, 3, "{} {}", ran.out, ran.err);
        assert!(ran.err.contains("copy.partial"), "{}", ran.err);
    });
    assert!(!dir.exists() && partial.exists());
    let there = || std::fs::metadata(partial.join("records/00000001")).unwrap();
    let (before, begun) = (there().len(), now());
    let broker = site.start(&[]);
    let ran = backup(&site, &broker, &dir);
    assert_eq!(ran.code, 0, "{} after {:?}", ran.err, now().since(begun));
    let whole = std::fs::metadata(dir.join("records/00000001"))
        .unwrap()
        .len();
    assert!(whole < before + 31_000_000, "{before} bytes came twice");
}
