//! `redeliver check` against receivers in Python, which share no code with ours: the good ones pass
//! everything, and each that is broken in one way fails what belongs to it and nothing else.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod esputnik;
mod hotjar;
mod receiver;
mod report;
mod standard;
mod table;
mod tls;
mod usage;
