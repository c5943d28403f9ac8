//! How much is measured, and with what.

use std::path::PathBuf;
use std::sync::Arc;

use super::BenchError;
use super::process::Fleet;
use super::template::{NATIVE, Template};

/// The body of an event, in bytes.
pub const BODY_BYTES: usize = 500;

/// Attempts at once that independent endpoints are given.
pub const CONCURRENCY: usize = 64;

/// What every scenario is told.
#[derive(Clone)]
pub struct Plan {
    /// How often the baseline and the broker take turns.
    pub rounds: usize,
    /// What the numbers of events are divided by: 1 for a figure to rely on.
    pub shrink: u64,
    /// Whether logs of ten million events are measured, too.
    pub large: bool,
    /// Where the data directories are made; on the disk that is to be measured.
    pub dir: PathBuf,
    /// All processes of this run.
    pub fleet: Fleet,
    /// Told what is being done.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Plan {
    /// A number of events, fewer in a quick run.
    pub fn events(&self, full: u64) -> u64 {
        (full / self.shrink).max(1)
    }

    /// A folder of its own.
    pub fn folder(&self) -> Result<tempfile::TempDir, BenchError> {
        let made = tempfile::Builder::new()
            .prefix("redeliver-bench-")
            .tempdir_in(&self.dir);
        made.map_err(BenchError::system(self.dir.display().to_string()))
    }

    /// Says what is being done.
    pub fn tell(&self, what: &str) {
        (self.progress)(what);
    }

    /// The broker and its baseline in turns, the baseline first in every other round: what warms
    /// the machine up, or slows it down, must not always favour the same.
    pub fn in_turns<A, B>(
        &self,
        name: &str,
        mut baseline: impl FnMut() -> Result<A, BenchError>,
        mut broker: impl FnMut() -> Result<B, BenchError>,
    ) -> Result<Vec<(B, A)>, BenchError> {
        let mut rounds = Vec::new();
        for round in 0..self.rounds {
            let step = |side: &str| {
                self.tell(&format!(
                    "{name}: round {} of {}, {side}",
                    round + 1,
                    self.rounds
                ))
            };
            rounds.push(if round % 2 == 0 {
                step("baseline");
                let a = baseline()?;
                step("broker");
                (broker()?, a)
            } else {
                step("broker");
                let b = broker()?;
                step("baseline");
                (b, baseline()?)
            });
        }
        Ok(rounds)
    }
}

/// An event of the usual size in the broker's own form.
pub fn native() -> Template {
    Template::new("127.0.0.1", "/v1/events", &[], NATIVE, BODY_BYTES)
}
