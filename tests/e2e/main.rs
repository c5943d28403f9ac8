//! The real binary over real directories: schedules, bad input, and a receiver that is no
//! twin of our own code.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod endpoints;
#[path = "../process/mod.rs"]
mod process;
mod python;
mod reload;
mod reload_whole;
mod retention;
mod schedules;
mod sources;
mod stuck;
