//! Events all the way, from a sender through something to a receiver.

use std::net::SocketAddr;
use std::time::Duration;

use super::{endpoint, settled};
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::figure::{Figure, Goal};
use crate::bench::load::Load;
use crate::bench::plan::{BODY_BYTES, CONCURRENCY, Plan, native};
use crate::bench::process::{Process, Usage};
use crate::bench::receiver::Receiver;
use crate::bench::stopwatch::now_ns;

/// Connections of the sender.
pub const CONNECTIONS: usize = 64;

/// What one round says.
#[derive(Clone, Copy, Debug)]
pub struct Flowed {
    /// Deliveries, from the first post to the last receipt.
    pub per_second: f64,
    /// Processor time of a delivery, of what is between sender and receiver.
    pub cpu_us: f64,
    /// What it wrote to the disk for a byte of body.
    pub written_per_byte: f64,
}

/// Through a relay, which passes every event on to so many paths.
pub fn through_relay(plan: &Plan, events: u64, paths: usize) -> Result<Flowed, BenchError> {
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
pub fn through_broker(plan: &Plan, events: u64, paths: usize) -> Result<Flowed, BenchError> {
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
) -> Result<Figure, BenchError> {
    let rounds = plan.in_turns(
        goal.name,
        || through(baseline, receiver, events, paths),
        || through(broker, receiver, events, paths),
    )?;
    let rounds: Vec<(f64, f64)> = rounds
        .iter()
        .map(|(broker, baseline)| (broker.per_second, baseline.per_second))
        .collect();
    Ok(goal.compared(&rounds))
}

/// Through a broker that has an endpoint for each of so many paths.
fn through(
    broker: &Broker,
    receiver: &Receiver,
    events: u64,
    paths: usize,
) -> Result<Flowed, BenchError> {
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

/// A tenth of the events first, uncounted.
fn measure(
    address: SocketAddr,
    receiver: &Receiver,
    events: u64,
    paths: usize,
    usage: impl Fn() -> Result<Usage, BenchError>,
) -> Result<Flowed, BenchError> {
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
    let each = |value: f64| value / deliveries as f64;
    Ok(Flowed {
        per_second: deliveries as f64 / took.as_secs_f64(),
        cpu_us: each((after.cpu - before.cpu).as_secs_f64() * 1e6),
        written_per_byte: each((after.written_bytes - before.written_bytes) as f64)
            / BODY_BYTES as f64,
    })
}
