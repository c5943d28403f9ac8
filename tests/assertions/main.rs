//! What a test in any language asks of the broker: to wait, to see what was sent, to have faults
//! done on demand, to have it explained. On the real binary.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;
mod record;
mod wait;
