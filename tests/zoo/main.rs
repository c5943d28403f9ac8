//! The zoo: receivers that do everything a receiver should not, each with a name, kept on real
//! sockets. The real binary delivers to each of them under every vendor's policy, and each must
//! leave it as it was: in time, unfed, judged by the contract, its neighbours served.

// What an animal leaves behind is read off the kernel's view of the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod animal;
mod cage;
mod certificates;
mod contract;
mod early;
mod floods;
mod garbage;
mod handshakes;
mod holdings;
mod leaks;
mod lengths;
mod moods;
mod names;
mod papers;
#[path = "../process/mod.rs"]
mod process;
mod redirects;
mod resets;
mod silence;
mod statuses;
mod unanswered;
