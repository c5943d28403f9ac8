//! How much longer a start takes with a long log.

use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::figure::{Better, Figure, Goal};
use crate::bench::plan::Plan;
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
pub fn run(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let long = plan.events(if plan.large { VERY_LONG } else { LONG });
    let rounds = if plan.large { 1 } else { plan.rounds };
    let mut more = Vec::new();
    for round in 0..rounds {
        plan.tell(&format!(
            "startup: round {} of {rounds}, filling a log with {long} events",
            round + 1
        ));
        more.push(start(plan, long)? - start(plan, SHORT)?);
    }
    Ok(vec![GOAL.alone(&more)])
}

/// Seconds until it listens.
fn start(plan: &Plan, events: u64) -> Result<f64, BenchError> {
    let mut broker = Broker::stopped_with_past(plan, "", events)?;
    let started = now_ns();
    broker.start_again()?;
    Ok(since(started).as_secs_f64())
}
