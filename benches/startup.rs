//! How long a start takes with a long log behind it, and how much memory filling and starting take.
//!
//! `cargo bench --bench startup [-- EVENTS]`. A store of ten thousand events is the baseline of the
//! same run. Each measurement is a process of its own, on a copy of its own: a start leaves what
//! makes the next one quicker.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and may fail"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

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
        idempotency_key: n.is_multiple_of(10).then(|| format!("key-{n}")),
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

/// Opens the store; prints microseconds and peak memory.
fn start(dir: &Path) {
    let started = Instant::now();
    let log = open(dir);
    let took = started.elapsed();
    println!("{} {}", took.as_micros(), rss_kib());
    drop(log);
}

/// Copies the files of a store; what lies in directories is none of this one's.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// Runs this program again; gives the two numbers that it prints.
fn measured(arguments: &[&str]) -> (u64, u64) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[1..] {
        ["fill", dir, events, how] => {
            let filling = Instant::now();
            fill(Path::new(dir), events.parse().unwrap(), how == "stopped");
            println!("{} {}", filling.elapsed().as_micros(), rss_kib());
            return;
        }
        ["start", dir] => return start(Path::new(dir)),
        _ => {}
    }
    let events = arguments.iter().filter_map(|a| a.parse().ok()).next();
    let events: usize = events.unwrap_or(1_000_000);
    // The longest tail that a start ever reads: one event more would have made a snapshot.
    let tail = 99_999;
    for (count, how) in [
        (10_000, "stopped"),
        (events, "stopped"),
        (events + tail, "killed"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().to_str().unwrap();
        let (filled_us, fill_kib) = measured(&["fill", place, &count.to_string(), how]);
        let first_start = |_| {
            let copied = copy(dir.path());
            measured(&["start", copied.path().to_str().unwrap()])
        };
        let mut starts: Vec<_> = (0..RUNS).map(first_start).collect();
        starts.sort_unstable();
        let (start_us, start_kib) = starts[RUNS / 2];
        println!(
            "{count:>8} events of {BODY_BYTES} B, {how}: first start {} ms (median of {RUNS}), {} MiB; filled in {:.1} s, {} MiB",
            start_us / 1000,
            start_kib / 1024,
            filled_us as f64 / 1e6,
            fill_kib / 1024,
        );
    }
}
