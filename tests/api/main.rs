//! The administration and ingest over real sockets, on a store in memory.

mod access;
mod connections;
mod deliveries;
mod endpoints;
mod events;
mod harness;
mod log;
