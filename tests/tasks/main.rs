//! Bulk operations: over a kill of the real process, over a restart, and what their files may hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../process/mod.rs"]
mod process;

mod discards;
mod files;
mod kills;
