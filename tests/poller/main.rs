//! The poller over the real binary, against a server that answers as it is told, and against our
//! own read side.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod durable;
mod news;
mod pace;
#[path = "../process/mod.rs"]
mod process;
mod read_side;
mod trouble;
mod vendor;
