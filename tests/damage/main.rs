//! A damaged store: it says exactly what is missing, never serves a wrong byte, and goes on with
//! the rest. On real directories, against what is known to have been written.
//!
//! | variable | what it does |
//! |---|---|
//! | `REDELIVER_DAMAGE=full` | follows every single cut to its end |
//! | `REDELIVER_DAMAGE_ROUNDS=N` | so many rounds of random damage |
//! | `REDELIVER_DAMAGE_SEED=N` | from this seed on |

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod binary;
mod blocks;
mod cuts;
mod files;
mod forged;
#[allow(dead_code, reason = "the store's tests use the rest")]
#[path = "../store/harness.rs"]
mod harness;
mod healthy;
mod journal;
mod judge;
mod marks;
mod original;
#[path = "../process/mod.rs"]
mod process;
mod records;
mod reuse;
mod segments;
mod transitions;
mod volumes;
