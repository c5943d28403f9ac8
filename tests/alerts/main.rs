//! Alerts over the real binary: what they tell, once, over restarts and kills, and how it arrives.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod advance;
mod conditions;
mod config;
mod delivered;
mod expired;
mod once;
#[path = "../process/mod.rs"]
mod process;
mod shop;
mod visitors;
