//! How long a start takes with a long log behind it, and how much memory: `cargo bench --bench
//! startup [-- EVENTS]`. Prints the time to open a store of ten thousand events beside it, in the
//! same run.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and may fail"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redeliver::clock::RealClock;
use redeliver::event::{Form, NewEvent};
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Store};

const CACHE_BYTES: u64 = 32 << 20;
const BODY_BYTES: usize = 1024;
const RUNS: usize = 3;

fn open(dir: &Path) -> Log<Disk> {
    Log::open(
        dir,
        CACHE_BYTES,
        Arc::new(RealClock),
        Options::default(),
        [1, 2, 3],
    )
    .unwrap()
}

fn event(n: usize) -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: "bench".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: vec![b'7'; BODY_BYTES].into(),
        status: None,
        idempotency_key: Some(format!("key-{n}")),
    }
}

/// Fills a store and leaves it as a kill would, or as a clean stop does.
fn fill(dir: &Path, events: usize, clean: bool) {
    let log = open(dir);
    for from in (0..events).step_by(1000) {
        let group = (from..(from + 1000).min(events)).map(event).collect();
        let _ticket = log.append(group).unwrap();
        log.commit().unwrap();
    }
    if clean {
        log.close().unwrap();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn start(dir: &Path) -> Duration {
    let times = (0..RUNS).map(|_| {
        let started = Instant::now();
        let log = open(dir);
        let took = started.elapsed();
        drop(log);
        took
    });
    median(times.collect())
}

fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

fn main() {
    let events = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(1_000_000);
    for (label, count, clean) in [
        ("baseline, clean stop", 10_000, true),
        ("clean stop", events, true),
        ("killed", events, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let started = Instant::now();
        fill(dir.path(), count, clean);
        let filled = started.elapsed();
        println!(
            "{count:>9} events of {BODY_BYTES} B, {label}: start {:?} (median of {RUNS}); filled in {filled:.1?}, peak memory {} MiB",
            start(dir.path()),
            rss_kib() / 1024,
        );
    }
}
