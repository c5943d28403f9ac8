//! The store's contract, over every implementation: sled on a real directory, and memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod both;
mod churn;
mod contract;
mod damage;
mod discard;
mod disk;
mod expired_dead_letters;
mod hard_cases;
mod harness;
mod lists;
mod power_cut;
mod races;
mod reclaim;
mod retention;
mod retention_crashes;
mod retention_faults;
mod settling;
mod sources;
mod steps;
mod stuck;
