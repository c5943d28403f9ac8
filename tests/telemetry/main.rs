//! What a running broker tells about itself: counts over time, its status.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod activity;
#[path = "../process/mod.rs"]
mod process;
mod shop;
mod status;
