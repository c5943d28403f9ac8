//! The store's contract, over every implementation: sled on a real directory, and memory.

mod contract;
mod disk;
mod harness;
mod power_cut;
