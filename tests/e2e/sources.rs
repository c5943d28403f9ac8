//! Two sources in the same frames of a real server, one kept for an hour, the other for ever: over
//! kills at any moment of a pass, a backup and a database that is put together anew.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Client;

const CONFIG: &str = r#"
[limits]
store_journal_bytes = 65536

[[source]]
name = "visits"
kind = "raw"

[retention]
attempts_max_age = "1h"

[retention.sources.visits]
max_age = "1h"
"#;

const ROUNDS: usize = 9;
const SENDERS: usize = 4;
const EACH: usize = 8;

/// The ids of what came from either source.
#[derive(Default)]
struct Sent {
    visits: BTreeSet<String>,
    orders: BTreeSet<String>,
}

impl Sent {
    /// Several senders at once, so that their events come to lie in the same frames.
    fn send(&mut self, broker: &Broker, round: usize) {
        std::thread::scope(|threads| {
            for sender in 0..SENDERS {
                threads.spawn(move || {
                    for n in 0..EACH {
                        let body =
                            format!("{round} {sender} {n} {}", "v".repeat(300 + 2_000 * (n % 5)));
                        let head = [("content-type", "text/plain")];
                        let answer = broker.send("POST", "/in/visits", &head, body.as_bytes());
                        assert!(answer.status < 300, "{}", answer.text());
                        broker.event(
                            "order.paid",
                            &json!({ "round": round, "n": n, "text": body }),
                        );
                    }
                });
            }
        });
        for event in broker.list("/v1/events?limit=1000") {
            let id = event["id"].as_str().unwrap().to_owned();
            match event["source"] == "visits" {
                true => self.visits.insert(id),
                false => self.orders.insert(id),
            };
        }
    }

    /// The short ones are gone, the others are there, whoever asks.
    fn expect(&self, site: &Site, what: &str) {
        let broker = site.start(&["--clock", "manual"]);
        broker.advance("2h");
        for id in &self.visits {
            let answer = broker.send("GET", &format!("/v1/events/{id}"), &[], b"");
            assert_eq!(answer.status, 410, "{what}: {id}");
        }
        for id in &self.orders {
            let answer = broker.send("GET", &format!("/v1/events/{id}/body"), &[], b"");
            assert_eq!(answer.status, 200, "{what}: {id}");
            let data: Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(data.to_string().contains("vvv"), "{what}: {id}");
        }
        let listed = broker.list("/v1/events?limit=1000");
        let listed: BTreeSet<String> = listed
            .iter()
            .map(|e| e["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, self.orders, "{what}");
        broker.stop();
        let ran = site.verify();
        assert_eq!(ran.code, 0, "{what}: {} {}", ran.out, ran.err);
    }
}

/// A kill after so many looks, while the clock is moved on by two hours.
fn kill_on_the_way(broker: Broker, looks: usize) {
    let address = broker.address;
    std::thread::scope(|threads| {
        let advancing = threads.spawn(move || {
            let head = [("content-type", "application/json")];
            // It may be cut off.
            let _ =
                Client::new(address).send("POST", "/v1/clock/advance", &head, br#"{"by": "2h"}"#);
        });
        for _ in 0..looks {
            broker.send("GET", "/healthz", &[], b"");
        }
        broker.kill();
        advancing.join().unwrap();
    });
}

#[test]
fn a_short_source_expires_and_a_long_one_stays_over_kills_a_backup_and_a_damaged_database() {
    let site = Site::new();
    site.configure(CONFIG);
    let mut sent = Sent::default();
    for round in 0..ROUNDS {
        let broker = site.start(&["--clock", "manual"]);
        sent.send(&broker, round);
        kill_on_the_way(broker, round * round);
    }
    assert_eq!(sent.visits.len(), ROUNDS * SENDERS * EACH);
    sent.expect(&site, "after kills");

    let copy = Site::new();
    copy.configure(CONFIG);
    let dir = copy.path("data");
    let dir = dir.to_str().unwrap();
    let ran = site.run(&["store", "backup", "--data", "data", dir]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    sent.expect(&copy, "in a backup");

    site.let_be_damaged();
    for without_snapshot in [false, true] {
        if without_snapshot {
            std::fs::remove_file(site.path("data/projections")).unwrap();
        }
        // As it is noted when a page of the database could not be read.
        std::fs::write(site.path("data/unreadable"), b"").unwrap();
        sent.expect(&site, "put together anew");
        assert!(site.path("data/damaged-1").is_dir());
    }
}
