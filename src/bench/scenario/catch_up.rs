//! How fast a receiver is served that is back after an outage.

use super::{flow, in_order, policy, put_in};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::{Findings, Paced};
use crate::bench::plan::{CONCURRENCY, Plan};
use crate::bench::receiver::Receiver;

const EVENTS: u64 = 100_000;

const INDEPENDENT: Goal = Goal {
    name: "catch_up",
    goal: 0.9,
    better: Better::Higher,
    unit: "deliveries/s",
    against: "events that are delivered as they come",
};
const IN_ORDER: Goal = Goal {
    name: "catch_up_in_order",
    against: "the same without an outage",
    ..INDEPENDENT
};

pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let events = plan.events(EVENTS);
    let rounds = plan.in_turns(
        "catch-up",
        || flow::through_broker(plan, events, 1),
        || after_an_outage(plan, events, impatient),
    )?;
    let ordered = plan.in_turns(
        "catch-up in order",
        || in_order::through_broker(plan, events / 2),
        || after_an_outage(plan, events / 2, in_order::endpoint),
    )?;
    let independent = Findings::compared(INDEPENDENT, &rounds);
    Ok(independent.and(Findings::compared(IN_ORDER, &ordered)))
}

/// Retried every second, so that it is not the schedule that is measured.
fn impatient(receiver: &Receiver) -> String {
    let policy = policy("impatient", "independent", "1s");
    format!(
        "{policy}[[endpoint]]\nname = \"bench\"\nurl = \"{}\"\npolicy = \"impatient\"\n\
         concurrency = {CONCURRENCY}\n",
        receiver.url("/")
    )
}

/// All events come in while the receiver refuses; then it is back.
fn after_an_outage(
    plan: &Plan,
    events: u64,
    endpoint: impl Fn(&Receiver) -> String,
) -> Result<Paced, BenchError> {
    let mut receiver = Receiver::start(plan)?;
    let broker = Broker::start(plan, &endpoint(&receiver))?;
    receiver.stop();
    let before = broker.usage()?;
    put_in(&broker, events)?;
    receiver.start_again(plan)?;
    let report = receiver.wait_for(events)?;
    let used = Used::between(before, broker.usage()?, events);
    Ok(Paced {
        per_second: report.per_second(),
        sample: Sample {
            latency: None,
            used: Some(used),
        },
    })
}
