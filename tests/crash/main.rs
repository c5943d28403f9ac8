//! The real binary under load, killed at any moment, and cut off from its disk at any moment.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cast;
mod chance;
mod disk;
mod kills;
mod ledger;
mod life;
mod link;
mod operator;
mod payload;
mod power_cut;
#[path = "../process/mod.rs"]
mod process;
mod registry;
mod retention;
mod senders;
mod single_kills;
mod witness;
