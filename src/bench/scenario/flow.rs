//! Events all the way, from a sender through something to a receiver.

use std::net::SocketAddr;
use std::time::Duration;

use super::{endpoint, settled};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Until, Used};
use crate::bench::figure::Goal;
use crate::bench::findings::{Findings, Paced};
use crate::bench::load::Load;
use crate::bench::plan::{CONCURRENCY, Plan, native};
use crate::bench::process::{Process, Usage};
use crate::bench::receiver::Receiver;
use crate::bench::stopwatch::now_ns;

/// Connections of the sender.
pub const CONNECTIONS: usize = 64;

/// Through a relay, which passes every event on to so many paths.
pub fn through_relay(plan: &Plan, events: u64, paths: usize) -> Result<Paced, BenchError> {
    let receiver = Receiver::start(plan)?;
    let place = plan.folder()?;
    let connections = (CONCURRENCY / paths).to_string();
    let urls: Vec<String> = (0..paths).map(|n| receiver.url(&format!("/{n}"))).collect();
    let mut arguments = vec!["bench-part", "relay", "--connections", &connections];
    for url in &urls {
        arguments.extend(["--to", url]);
    }
    let relay = Process::start(&plan.fleet, &arguments, &place.path().join("log"))?;
    measure(relay.address, &receiver, events, paths, || relay.usage())
}

/// Through a new broker.
pub fn through_broker(plan: &Plan, events: u64, paths: usize) -> Result<Paced, BenchError> {
    let receiver = Receiver::start(plan)?;
    let broker = Broker::start(plan, &endpoints(&receiver, paths))?;
    through(&broker, &receiver, events, paths)
}

/// Through two brokers in turns, of which the first is the baseline.
pub fn two_brokers(
    plan: &Plan,
    goal: Goal,
    receiver: &Receiver,
    (baseline, broker): (&Broker, &Broker),
    events: u64,
    paths: usize,
) -> Result<Findings, BenchError> {
    let rounds = plan.in_turns(
        goal.name,
        || through(baseline, receiver, events, paths),
        || through(broker, receiver, events, paths),
    )?;
    Ok(Findings::compared(goal, &rounds))
}

/// Through a broker that has an endpoint for each of so many paths.
fn through(
    broker: &Broker,
    receiver: &Receiver,
    events: u64,
    paths: usize,
) -> Result<Paced, BenchError> {
    measure(broker.address()?, receiver, events, paths, || {
        settled(broker)?;
        broker.usage()
    })
}

/// An endpoint for each path, which share the bound of attempts.
pub fn endpoints(receiver: &Receiver, paths: usize) -> String {
    let each = |n| {
        endpoint(
            &format!("bench-{n}"),
            &receiver.url(&format!("/{n}")),
            CONCURRENCY / paths,
        )
    };
    (0..paths).map(each).collect()
}

/// Deliveries, from the first post to the last receipt. A tenth of the events first, uncounted.
fn measure(
    address: SocketAddr,
    receiver: &Receiver,
    events: u64,
    paths: usize,
    usage: impl Fn() -> Result<Usage, BenchError>,
) -> Result<Paced, BenchError> {
    let warm = (events / 10).max(1);
    let load = Load {
        address,
        template: native(),
        connections: CONNECTIONS,
        events: warm,
        first: events,
    };
    receiver.reset()?;
    load.run()?;
    receiver.wait_for(warm * paths as u64)?;
    receiver.reset()?;
    let before = usage()?;
    let start = now_ns();
    Load {
        events,
        first: 0,
        ..load
    }
    .run()?;
    let deliveries = events * paths as u64;
    let report = receiver.wait_for(deliveries)?;
    let after = usage()?;
    let took = Duration::from_nanos(report.last_ns - start);
    Ok(Paced {
        per_second: deliveries as f64 / took.as_secs_f64(),
        sample: Sample {
            latency: Some((Until::Received, report.latency)),
            used: Some(Used::between(before, after, events)),
        },
    })
}
