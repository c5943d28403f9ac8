//! What the machine does to the real binary: one fault a file.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod backup;
mod clock;
mod descriptors;
mod disk;
mod fsync;
mod machine;
mod memory;
#[path = "../process/mod.rs"]
mod process;
mod sectors;
