//! What a backup costs those who send events meanwhile: measured, not asserted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::process::http::Client;
use crate::process::now;
use crate::serving::{backup, site};

const SENDERS: usize = 4;
const HEADERS: [(&str, &str); 2] = [
    ("authorization", "Bearer t0ken"),
    ("content-type", "application/json"),
];

/// Latencies in microseconds, sorted.
fn percentile(sorted: &[u64], per_mille: usize) -> u64 {
    sorted[(sorted.len() * per_mille / 1_000).min(sorted.len() - 1)]
}

fn told(what: &str, mut micros: Vec<u64>, took: Duration) {
    micros.sort_unstable();
    println!(
        "{what}: {} events in {:.1} s, p50 {} µs, p99 {} µs, p99.9 {} µs, longest {} µs",
        micros.len(),
        took.as_secs_f64(),
        percentile(&micros, 500),
        percentile(&micros, 990),
        percentile(&micros, 999),
        micros[micros.len() - 1],
    );
}

/// `REDELIVER_BACKUP_MIB=2048 cargo test --release --test backup measured -- --nocapture`
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "latencies are of the machine's own clock"
)]
fn ingest_goes_on_beside_a_backup_of_many_mebibytes() {
    let mebibytes = std::env::var("REDELIVER_BACKUP_MIB");
    let mebibytes: usize = mebibytes.map_or(8, |text| text.parse().unwrap());
    let site = site();
    let broker = site.start(&[]);
    let large = json!({"type": "t", "data": "x".repeat(500_000)}).to_string();
    let small = json!({"type": "t", "data": "x".repeat(500)}).to_string();
    let mut client = Client::new(broker.address);
    for _ in 0..mebibytes {
        for body in [&large, &large] {
            let sent = client.send("POST", "/v1/events", &HEADERS, body.as_bytes());
            assert_eq!(sent.unwrap().status, 202);
        }
    }
    let (stop, counting) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                threads.spawn(|| {
                    let mut client = Client::new(broker.address);
                    let (mut alone, mut beside) = (Vec::new(), Vec::new());
                    while !stop.load(Ordering::Relaxed) {
                        let begun = std::time::Instant::now();
                        let is_beside = counting.load(Ordering::Relaxed);
                        let sent = client.send("POST", "/v1/events", &HEADERS, small.as_bytes());
                        assert_eq!(sent.unwrap().status, 202);
                        let micros = begun.elapsed().as_micros() as u64;
                        match is_beside {
                            true => beside.push(micros),
                            false => alone.push(micros),
                        }
                    }
                    (alone, beside)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(if mebibytes > 8 { 10 } else { 1 }));
        counting.store(true, Ordering::Relaxed);
        let begun = now();
        let ran = backup(&site, &broker, &site.path("copy"));
        let took = now().since(begun);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let all: Vec<_> = senders.into_iter().map(|s| s.join().unwrap()).collect();
        let (alone, beside): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        told("alone", alone.concat(), Duration::from_secs(10));
        told("beside a backup", beside.concat(), took);
        println!("{}", ran.out);
    });
}
