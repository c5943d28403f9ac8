//! Backups: of a running server, of a stopped store, interrupted, damaged on their way, started.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod dead_letters;
mod documented;
mod expired;
mod forms;
mod full;
mod making;
mod measured;
#[path = "../process/mod.rs"]
mod process;
mod serving;
mod stopped;
