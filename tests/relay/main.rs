//! Relay intake over the real binary: vendors' requests go in at `/in/{source}`, and what is believed
//! goes out again byte for byte.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bytes;
mod durable;
mod esputnik;
mod hotjar;
mod open;
#[path = "../process/mod.rs"]
mod process;
mod site;
mod unsigned;
