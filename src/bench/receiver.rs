//! The receiver as the scenarios see it: a process that counts what comes.

use std::net::SocketAddr;
use std::time::Duration;

use super::BenchError;
use super::http::ask;
use super::part::sink::Report;
use super::plan::Plan;
use super::process::Process;
use super::stopwatch::{now_ns, since};

/// How often it is asked; each asking takes a little of what is measured.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long it may go without anything new before the deliverer is said to have stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that receives.
pub struct Receiver {
    process: Option<Process>,
    /// Where it listens.
    pub address: SocketAddr,
    _place: tempfile::TempDir,
}

impl Receiver {
    pub fn start(plan: &Plan) -> Result<Self, BenchError> {
        Self::listening(plan, "127.0.0.1:0")
    }

    /// At an address of somebody's choice.
    pub fn listening(plan: &Plan, listen: &str) -> Result<Self, BenchError> {
        let place = plan.folder()?;
        let arguments = ["bench-part", "sink", "--listen", listen];
        let process = Process::start(&plan.fleet, &arguments, &place.path().join("log"))?;
        Ok(Self {
            address: process.address,
            process: Some(process),
            _place: place,
        })
    }

    /// It is there no more, and refuses connections.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// It is there again, at the same address.
    pub fn start_again(&mut self, plan: &Plan) -> Result<(), BenchError> {
        *self = Self::listening(plan, &self.address.to_string())?;
        Ok(())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn report(&self) -> Result<Report, BenchError> {
        let answer = ask(self.address, "GET", "/report", "")?;
        serde_json::from_slice(&answer)
            .map_err(|error| BenchError::Failed(format!("the receiver's report: {error}")))
    }

    /// Waits until it has seen `distinct` deliveries.
    pub fn wait_for(&self, distinct: u64) -> Result<Report, BenchError> {
        let (mut last, mut moved) = (0, now_ns());
        loop {
            let report = self.report()?;
            if report.distinct >= distinct {
                return Ok(report);
            }
            if report.distinct > last {
                (last, moved) = (report.distinct, now_ns());
            } else if since(moved) > PATIENCE {
                return Err(BenchError::Failed(format!(
                    "the receiver has seen {last} of {distinct} deliveries, and none for {} s",
                    PATIENCE.as_secs()
                )));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Forgets what it has seen.
    pub fn reset(&self) -> Result<(), BenchError> {
        ask(self.address, "POST", "/reset", "").map(drop)
    }
}
