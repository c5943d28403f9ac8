//! Hostile senders against the real binary. Whatever they do, they are refused in good time, and
//! good clients go on being served meanwhile.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod good;
mod idle;
mod logs;
mod outbound;
mod oversized;
#[path = "../process/mod.rs"]
mod process;
mod raw;
mod secrets;
mod signatures;
mod slow;
mod smuggling;
