//! The product's own ingest, log, delivery and settlement under a manual clock, on a disk that
//! loses its power and in front of receivers that misbehave, all by a seed; and a checker that
//! knows only the rules.
//!
//! | to read | |
//! |---|---|
//! | `world`, `operator`, `plan` | one run: what the seed makes happen |
//! | `life`, `disk`, `network` | the product between what is simulated |
//! | `contract`, `ledger` | what the vendors promise, and what the world has seen |
//! | `rules`, `verdict` | what must hold at each request and moment, and at the end |
//! | `retention` | what may expire, and what must |
//! | `faults` | mistakes, each of which breaks a rule |
//!
//! `REDELIVER_SEEDS=N` runs more seeds; `REDELIVER_SEED=N`, with `REDELIVER_CRASH=WRITES:POINT` if
//! the failure names one, runs one of them and tells everything that happened in it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "simulation/contract.rs"]
mod contract;
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
#[path = "simulation/operator.rs"]
mod operator;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/retention.rs"]
mod retention;
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
use world::{Scenario, Summary, Violation, run, writes_of_passes};

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
    let crash = scenario.crash.map_or_else(String::new, |(writes, point)| {
        format!("REDELIVER_CRASH={writes}:{} ", point.name())
    });
    panic!(
        "{}\n\nbroken: {}\n\n{scenario:?}; to run it again, with all of its story:\n\
         {crash}REDELIVER_SEED={} cargo test --test simulation every_seed -- --nocapture",
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
            if scenario.crash.is_some() {
                assert!(one.came, "the crash has not come: {scenario:?}");
            }
            sum.add(&one);
        }
    };
    std::thread::scope(|scope| {
        let threads = available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Summary::default();
        for thread in threads {
            all.add(&thread.join().unwrap()?);
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

/// What REDELIVER_SEED and REDELIVER_CRASH ask for.
fn asked_for() -> Option<Scenario> {
    let crash = std::env::var("REDELIVER_CRASH").ok();
    let crash = crash.map(|text| match text.split_once(':') {
        Some((writes, point)) if writes.parse::<u64>().is_ok() => {
            let point = Point::ALL.into_iter().find(|p| p.name() == point);
            (
                writes.parse().unwrap(),
                point.unwrap_or_else(|| panic!("no such point: {text}")),
            )
        }
        _ => panic!("REDELIVER_CRASH is a number of writes and a point, such as 7:written: {text}"),
    });
    number("REDELIVER_SEED").map(|seed| Scenario {
        crash,
        ..seeded(seed)
    })
}

#[test]
fn every_seed_keeps_every_rule() {
    if let Some(scenario) = asked_for() {
        match run(scenario) {
            Ok(summary) => println!("{scenario:?}: {summary:#?}"),
            Err(violation) => fail(scenario, &violation),
        }
        return;
    }
    let seeds = number("REDELIVER_SEEDS").unwrap_or(SEEDS);
    let sum =
        run_all(seeds, seeded).unwrap_or_else(|(scenario, violation)| fail(scenario, &violation));
    println!("{seeds} seeds, no rule broken: {sum:#?}");
    // A rule about something that never happens is none.
    if seeds >= SEEDS {
        assert!(sum.acknowledged > sum.events * 8 / 10);
        assert!(sum.duplicates > seeds);
        assert!(sum.crashes > seeds);
        assert!(sum.gone > seeds / 100 && sum.paused > seeds / 100);
        assert!(sum.given_up > seeds / 4);
        assert!(sum.passes > seeds && sum.expired > seeds && sum.overdue > seeds / 4);
    }
}

#[test]
fn a_crash_at_every_commit_point_of_a_run_breaks_no_rule() {
    let mut points = 0;
    for seed in 0..5 {
        let writes = run(seeded(seed)).map_or_else(|v| fail(seeded(seed), &v), |sum| sum.writes);
        let points_of = |n: u64| Scenario {
            crash: Some((n / 3, Point::ALL[n as usize % 3])),
            ..seeded(seed)
        };
        if let Err((scenario, violation)) = run_all(writes * 3, points_of) {
            fail(scenario, &violation);
        }
        points += writes * 3;
    }
    println!("{points} crashes, one at each commit point of five runs");
}

#[test]
fn a_crash_at_every_write_of_a_pass_breaks_no_rule() {
    // With retention by age and by bytes, of what waits and of dead letters; each expires events.
    let seeds = (0..).filter(|seed| run(seeded(*seed)).is_ok_and(|sum| sum.expired > 20));
    let mut points = 0;
    for seed in seeds.take(2) {
        let writes = writes_of_passes(seeded(seed));
        let writes = writes.unwrap_or_else(|violation| fail(seeded(seed), &violation));
        let points_of = |n: u64| Scenario {
            crash: Some((writes[n as usize / 3], Point::ALL[n as usize % 3])),
            ..seeded(seed)
        };
        let count = writes.len() as u64 * 3;
        if let Err((scenario, violation)) = run_all(count, points_of) {
            fail(scenario, &violation);
        }
        points += count;
    }
    println!("{points} crashes, at each write of the passes of two runs");
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..50 {
        let (once, again) = (run(seeded(seed)), run(seeded(seed)));
        assert_eq!(once.unwrap(), again.unwrap(), "seed {seed}");
    }
}

#[test]
fn each_deliberate_fault_is_caught_by_the_rule_it_breaks() {
    for fault in Fault::ALL {
        let with_fault = |seed| Scenario {
            fault: Some(fault),
            ..seeded(seed)
        };
        let mut others = Vec::new();
        let caught = (0..400).find_map(|seed| {
            let rule = run(with_fault(seed)).err()?.rule;
            if fault.breaks().iter().any(|words| rule.contains(words)) {
                return Some((seed, rule));
            }
            others.push(rule);
            None
        });
        let Some((seed, rule)) = caught else {
            panic!("nobody has noticed {fault:?}; what was: {others:#?}");
        };
        println!("{fault:?} is caught by seed {seed}: {rule}");
    }
}
