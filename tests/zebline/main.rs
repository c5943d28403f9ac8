//! Zebline's API on the real binary, as the vendor's own clients call it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attributes;
mod checks;
mod limits;
#[path = "../process/mod.rs"]
mod process;
mod repeats;
mod shop;
mod track;
