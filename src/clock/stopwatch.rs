//! How long something takes, in the machine's own time.

use std::time::{Duration, Instant};

use super::monotonic;

/// Measures what the machine takes, whatever clock the broker runs on. For figures, and for patience
/// beside a manual clock: nothing that is delivered depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(monotonic())
    }

    /// How long it has been running.
    pub fn elapsed(self) -> Duration {
        monotonic().saturating_duration_since(self.0)
    }
}
