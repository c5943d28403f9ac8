//! How much longer a start takes with a long log.

use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::Findings;
use crate::bench::plan::Plan;
use crate::bench::process::Usage;
use crate::bench::stopwatch::{now_ns, since};

const LONG: u64 = 1_000_000;
const VERY_LONG: u64 = 10_000_000;
const SHORT: u64 = 10_000;

const GOAL: Goal = Goal {
    name: "startup",
    goal: 1.5,
    better: Better::Lower,
    unit: "s more",
    against: "a start with 10,000 events",
};

/// The first start after each fill: a start leaves what makes the next one quicker.
pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let long = plan.events(if plan.large { VERY_LONG } else { LONG });
    let rounds = if plan.large { 1 } else { plan.rounds };
    let (mut more, mut sides) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        plan.tell(&format!(
            "startup: round {} of {rounds}, filling a log with {long} events",
            round + 1
        ));
        let (long, short) = (start(plan, long)?, start(plan, SHORT)?);
        more.push(long.0 - short.0);
        sides.push((long.1, short.1));
    }
    Ok(Findings::of(vec![GOAL.alone(&more)], &sides))
}

/// Seconds until it listens, and what it had used by then for each event of its log.
fn start(plan: &Plan, events: u64) -> Result<(f64, Sample), BenchError> {
    let mut broker = Broker::stopped_with_past(plan, "", events)?;
    let started = now_ns();
    broker.start_again()?;
    let took = since(started).as_secs_f64();
    let used = Used::between(Usage::default(), broker.usage()?, events);
    let sample = Sample {
        latency: None,
        used: Some(used),
    };
    Ok((took, sample))
}
