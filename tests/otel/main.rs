//! Traces, from the real binary to a collector that the tests play.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod collector;
mod ids;
#[path = "../process/mod.rs"]
mod process;
mod secrets;
mod traceparent;
mod traces;
mod trouble;
