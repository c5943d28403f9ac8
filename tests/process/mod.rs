//! The real binary as a process, a client and a receiver of plain sockets beside it.

#![allow(dead_code, reason = "each test crate uses its own part")]

pub mod broker;
pub mod http;
pub mod receiver;
pub mod source;

use std::time::Duration;

use redeliver::clock::{Clock, RealClock, Timestamp};

/// What the machine's clock says.
pub fn now() -> Timestamp {
    RealClock.now()
}

/// Waits until `holds` gives something, looking again and again, for two minutes at most.
#[track_caller]
pub fn eventually<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let start = now();
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(
            now().since(start) < Duration::from_secs(120),
            "not within two minutes: {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
