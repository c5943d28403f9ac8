//! How many events a second go all the way: in, stored, delivered, settled; and what each costs.

use super::flow::{through_broker, through_relay};
use crate::bench::BenchError;
use crate::bench::detail::Used;
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::{Findings, Paced};
use crate::bench::plan::{BODY_BYTES, Plan};

const EVENTS: u64 = 100_000;
const FAN_OUT: usize = 10;

const AGAINST: &str = "a relay without a store between the same sender and receiver";

const RELAY: Goal = Goal {
    name: "relay",
    goal: 0.6,
    better: Better::Higher,
    unit: "deliveries/s",
    against: AGAINST,
};
const FANOUT: Goal = Goal {
    name: "fanout",
    ..RELAY
};
const CPU: Goal = Goal {
    name: "cpu",
    goal: 1.7,
    better: Better::Lower,
    unit: "CPU µs/event",
    against: AGAINST,
};
const WRITTEN: Goal = Goal {
    name: "write_amplification",
    goal: 4.0,
    better: Better::Lower,
    unit: "times the body",
    against: "the body's own bytes",
};

/// One endpoint.
pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let rounds = turns(plan, "relay", 1)?;
    let used = |round: &Paced| round.sample.used;
    let used: Vec<(Used, Used)> = rounds
        .iter()
        .filter_map(|(broker, relay)| used(broker).zip(used(relay)))
        .collect();
    let cpu: Vec<(f64, f64)> = used
        .iter()
        .map(|(broker, relay)| (broker.cpu_us_per_event, relay.cpu_us_per_event))
        .collect();
    let written: Vec<f64> = used
        .iter()
        .map(|(broker, _)| broker.written_bytes_per_event / BODY_BYTES as f64)
        .collect();
    let mut findings = Findings::compared(RELAY, &rounds);
    findings.figures.push(CPU.compared(&cpu));
    findings.figures.push(WRITTEN.alone(&written));
    Ok(findings)
}

/// Ten endpoints, each of which gets every event.
pub fn fan_out(plan: &Plan) -> Result<Findings, BenchError> {
    let rounds = turns(plan, "fanout", FAN_OUT)?;
    Ok(Findings::compared(FANOUT, &rounds))
}

fn turns(plan: &Plan, name: &str, paths: usize) -> Result<Vec<(Paced, Paced)>, BenchError> {
    let events = plan.events(EVENTS / paths as u64);
    plan.in_turns(
        name,
        || through_relay(plan, events, paths),
        || through_broker(plan, events, paths),
    )
}
