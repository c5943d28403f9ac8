//! Whether endpoints with nothing to do, or with nobody to answer, slow down those that are busy.

use super::flow::{endpoints, two_brokers};
use super::{endpoint, policy};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::Findings;
use crate::bench::plan::Plan;
use crate::bench::receiver::Receiver;

const EVENTS: u64 = 10_000;
const BUSY: usize = 10;
const ALL: usize = 10_000;
const DEAD: usize = 1_000;

const IDLE: Goal = Goal {
    name: "endpoints_10k",
    goal: 0.9,
    better: Better::Higher,
    unit: "deliveries/s",
    against: "the same without the 9,990 endpoints that have nothing to do",
};
const RETRYING: Goal = Goal {
    name: "endpoints_dead",
    against: "the same without 1,000 endpoints that refuse, each retried every 5 s",
    ..IDLE
};

pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let receiver = Receiver::start(plan)?;
    let events = plan.events(EVENTS);
    let busy = endpoints(&receiver, BUSY);
    let idle = (BUSY..ALL).map(|n| {
        endpoint(&format!("idle-{n}"), &receiver.url("/idle"), 1) + "events = [\"nothing.ever\"]\n"
    });
    // Nobody listens on the discard port of loopback.
    let dead = (0..DEAD).map(|n| {
        format!("[[endpoint]]\nname = \"dead-{n}\"\nurl = \"http://127.0.0.1:9/\"\npolicy = \"stubborn\"\nevents = [\"dead.*\"]\n")
    });
    let alone = Broker::start(plan, &busy)?;
    let among_idle = Broker::start(plan, &(busy.clone() + &idle.collect::<String>()))?;
    let idle = two_brokers(plan, IDLE, &receiver, (&alone, &among_idle), events, BUSY)?;
    drop(among_idle);
    let among_dead = Broker::start(
        plan,
        &(policy("stubborn", "independent", "5s") + &busy + &dead.collect::<String>()),
    )?;
    among_dead.ask("POST", "/v1/events", r#"{"type":"dead.letter","data":{}}"#)?;
    let dead = two_brokers(
        plan,
        RETRYING,
        &receiver,
        (&alone, &among_dead),
        events,
        BUSY,
    )?;
    Ok(idle.and(dead))
}
