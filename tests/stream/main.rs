//! `GET /v1/stream` on the real binary: the log as it grows, and how attempts end.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod follow;
#[path = "../process/mod.rs"]
mod process;
mod readers;
