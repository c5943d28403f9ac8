//! The real broker, as a user starts it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::http::ask;
use super::plan::Plan;
use super::process::{Process, Usage};
use super::{BenchError, past};

/// A broker with a data directory of its own, both gone when this is dropped.
pub struct Broker {
    process: Option<Process>,
    plan: Plan,
    place: tempfile::TempDir,
}

impl Broker {
    /// A new one under `config`, a configuration's text.
    pub fn start(plan: &Plan, config: &str) -> Result<Self, BenchError> {
        Self::with_past(plan, config, 0)
    }

    /// One with so many events in its log that nobody waits for.
    pub fn with_past(plan: &Plan, config: &str, events: u64) -> Result<Self, BenchError> {
        let mut broker = Self::stopped_with_past(plan, config, events)?;
        broker.start_again()?;
        Ok(broker)
    }

    /// The same, not started yet.
    pub fn stopped_with_past(plan: &Plan, config: &str, events: u64) -> Result<Self, BenchError> {
        let broker = Self {
            process: None,
            plan: plan.clone(),
            place: plan.folder()?,
        };
        let path = broker.path("redeliver.toml");
        fs::write(&path, config).map_err(BenchError::system(path.display().to_string()))?;
        if events > 0 {
            past::fill(&broker.path("data"), events)?;
        }
        Ok(broker)
    }

    /// Starts it on the data that it left.
    pub fn start_again(&mut self) -> Result<(), BenchError> {
        let (config, data) = (self.path("redeliver.toml"), self.path("data"));
        let arguments = [
            "--log",
            "warn",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--config",
            text(&config)?,
            "--data",
            text(&data)?,
        ];
        let started = Process::start(&self.plan.fleet, &arguments, &self.path("log"))?;
        self.process = Some(started);
        Ok(())
    }

    pub fn address(&self) -> Result<SocketAddr, BenchError> {
        Ok(self.running()?.address)
    }

    pub fn usage(&self) -> Result<Usage, BenchError> {
        self.running()?.usage()
    }

    /// Asks its API.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, BenchError> {
        ask(self.address()?, method, path, body)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn running(&self) -> Result<&Process, BenchError> {
        let stopped = || BenchError::Failed("the broker is not running".to_owned());
        self.process.as_ref().ok_or_else(stopped)
    }
}

fn text(path: &Path) -> Result<&str, BenchError> {
    let odd = || {
        BenchError::Failed(format!(
            "{} is no text; choose another --dir",
            path.display()
        ))
    };
    path.to_str().ok_or_else(odd)
}
