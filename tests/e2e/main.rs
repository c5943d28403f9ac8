//! The real binary over real directories: schedules, crashes, bad input, memory, and a receiver
//! that is no twin of our own code.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod broker;
mod endpoints;
mod http;
mod kills;
mod ledger;
mod memory;
mod python;
mod receiver;
mod schedules;

use std::time::Duration;

use redeliver::clock::{Clock, RealClock, Timestamp};

/// What the machine's clock says.
fn now() -> Timestamp {
    RealClock.now()
}

/// Waits until `holds` gives something, looking again and again, for a minute at most.
fn eventually<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let start = now();
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(
            now().since(start) < Duration::from_secs(60),
            "not within a minute: {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
