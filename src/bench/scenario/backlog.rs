//! Whether a long log, or a long queue, makes anything slower or larger.

use super::flow::{endpoints, two_brokers};
use super::{endpoint, put_in};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Detail, Sample, Side, Until, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::Findings;
use crate::bench::plan::{CONCURRENCY, Plan};
use crate::bench::receiver::Receiver;

const EVENTS: u64 = 50_000;
const MILLION: u64 = 1_000_000;
/// As many as wait in a quick run: each is tried and refused while others come in, which is slow.
const FEW: u64 = 10_000;

const BEHIND: Goal = Goal {
    name: "backlog_1m",
    goal: 0.9,
    better: Better::Higher,
    unit: "deliveries/s",
    against: "the same on an empty log",
};
const FAR_BEHIND: Goal = Goal {
    name: "backlog_10m",
    ..BEHIND
};
const WAITING: Goal = Goal {
    name: "rss_1m",
    goal: 256.0,
    better: Better::Lower,
    unit: "MiB",
    against: "peak memory with a million events of 500 B waiting",
};

/// Deliveries a second with old events in the log, and the memory of as many that wait.
pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let mut findings = behind(plan, BEHIND, MILLION)?;
    if plan.large {
        findings = findings.and(behind(plan, FAR_BEHIND, 10 * MILLION)?);
    }
    Ok(findings.and(waiting(plan)?))
}

/// Both brokers stay for all rounds: only one of them has a past.
fn behind(plan: &Plan, goal: Goal, past: u64) -> Result<Findings, BenchError> {
    let receiver = Receiver::start(plan)?;
    let config = endpoints(&receiver, 1);
    let new = Broker::start(plan, &config)?;
    plan.tell(&format!("{}: filling a log", goal.name));
    let old = Broker::with_past(plan, &config, plan.events(past))?;
    let events = plan.events(EVENTS);
    two_brokers(plan, goal, &receiver, (&new, &old), events, 1)
}

/// The receiver refuses every connection.
fn waiting(plan: &Plan) -> Result<Findings, BenchError> {
    plan.tell("rss_1m: filling a queue");
    let mut receiver = Receiver::start(plan)?;
    let broker = Broker::start(plan, &endpoint("bench", &receiver.url("/"), CONCURRENCY))?;
    receiver.stop();
    let events = if plan.shrink > 1 { FEW } else { MILLION };
    let before = broker.usage()?;
    let posted = put_in(&broker, events)?;
    let used = Used::between(before, broker.usage()?, events);
    let sample = Sample {
        latency: Some((Until::Answered, posted.latency)),
        used: Some(used),
    };
    Ok(Findings {
        figures: vec![WAITING.alone(&[used.peak_rss_bytes / f64::from(1 << 20)])],
        details: vec![Detail::of(WAITING.name, Side::Broker, &[sample])],
    })
}
