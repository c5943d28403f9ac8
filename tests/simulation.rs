//! The product's own ingest, log, delivery and settlement under a manual clock, on a disk that
//! loses its power and in front of receivers that misbehave, all by a seed; and a checker that
//! knows only the rules.
//!
//! `REDELIVER_SEEDS=N` runs more seeds, `REDELIVER_SEED=N` one of them, with everything that
//! happened in it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "simulation/disk.rs"]
mod disk;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/ledger.rs"]
mod ledger;
#[path = "simulation/life.rs"]
mod life;
#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/rules.rs"]
mod rules;
#[path = "simulation/verdict.rs"]
mod verdict;
#[path = "simulation/world.rs"]
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use disk::Point;
use faults::Fault;
use world::{Scenario, Summary, Violation, run};

/// Seeds of an everyday run.
const SEEDS: u64 = 2_000;

/// The last lines of a story are enough to see what went wrong; the seed tells the rest.
const LAST_LINES: usize = 60;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

#[track_caller]
fn fail(scenario: Scenario, violation: &Violation) -> ! {
    let trace = &violation.trace;
    let from = match number("REDELIVER_SEED") {
        Some(_) => 0,
        None => trace.len().saturating_sub(LAST_LINES),
    };
    panic!(
        "{}\n\nbroken: {}\n\n{scenario:?}; to run it again, with all of its story:\n\
         REDELIVER_SEED={} cargo test --test simulation -- --nocapture",
        trace[from..].join("\n"),
        violation.rule,
        scenario.seed
    );
}

/// Runs `count` scenarios on all cores; gives their sums, or the first violation.
fn run_all(
    count: u64,
    scenario: impl Fn(u64) -> Scenario + Sync,
) -> Result<Summary, (Scenario, Violation)> {
    let next = AtomicU64::new(0);
    let work = || {
        let mut sum = Summary::default();
        loop {
            let scenario = match next.fetch_add(1, Ordering::Relaxed) {
                n if n < count => scenario(n),
                _ => return Ok(sum),
            };
            let one = run(scenario).map_err(|violation| {
                next.store(count, Ordering::Relaxed);
                (scenario, violation)
            })?;
            sum.events += one.events;
            sum.attempts += one.attempts;
            sum.crashes += one.crashes;
            sum.writes += one.writes;
        }
    };
    std::thread::scope(|scope| {
        let threads = available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Summary::default();
        for thread in threads {
            let sum = thread.join().unwrap()?;
            all.events += sum.events;
            all.attempts += sum.attempts;
            all.crashes += sum.crashes;
            all.writes += sum.writes;
        }
        Ok(all)
    })
}

fn seeded(seed: u64) -> Scenario {
    Scenario {
        seed,
        ..Scenario::default()
    }
}

#[test]
fn every_seed_keeps_every_rule() {
    if let Some(seed) = number("REDELIVER_SEED") {
        match run(seeded(seed)) {
            Ok(summary) => println!("seed {seed}: {summary:?}"),
            Err(violation) => fail(seeded(seed), &violation),
        }
        return;
    }
    let seeds = number("REDELIVER_SEEDS").unwrap_or(SEEDS);
    match run_all(seeds, seeded) {
        Ok(sum) => println!(
            "{seeds} seeds: {} events, {} attempts, {} crashes, no rule broken",
            sum.events, sum.attempts, sum.crashes
        ),
        Err((scenario, violation)) => fail(scenario, &violation),
    }
}

#[test]
fn a_crash_at_every_commit_point_of_a_run_breaks_no_rule() {
    let mut points = 0;
    for seed in 0..10 {
        let writes = run(seeded(seed)).map_or_else(|v| fail(seeded(seed), &v), |sum| sum.writes);
        let points_of = |n: u64| Scenario {
            crash: Some((
                n / 3,
                [Point::Before, Point::Written, Point::Synced][n as usize % 3],
            )),
            ..seeded(seed)
        };
        if let Err((scenario, violation)) = run_all(writes * 3, points_of) {
            fail(scenario, &violation);
        }
        points += writes * 3;
    }
    println!("{points} crashes, one at each commit point of ten runs");
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..50 {
        let (once, again) = (run(seeded(seed)), run(seeded(seed)));
        assert_eq!(once.unwrap(), again.unwrap(), "seed {seed}");
    }
}

#[test]
fn each_of_sixteen_deliberate_faults_is_caught() {
    for fault in Fault::ALL {
        let with_fault = |seed| Scenario {
            seed,
            fault: Some(fault),
            ..Scenario::default()
        };
        let caught = (0..400).find_map(|seed| run(with_fault(seed)).err().map(|v| (seed, v.rule)));
        let Some((seed, rule)) = caught else {
            panic!("nobody has noticed: {fault:?}");
        };
        println!("{fault:?} is caught by seed {seed}: {rule}");
    }
}
