//! What an animal of the zoo costs the receivers beside it: the 99th percentile of the time from
//! sending an event to its receipt, with and without the animal.
//!
//! `cargo bench --bench zoo [-- PAIRS [ANIMAL …]]`. One broker, twenty good endpoints. Phases
//! without and with the animal take turns; in the latter the animal gets the same traffic. The
//! ratio is the median over the pairs of phases. The animals and the good receivers live on the same
//! machine as the broker, so what they burn counts as well; what one more endpoint costs that does
//! nothing wrong is in the first line.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and may fail; the zoo's tests are not run here"
)]

#[path = "../tests/zoo/animal.rs"]
mod animal;
#[path = "../tests/zoo/cage.rs"]
mod cage;
#[path = "../tests/zoo/certificates.rs"]
mod certificates;
#[path = "../tests/zoo/contract.rs"]
mod contract;
#[path = "../tests/zoo/early.rs"]
mod early;
#[path = "../tests/zoo/floods.rs"]
mod floods;
#[path = "../tests/zoo/garbage.rs"]
mod garbage;
#[path = "../tests/zoo/handshakes.rs"]
mod handshakes;
#[path = "../tests/zoo/lengths.rs"]
mod lengths;
#[path = "../tests/zoo/papers.rs"]
mod papers;
#[path = "../tests/process/mod.rs"]
mod process;
#[path = "../tests/zoo/redirects.rs"]
mod redirects;
#[path = "../tests/zoo/resets.rs"]
mod resets;
#[path = "../tests/zoo/silence.rs"]
mod silence;

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use animal::Animal;
use process::broker::{Broker, Site};
use process::http::{self, Client};

const GOOD_ENDPOINTS: usize = 20;
const EVENTS_PER_PHASE: usize = 320;
const POSTERS: usize = 4;
/// Between two events of a poster.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an animal may hold an attempt.
const TIMEOUT: Duration = Duration::from_millis(300);
const PAIRS: usize = 7;
const GOAL: f64 = 1.2;

/// Tame, for comparison.
const TAME: &str = "answers_at_once";

/// One of each kind, but for the one that hands out tickets without end: what it takes of this
/// machine to make them would be all that is measured.
const CHOSEN: &[&str] = &[
    TAME,
    "refuses",
    "black_hole",
    "accepts_and_says_nothing",
    "drips_a_byte_every_10_s",
    "drips_its_body",
    "reads_a_byte_at_a_time",
    "resets_at_once",
    "resets_after_the_request",
    "half_closes_before_the_answer",
    "endless_interim_answers",
    "endless_headers",
    "a_body_of_10_gib",
    "a_gzip_bomb",
    "endless_chunks_of_a_byte",
    "two_lengths",
    "speaks_ssh",
    "says_413_and_slams_the_door",
    "redirects_by_301_to_loopback",
    "has_expired",
    "says_nothing_to_a_handshake",
    "drips_its_handshake",
];

/// Failures wait until the animal is gone.
const CONFIG: &str = "[policy.later]\nschedule = [\"1h\"]\n";

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now_us() -> u64 {
    u64::try_from(START.elapsed().as_micros()).unwrap()
}

fn animals() -> Vec<Animal> {
    [
        silence::animals(),
        silence::slow_readers(),
        resets::animals(),
        floods::animals(),
        lengths::animals(),
        garbage::animals(),
        early::animals(),
        redirects::animals(),
        certificates::bad_certificates(),
        handshakes::bad_handshakes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A receiver that answers 200 at once; times from sending to receipt go into `times_us`.
fn good(times_us: Arc<Mutex<Vec<u64>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let times_us = times_us.clone();
            std::thread::spawn(move || receive(stream, &times_us));
        }
    });
    at
}

fn receive(stream: TcpStream, times_us: &Mutex<Vec<u64>>) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    while let Ok((_, headers)) = http::head(&mut stream) {
        let mut body = vec![0; http::length(&headers)];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let arrived = now_us();
        let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let sent = event["data"].as_u64().unwrap();
        times_us.lock().unwrap().push(arrived - sent);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}

/// Sends a phase's events at a steady pace; gives the times of all receipts, in order.
fn phase(broker: &Broker, kind: &str, times_us: &Mutex<Vec<u64>>) -> Vec<u64> {
    times_us.lock().unwrap().clear();
    std::thread::scope(|scope| {
        for poster in 0..POSTERS {
            scope.spawn(move || post(broker.address, kind, poster));
        }
    });
    let expected = EVENTS_PER_PHASE * GOOD_ENDPOINTS;
    process::eventually("every good receiver has everything", || {
        (times_us.lock().unwrap().len() == expected).then_some(())
    });
    let mut times = times_us.lock().unwrap().clone();
    times.sort_unstable();
    times
}

fn post(broker: SocketAddr, kind: &str, poster: usize) {
    let mut client = Client::new(broker);
    let begun = Instant::now();
    for number in 0..EVENTS_PER_PHASE / POSTERS {
        let due =
            PAUSE * u32::try_from(number).unwrap() + PAUSE * u32::try_from(poster).unwrap() / 4;
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let event = json!({"type": kind, "data": now_us()}).to_string();
        let headers = [("content-type", "application/json")];
        let answer = client.send("POST", "/v1/events", &headers, event.as_bytes());
        assert_eq!(answer.unwrap().status, 202);
    }
}

/// A phase beside the animal, which is gone afterwards.
fn phase_beside(
    broker: &Broker,
    endpoint: &serde_json::Value,
    times_us: &Mutex<Vec<u64>>,
) -> Vec<u64> {
    let made = broker.post("/v1/endpoints", endpoint);
    let times = phase(broker, endpoint["name"].as_str().unwrap(), times_us);
    let path = format!("/v1/endpoints/{}", made["id"].as_str().unwrap());
    assert_eq!(broker.send("DELETE", &path, &[], b"").status, 204);
    // What is under way when an endpoint is removed goes on to its deadline.
    std::thread::sleep(TIMEOUT + Duration::from_millis(100));
    times
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let pairs = arguments
        .first()
        .map_or(PAIRS, |text| text.parse().unwrap());
    let named: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let chosen = if named.is_empty() { CHOSEN } else { &named };
    let site = Site::new();
    site.configure(CONFIG);
    let broker = site.start(&[]);
    let times_us: Arc<Mutex<Vec<u64>>> = Arc::default();
    for number in 0..GOOD_ENDPOINTS {
        let url = format!("http://{}/", good(times_us.clone()));
        let endpoint = json!({"name": format!("good.{number}"), "url": url, "policy": "standard"});
        broker.post("/v1/endpoints", &endpoint);
    }
    let animals = animals();
    let tame = format!("http://{}/", good(Arc::default()));
    phase(&broker, "warm", &times_us);
    println!(
        "{GOOD_ENDPOINTS} good endpoints, one animal, {EVENTS_PER_PHASE} events a phase, median of {pairs} pairs; milliseconds"
    );
    println!(
        "{:<32} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "animal", "p50 w/o", "p50 with", "p99 w/o", "p99 with", "ratio"
    );
    for name in chosen {
        let animal = animals.iter().find(|animal| animal.name == *name);
        let (url, ca_pem) = match animal {
            Some(animal) => (&animal.url, animal.ca_pem.as_ref()),
            None if *name == TAME => (&tame, None),
            None => panic!("there is no animal called {name}"),
        };
        let mut endpoint = json!({
            "name": name,
            "url": url,
            "policy": "later",
            "events": [name],
            "timeout": format!("{}ms", TIMEOUT.as_millis()),
        });
        if let Some(pem) = ca_pem {
            endpoint["ca_pem"] = json!(pem);
        }
        let beside = || phase_beside(&broker, &endpoint, &times_us);
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for pair in 0..pairs {
            // Which comes first changes, so that no drift of the machine favours one.
            if pair % 2 == 0 {
                without.push(phase(&broker, "alone", &times_us));
                with.push(beside());
            } else {
                with.push(beside());
                without.push(phase(&broker, "alone", &times_us));
            }
        }
        let of = |runs: &[Vec<u64>], percent| {
            let each = runs.iter().map(|run| percentile(run, percent) as f64 / 1e3);
            median(each.collect())
        };
        let pairs = without.iter().zip(&with);
        let ratios = pairs
            .map(|(without, with)| percentile(with, 99) as f64 / percentile(without, 99) as f64);
        let ratio = median(ratios.collect());
        println!(
            "{name:<32} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {ratio:>6.2}{}",
            of(&without, 50),
            of(&with, 50),
            of(&without, 99),
            of(&with, 99),
            if ratio > GOAL { "  above the goal" } else { "" }
        );
    }
    broker.stop();
}
