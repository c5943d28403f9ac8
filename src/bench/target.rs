//! The same load on a server of somebody else's, so that it can be measured by the same tool.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use super::BenchError;
use super::load::Load;
use super::plan::{BODY_BYTES, Plan};
use super::receiver::Receiver;
use super::spread::Spread;
use super::stopwatch::now_ns;
use super::template::{NATIVE, Template};

/// A server, and where it delivers to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens; plain HTTP.
    pub address: SocketAddr,
    /// What is posted to.
    pub path: String,
    /// What it wants beside the body, such as `Authorization: Bearer …`.
    pub headers: Vec<String>,
    /// The body, with the places of `template.rs`; the broker's own form if it has none.
    pub body: Option<String>,
    /// Where the receiver listens that it delivers to, if it does.
    pub sink: Option<SocketAddr>,
    /// Connections that post.
    pub connections: usize,
    /// Events that are posted.
    pub events: u64,
}

/// What it did.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Driven {
    /// Events that it answered with success, a second.
    pub accepted_per_second: f64,
    /// From post to answer.
    pub answered: Spread,
    /// Answers that told the sender to come again.
    pub turned_away: u64,
    /// Events that reached the receiver, a second, from the first post to the last receipt.
    pub delivered_per_second: Option<f64>,
    /// From post to receipt.
    pub received: Option<Spread>,
}

/// Drives it.
pub fn drive(plan: &Plan, target: &Target) -> Result<Driven, BenchError> {
    let receiver = target
        .sink
        .map(|sink| Receiver::listening(plan, &sink.to_string()))
        .transpose()?;
    let body = target.body.as_deref().unwrap_or(NATIVE);
    let host = target.address.to_string();
    let load = Load {
        address: target.address,
        template: Template::new(&host, &target.path, &target.headers, body, BODY_BYTES),
        connections: target.connections,
        events: target.events,
        first: 0,
    };
    let start = now_ns();
    let posted = load.run()?;
    let report = receiver
        .map(|receiver| receiver.wait_for(target.events))
        .transpose()?;
    Ok(Driven {
        accepted_per_second: posted.per_second(),
        answered: posted.latency,
        turned_away: posted.turned_away,
        delivered_per_second: report.as_ref().map(|report| {
            let took = Duration::from_nanos(report.last_ns - start);
            target.events as f64 / took.as_secs_f64()
        }),
        received: report.map(|report| report.latency),
    })
}

impl fmt::Display for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "accepted   {:.0} events/s; answered after {}",
            self.accepted_per_second, self.answered
        )?;
        if self.turned_away > 0 {
            write!(f, "\nturned away {} times", self.turned_away)?;
        }
        if let (Some(per_second), Some(received)) = (self.delivered_per_second, &self.received) {
            write!(
                f,
                "\ndelivered  {per_second:.0} events/s; received after {received}"
            )?;
        }
        Ok(())
    }
}
