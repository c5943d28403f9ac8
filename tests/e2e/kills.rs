//! `kill -9` of the real process, between and during attempts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::ledger::{self, Acknowledged};
use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply, Seen};
use crate::process::{eventually, now};

const ROUNDS: u64 = 50;
const POSTERS: u64 = 3;

/// Delays that are long beside what a settlement lies in memory, and short beside a round.
const POLICIES: &str = r#"
[policy.fast-in-order]
order = "in-order"
success = "200"
backoff = { first = "40ms", factor = 2, max = "80ms" }
timeout = "250ms"

[policy.fast]
success = "2xx"
schedule = ["40ms", "60ms"]
timeout = "250ms"
"#;

/// The policies' own delays, after the attempt of this number.
pub fn delay_after(endpoint: &str, attempt: u32) -> Duration {
    Duration::from_millis(match (endpoint, attempt) {
        (_, 1) => 40,
        ("free", _) => 60,
        _ => 80,
    })
}

/// A number that looks like chance and is the same at every run.
pub fn scatter(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

/// Answers by event and attempt, so that a repeated attempt is answered as it was before: else a
/// delivery whose success was forgotten in a crash could end as dead.
fn flapping(seen: &Seen, _: usize) -> Reply {
    let chance = scatter(&format!(
        "{} {}",
        seen.header("redeliver-delivery-id"),
        seen.attempt()
    ));
    match chance % 100 {
        0..2 => Reply::Hang,
        2..13 => Reply::Status(500),
        13..16 => Reply::Status(503),
        28..60 => Reply::After(Duration::from_millis(chance % 12), 200),
        _ => Reply::Status(200),
    }
}

/// As [`flapping`], but some events never get through.
fn stubborn(seen: &Seen, before: usize) -> Reply {
    match scatter(seen.header("redeliver-event-id")) % 8 {
        0 => Reply::Status(500),
        _ => flapping(seen, before),
    }
}

/// Puts events in, over and over, as long as it may; every event until it is acknowledged.
struct Posters {
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    address: Arc<Mutex<Option<std::net::SocketAddr>>>,
    end: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Posters {
    fn start() -> Self {
        let mut posters = Self {
            acknowledged: Arc::default(),
            address: Arc::default(),
            end: Arc::default(),
            threads: Vec::new(),
        };
        for poster in 0..POSTERS {
            let (acknowledged, address) = (posters.acknowledged.clone(), posters.address.clone());
            let end = posters.end.clone();
            let post = move || {
                let mut number = 0;
                while !end.load(Ordering::Relaxed) {
                    // Held over the request, so that to take the address away is to wait for it.
                    let turn = poster_turn(&address);
                    let Some(address) = turn else {
                        sleep(Duration::from_millis(1));
                        continue;
                    };
                    let key = format!("p{poster}-{number}");
                    if let Some(taken) = post(address, &key) {
                        acknowledged.lock().unwrap().push(taken);
                        number += 1;
                    }
                    sleep(Duration::from_millis(40));
                }
            };
            posters.threads.push(std::thread::spawn(post));
        }
        posters
    }

    fn point_at(&self, address: Option<std::net::SocketAddr>) {
        *self.address.lock().unwrap() = address;
    }

    fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap().clone()
    }
}

fn poster_turn(address: &Mutex<Option<std::net::SocketAddr>>) -> Option<std::net::SocketAddr> {
    *address.lock().unwrap()
}

/// None if the broker went away: it may have taken the event or not.
fn post(address: std::net::SocketAddr, key: &str) -> Option<Acknowledged> {
    let body = json!({"type": "t", "id": key, "data": {"key": key}}).to_string();
    let headers = [("content-type", "application/json")];
    let answer = Client::new(address).send("POST", "/v1/events", &headers, body.as_bytes());
    let answer = answer.ok()?;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let taken = answer.json();
    Some(Acknowledged {
        key: key.to_owned(),
        id: taken["id"].as_str().unwrap().to_owned(),
        seq: taken["seq"].as_u64().unwrap(),
    })
}

fn config(ordered: &Receiver, free: &Receiver) -> String {
    format!(
        r#"{POLICIES}
[[endpoint]]
name = "ordered"
url = "{}"
policy = "fast-in-order"

[[endpoint]]
name = "free"
url = "{}"
policy = "fast"
"#,
        ordered.url(),
        free.url()
    )
}

#[test]
fn fifty_kills_lose_nothing_keep_the_order_skip_no_attempt_and_make_none_early() {
    let site = Site::new();
    let (ordered, free) = (Receiver::start(flapping), Receiver::start(stubborn));
    site.configure(&config(&ordered, &free));
    let posters = Posters::start();
    let (mut during, began) = (0, now());
    let mut kills = Vec::new();
    let held = || ordered.held() + free.held();
    for round in 0..ROUNDS {
        let broker = site.start(&[]);
        if round > 0 {
            ledger::check(&broker, &posters.acknowledged());
        }
        posters.point_at(Some(broker.address));
        let some = posters.acknowledged().len() + 1;
        eventually("an event is taken", || {
            (posters.acknowledged().len() >= some).then_some(())
        });
        sleep(Duration::from_millis(scatter(&round.to_string()) % 150));
        // Both kinds of moment, however fast the machine is; in every third round any moment.
        match round % 3 {
            0 => eventually("an attempt is under way", || (held() > 0).then_some(())),
            1 => eventually("no attempt is under way", || (held() == 0).then_some(())),
            _ => (),
        }
        during += u64::from(held() > 0);
        broker.kill();
        // When it is over: what a dead process sent came before, what the next one sends after.
        kills.push(now());
        posters.point_at(None);
    }
    let broker = site.start(&[]);
    posters.point_at(Some(broker.address));
    sleep(Duration::from_millis(50));
    posters.end.store(true, Ordering::Relaxed);
    let acknowledged = posters.acknowledged.clone();
    for thread in posters.threads {
        thread.join().unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    for name in ["ordered", "free"] {
        eventually("the backlog is empty", || {
            (broker.endpoint(name)["backlog"] == 0).then_some(())
        });
    }
    let counts = ledger::check(&broker, &acknowledged);
    let mut forgotten = ledger::compare(&broker, "ordered", &ordered.posts(), &kills);
    forgotten.extend(ledger::compare(&broker, "free", &free.posts(), &kills));
    ledger::check_order(&broker, &ordered.posts());
    let requests = ordered.posts().len() + free.posts().len();
    let longest = forgotten.iter().max().copied().unwrap_or_default();
    println!(
        "{ROUNDS} kills, {during} of them during attempts, in {:?}: {} events acknowledged, {counts}; \
         {requests} requests, {} of them repeats, of attempts answered at most {longest:?} before \
         the kill",
        now().since(began),
        acknowledged.len(),
        forgotten.len(),
    );
    // What had been settled for longer than a disk takes is not repeated.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    broker.stop();
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

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
    let (broker, event) = one_event(&site, &receiver, "3s");
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
    let due = ended.plus(Duration::from_secs(3));
    assert!(posts[1].arrived >= due, "{} before {due}", posts[1].arrived);
    println!("{:?} after it was due", posts[1].arrived.since(due));
    broker.stop();
}
