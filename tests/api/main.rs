//! The administration and ingest over real sockets, on a store in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../openapi/conform.rs"]
mod conform;

mod access;
mod connections;
mod deliveries;
mod endpoints;
mod events;
mod filters;
mod harness;
mod log;
mod overview;
mod reach;
mod relay;
mod tasks;
