//! How fast one endpoint is served that wants its events one after another.

use super::{policy, put_in};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Until, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::{Findings, Paced};
use crate::bench::load::Load;
use crate::bench::plan::{Plan, native};
use crate::bench::receiver::Receiver;

const EVENTS: u64 = 50_000;

const GOAL: Goal = Goal {
    name: "in_order",
    goal: 0.8,
    better: Better::Higher,
    unit: "deliveries/s",
    against: "one connection that posts one event after another to the same receiver",
};

/// An endpoint whose deliveries are in order.
pub fn endpoint(receiver: &Receiver) -> String {
    let policy = policy("ordered", "in-order", "1s");
    format!(
        "{policy}[[endpoint]]\nname = \"ordered\"\nurl = \"{}\"\npolicy = \"ordered\"\n",
        receiver.url("/")
    )
}

pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let events = plan.events(EVENTS);
    let rounds = plan.in_turns(
        "in-order",
        || one_by_one(plan, events),
        || through_broker(plan, events),
    )?;
    Ok(Findings::compared(GOAL, &rounds))
}

fn one_by_one(plan: &Plan, events: u64) -> Result<Paced, BenchError> {
    let receiver = Receiver::start(plan)?;
    let load = Load {
        address: receiver.address,
        template: native(),
        connections: 1,
        events,
        first: 0,
    };
    let posted = load.run()?;
    Ok(Paced {
        per_second: posted.per_second(),
        sample: Sample {
            latency: Some((Until::Answered, posted.latency)),
            used: None,
        },
    })
}

/// The events are there before the first is delivered, so that taking them costs nothing of what
/// is measured, as it costs the baseline nothing.
pub fn through_broker(plan: &Plan, events: u64) -> Result<Paced, BenchError> {
    let receiver = Receiver::start(plan)?;
    let broker = Broker::start(plan, &endpoint(&receiver))?;
    broker.ask("POST", "/v1/endpoints/ordered/pause", "")?;
    let before = broker.usage()?;
    put_in(&broker, events)?;
    broker.ask("POST", "/v1/endpoints/ordered/resume", "")?;
    let report = receiver.wait_for(events)?;
    let used = Used::between(before, broker.usage()?, events);
    if report.inversions > 0 {
        return Err(BenchError::Failed(format!(
            "{} deliveries were out of order",
            report.inversions
        )));
    }
    Ok(Paced {
        per_second: report.per_second(),
        sample: Sample {
            latency: None,
            used: Some(used),
        },
    })
}
