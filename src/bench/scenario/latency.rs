//! How long an event takes from post to receipt where there is no hurry.

use std::fs::File;
use std::io::Write;

use super::endpoint;
use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Until, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::Findings;
use crate::bench::http::Connection;
use crate::bench::load::{post_one, steadily};
use crate::bench::plan::{CONCURRENCY, Plan, native};
use crate::bench::receiver::Receiver;
use crate::bench::spread::Spread;

const EVENTS: u64 = 2_000;
/// Of fewer, the 99th percentile would be the slowest one.
const EVENTS_MIN: u64 = 200;
const PER_SECOND: u64 = 100;

const P50: Goal = Goal {
    name: "latency_p50",
    goal: 1.5,
    better: Better::Lower,
    unit: "ms",
    against: "one fdatasync of a plain file and one bare post",
};
const P99: Goal = Goal {
    name: "latency_p99",
    goal: 3.0,
    ..P50
};

pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let events = plan.events(EVENTS).max(EVENTS_MIN);
    let rounds = plan.in_turns(
        "latency",
        || by_hand(plan, events),
        || through_broker(plan, events),
    )?;
    let compared = |pick: fn(&Spread) -> f64| -> Vec<(f64, f64)> {
        rounds
            .iter()
            .map(|((broker, _), baseline)| (pick(broker), pick(baseline)))
            .collect()
    };
    let figures = vec![
        P50.compared(&compared(|spread| spread.p50_ms)),
        P99.compared(&compared(|spread| spread.p99_ms)),
    ];
    let sample = |latency, used| Sample {
        latency: Some((Until::Received, latency)),
        used,
    };
    let sides: Vec<(Sample, Sample)> = rounds
        .iter()
        .map(|((broker, used), hand)| (sample(*broker, Some(*used)), sample(*hand, None)))
        .collect();
    Ok(Findings::of(figures, &sides))
}

fn by_hand(plan: &Plan, events: u64) -> Result<Spread, BenchError> {
    let receiver = Receiver::start(plan)?;
    let place = plan.folder()?;
    let posting = || -> std::io::Result<()> {
        let mut file = File::create(place.path().join("raw"))?;
        let mut connection = Connection::open(receiver.address)?;
        let mut template = native();
        steadily(events, PER_SECOND, |number, began| {
            let request = template.fill(number, began);
            file.write_all(request)?;
            file.sync_data()?;
            post_one(&mut connection, request)
        })
    };
    posting().map_err(BenchError::system("a file and a post"))?;
    Ok(receiver.wait_for(events)?.latency)
}

fn through_broker(plan: &Plan, events: u64) -> Result<(Spread, Used), BenchError> {
    let receiver = Receiver::start(plan)?;
    let broker = Broker::start(plan, &endpoint("bench", &receiver.url("/"), CONCURRENCY))?;
    let address = broker.address()?;
    let before = broker.usage()?;
    let posting = || -> std::io::Result<()> {
        let mut connection = Connection::open(address)?;
        let mut template = native();
        steadily(events, PER_SECOND, |number, began| {
            post_one(&mut connection, template.fill(number, began))
        })
    };
    posting().map_err(BenchError::system("posting to the broker"))?;
    let latency = receiver.wait_for(events)?.latency;
    Ok((latency, Used::between(before, broker.usage()?, events)))
}
