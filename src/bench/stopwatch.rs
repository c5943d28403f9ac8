//! The machine's own time. Everything else in this program is told the time by `clock.rs`; a
//! benchmark measures the machine, and compares readings of several processes.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds on the monotonic clock, which all processes of the machine share.
pub fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // It begins at the machine's start and never goes below it.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The time since a reading.
pub fn since(start_ns: u64) -> Duration {
    Duration::from_nanos(now_ns().saturating_sub(start_ns))
}
