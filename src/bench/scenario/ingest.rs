//! How many events a second are taken, each answered when it is on disk.

use std::net::SocketAddr;

use crate::bench::BenchError;
use crate::bench::broker::Broker;
use crate::bench::detail::{Sample, Until, Used};
use crate::bench::figure::{Better, Goal};
use crate::bench::findings::{Findings, Paced};
use crate::bench::load::Load;
use crate::bench::plan::{Plan, native};
use crate::bench::process::{Process, Usage};

const EVENTS: u64 = 150_000;

const BARE: &str = "the same load on bare hyper that answers at once";
const RAW: &str = "the same load on bare hyper over a plain file with fdatasync";

/// The figures of each number of connections.
const GOALS: [(usize, [Goal; 2]); 2] = [
    (
        64,
        [
            goal("ingest_c64", 0.5, BARE),
            goal("ingest_raw_c64", 0.9, RAW),
        ],
    ),
    (
        256,
        [
            goal("ingest_c256", 0.65, BARE),
            goal("ingest_raw_c256", 0.9, RAW),
        ],
    ),
];

const fn goal(name: &'static str, goal: f64, against: &'static str) -> Goal {
    Goal {
        name,
        goal,
        better: Better::Higher,
        unit: "events/s",
        against,
    }
}

pub fn run(plan: &Plan) -> Result<Findings, BenchError> {
    let mut findings = Findings::default();
    for (connections, [bare, raw]) in GOALS {
        let rounds = plan.in_turns(
            &format!("ingest, {connections} connections"),
            || {
                Ok((
                    part(plan, "bare", connections)?,
                    part(plan, "raw", connections)?,
                ))
            },
            || {
                let broker = Broker::start(plan, "")?;
                post(plan, broker.address()?, connections, || broker.usage())
            },
        )?;
        let against = |goal, pick: fn(&(Paced, Paced)) -> Paced| {
            let rounds = rounds.iter().map(|(broker, parts)| (*broker, pick(parts)));
            Findings::compared(goal, &rounds.collect::<Vec<_>>())
        };
        findings = findings
            .and(against(bare, |(bare, _)| *bare))
            .and(against(raw, |(_, raw)| *raw));
    }
    Ok(findings)
}

fn part(plan: &Plan, name: &str, connections: usize) -> Result<Paced, BenchError> {
    let place = plan.folder()?;
    let file = place.path().join("raw");
    let file = file.to_string_lossy();
    let mut arguments = vec!["bench-part", name];
    if name == "raw" {
        arguments.extend(["--file", &file]);
    }
    let server = Process::start(&plan.fleet, &arguments, &place.path().join("log"))?;
    post(plan, server.address, connections, || server.usage())
}

/// A tenth of it first, uncounted: connections, caches and the allocator are warm then.
fn post(
    plan: &Plan,
    address: SocketAddr,
    connections: usize,
    usage: impl Fn() -> Result<Usage, BenchError>,
) -> Result<Paced, BenchError> {
    let events = plan.events(EVENTS);
    let load = Load {
        address,
        template: native(),
        connections,
        events: events / 10,
        first: events,
    };
    load.run()?;
    let before = usage()?;
    let posted = Load {
        events,
        first: 0,
        ..load
    }
    .run()?;
    Ok(Paced {
        per_second: posted.per_second(),
        sample: Sample {
            latency: Some((Until::Answered, posted.latency)),
            used: Some(Used::between(before, usage()?, events)),
        },
    })
}
