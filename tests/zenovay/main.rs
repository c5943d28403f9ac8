//! Zenovay's read side over the real binary: its figures, its keys, its stream, and a client that
//! is no twin of our own code.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod figures;
mod lists;
mod live;
#[path = "../process/mod.rs"]
mod process;
mod python;
mod shapes;
mod shop;
mod stream;
