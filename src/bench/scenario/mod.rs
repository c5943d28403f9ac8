//! One file a question.

mod backlog;
mod catch_up;
mod endpoints;
mod flow;
mod in_order;
mod ingest;
mod latency;
mod relay;
mod startup;

use super::BenchError;
use super::broker::Broker;
use super::findings::Findings;
use super::load::{Load, Posted};
use super::plan::{Plan, native};

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Events taken and synced, against a server that answers at once and against a plain file
    Ingest,
    /// Events in, stored, delivered and settled, against a relay without a store
    Relay,
    /// The same to ten endpoints
    Fanout,
    /// One endpoint in order, against one connection that posts one after another
    InOrder,
    /// From post to receipt at 100 events a second, against a sync and a post
    Latency,
    /// With a million events behind it; and the memory of a million that wait
    Backlog,
    /// With 10,000 endpoints of which 10 are busy; with 1,000 that refuse
    Endpoints,
    /// A start with a long log
    Startup,
    /// A receiver that is back after an outage
    CatchUp,
    /// All of these
    All,
}

impl Scenario {
    /// Each of them, in the order of the table.
    pub const EACH: &[Self] = &[
        Self::Ingest,
        Self::Relay,
        Self::Fanout,
        Self::InOrder,
        Self::Latency,
        Self::Backlog,
        Self::Endpoints,
        Self::Startup,
        Self::CatchUp,
    ];

    /// Measures it.
    pub fn run(self, plan: &Plan) -> Result<Findings, BenchError> {
        match self {
            Self::Ingest => ingest::run(plan),
            Self::Relay => relay::run(plan),
            Self::Fanout => relay::fan_out(plan),
            Self::InOrder => in_order::run(plan),
            Self::Latency => latency::run(plan),
            Self::Backlog => backlog::run(plan),
            Self::Endpoints => endpoints::run(plan),
            Self::Startup => startup::run(plan),
            Self::CatchUp => catch_up::run(plan),
            Self::All => {
                let mut findings = Findings::default();
                for scenario in Self::EACH {
                    findings = findings.and(scenario.run(plan)?);
                }
                Ok(findings)
            }
        }
    }
}

/// The `[[endpoint]]` of one independent receiver, signed as receivers want it.
fn endpoint(name: &str, url: &str, concurrency: usize) -> String {
    format!(
        "[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\npolicy = \"standard\"\n\
         signing_key = \"whsec_YmVuY2htYXJrIGtleSwgbm90IGEgc2VjcmV0\"\nconcurrency = {concurrency}\n"
    )
}

/// A policy that tries again after the same time for ever.
fn policy(name: &str, order: &str, every: &str) -> String {
    format!(
        "[policy.{name}]\norder = \"{order}\"\nsuccess = \"2xx\"\n\
         backoff = {{ first = \"{every}\", factor = 1, max = \"{every}\" }}\n\
         on_410 = \"retry\"\ntimeout = \"10s\"\n"
    )
}

/// Waits until nothing waits to be delivered to those who answer.
fn settled(broker: &Broker) -> Result<(), BenchError> {
    loop {
        let listed = broker.ask("GET", "/v1/endpoints", "")?;
        let endpoints: serde_json::Value = serde_json::from_slice(&listed).unwrap_or_default();
        let items = endpoints["data"].as_array().cloned().unwrap_or_default();
        // Those that the benchmark leaves with something to do are called otherwise.
        let is_ours = |endpoint: &&serde_json::Value| {
            let name = endpoint["name"].as_str();
            name.is_some_and(|name| name.starts_with("bench"))
        };
        let mut ours = items.iter().filter(is_ours);
        if ours.all(|endpoint| endpoint["backlog"] == 0) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Posts so many events, and makes sure that a new broker's log has every one of them.
fn put_in(broker: &Broker, events: u64) -> Result<Posted, BenchError> {
    let load = Load {
        address: broker.address()?,
        template: native(),
        connections: flow::CONNECTIONS,
        events,
        first: 0,
    };
    let posted = load.run()?;
    let listed = broker.ask("GET", "/v1/events?limit=1", "")?;
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap_or_default();
    let last = listed["data"][0]["seq"].as_u64().unwrap_or(0);
    if last == events {
        return Ok(posted);
    }
    Err(BenchError::Failed(format!(
        "{events} events were answered 202, and the last one in the log is {last}"
    )))
}
