//! How many events a second go all the way: in, stored, delivered, settled; and what each costs.

use super::flow::{Flowed, through_broker, through_relay};
use crate::bench::BenchError;
use crate::bench::figure::{Better, Figure, Goal};
use crate::bench::plan::Plan;

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
pub fn run(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let rounds = turns(plan, "relay", 1)?;
    let written: Vec<f64> = rounds
        .iter()
        .map(|(broker, _)| broker.written_per_byte)
        .collect();
    Ok(vec![
        RELAY.compared(&compared(&rounds, |round| round.per_second)),
        CPU.compared(&compared(&rounds, |round| round.cpu_us)),
        WRITTEN.alone(&written),
    ])
}

/// Ten endpoints, each of which gets every event.
pub fn fan_out(plan: &Plan) -> Result<Vec<Figure>, BenchError> {
    let rounds = turns(plan, "fanout", FAN_OUT)?;
    Ok(vec![
        FANOUT.compared(&compared(&rounds, |round| round.per_second)),
    ])
}

fn turns(plan: &Plan, name: &str, paths: usize) -> Result<Vec<(Flowed, Flowed)>, BenchError> {
    let events = plan.events(EVENTS / paths as u64);
    plan.in_turns(
        name,
        || through_relay(plan, events, paths),
        || through_broker(plan, events, paths),
    )
}

fn compared(rounds: &[(Flowed, Flowed)], pick: fn(&Flowed) -> f64) -> Vec<(f64, f64)> {
    rounds
        .iter()
        .map(|(broker, relay)| (pick(broker), pick(relay)))
        .collect()
}
