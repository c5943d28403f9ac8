//! What is no damage must not be taken for it: kills, and a database that uses its space again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redeliver::endpoint::Order;
use redeliver::store::{Log, Outcome, Store, verify};
use serde_json::json;

use super::harness::*;
use super::judge::count_panics;
use super::original::{open, place};
use super::process::broker::Site;
use super::process::http::Client;

/// A database that has been put together anew leaves the old one there.
fn was_rebuilt(data: &Path) -> bool {
    data.join("damaged-1").exists()
}

fn settle(log: &impl Store, claims: usize) {
    for claim in log.claim(claims).unwrap() {
        let done = settlement(
            &claim,
            START,
            Outcome::Delivered,
            redeliver::store::Effect::None,
        );
        log.settle(claim.token, done).unwrap();
    }
}

#[test]
fn a_kill_is_no_damage() {
    let site = Site::new();
    let mut taken = 0;
    for round in 0..12u64 {
        let broker = site.start(&[]);
        assert!(!was_rebuilt(&site.path("data")), "{}", site.log());
        let (stop, address) = (AtomicBool::new(false), broker.address);
        taken += std::thread::scope(|scope| {
            let posters: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut client = Client::new(address);
                        let data = "x".repeat(9_000);
                        let body = json!({ "type": "t", "data": data }).to_string();
                        let head = [("content-type", "application/json")];
                        let mut taken = 0;
                        while !stop.load(Ordering::Relaxed) {
                            let sent = client.send("POST", "/v1/events", &head, body.as_bytes());
                            match sent {
                                Ok(answer) if answer.status == 202 => taken += 1,
                                _ => break,
                            }
                        }
                        taken
                    })
                })
                .collect();
            // The moment of the kill is a real one.
            std::thread::sleep(Duration::from_millis(20 + 17 * round));
            broker.kill();
            stop.store(true, Ordering::Relaxed);
            let taken = posters.into_iter().map(|poster| poster.join().unwrap());
            taken.sum::<u64>()
        });
    }
    let broker = site.start(&[]);
    assert!(!was_rebuilt(&site.path("data")), "{}", site.log());
    let stored = broker.list("/v1/events?limit=500").len() as u64;
    assert!(stored >= taken, "{stored} of {taken}");
}

#[test]
fn a_database_that_uses_its_space_again_is_whole_at_every_start() {
    count_panics();
    let dir = place();
    let mut seq = 0;
    for start in 0..6 {
        let log = open(dir.path(), without_journal()).unwrap_or_else(|e| panic!("{start}: {e}"));
        if start == 0 {
            let add = settings("crm", Order::Independent);
            let active = redeliver::endpoint::EndpointState::Active;
            drop(
                log.endpoint(redeliver::store::EndpointCommand::Add(
                    Box::new(add),
                    active,
                ))
                .unwrap(),
            );
        }
        for group in 0..60 {
            seq += append(&log, group);
            settle(&log, 20);
            log.commit().unwrap();
        }
        if start % 3 == 2 {
            log.close().unwrap();
        }
        drop(log);
        assert!(!was_rebuilt(dir.path()), "start {start}");
    }
    let report = verify(dir.path(), 8 << 20).unwrap();
    assert_eq!((report.findings, report.events), (Vec::new(), seq));
    let used = std::fs::metadata(dir.path().join("db")).unwrap().len();
    assert!(
        used > 3 * (8 << 20),
        "{used} bytes are too few to be used again"
    );
}

/// Ten events of sizes from small to several parts.
fn append<B: redeliver::store::backend::Backend>(log: &Log<B>, group: usize) -> u64 {
    let sizes = (0..10).map(|n| [50, 700, 5_000, 30_000][(group + n) % 4]);
    let events: Vec<_> = sizes.map(|len| event("t", vec![b'x'; len])).collect();
    let count = events.len() as u64;
    drop(log.append(events).unwrap());
    log.commit().unwrap();
    count
}
