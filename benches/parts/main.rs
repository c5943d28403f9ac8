//! What the inner parts cost, each by itself and on one thread.
//!
//! `cargo bench --bench parts [-- NAME]`. `elem/s` are events, deliveries or requests; whatever
//! goes to a disk goes to that of `TMPDIR`.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and may fail; not everything of the tests is used"
)]

mod append;
mod delivery;
mod frame;
#[path = "../../tests/store/harness.rs"]
mod harness;
mod policy;
mod recovery;
mod route;
mod signature;

use std::time::{Duration, Instant};

use criterion::Criterion;
use redeliver::event::NewEvent;

/// What the body of an event has in every benchmark that says nothing else.
const BODY_BYTES: usize = 500;

fn event() -> NewEvent {
    harness::event("bench.event", vec![b'7'; BODY_BYTES])
}

fn timed<T>(part: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = part();
    (start.elapsed(), done)
}

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
        .nresamples(10_000)
        .configure_from_args();
    frame::bench(&mut criterion);
    append::bench(&mut criterion);
    delivery::bench(&mut criterion);
    policy::bench(&mut criterion);
    signature::bench(&mut criterion);
    route::bench(&mut criterion);
    recovery::bench(&mut criterion);
    criterion.final_summary();
}
