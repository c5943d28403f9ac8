//! A verdict on a receiver: which of its vendor's duties it fulfils, and how to see that it does not.
//!
//! | file | what is in it |
//! |---|---|
//! | [`duty`], [`mod@duties`] | what a receiver must do, by vendor and rule: pure |
//! | [`drill`], [`shapes`] | what is sent to find out, and the messages for it: pure |
//! | `identity`, `change`, `crafted` | fresh ids, what is done to a message, and what comes of it: pure |
//! | `judge` | what an answer means: pure |
//! | [`finding`], `repro` | what was found, and how to do it again |
//! | [`link`], [`probe`], [`command`] | the sockets and processes |
//! | [`plan`], [`examiner`] | one run: what it is told, and in which order it looks |
//! | `drilling`, `effects`, `restarting` | how a drill is done: sends, counts, judges |
//! | `mistaken` | what a receiver computes that refuses a genuine message |
//!
//! Messages are made by the code that makes those of `serve` ([`crate::vendor::Profile::request`]),
//! so that a receiver that passes here meets nothing new there.

mod change;
pub mod command;
mod crafted;
pub mod drill;
mod drilling;
pub mod duties;
pub mod duty;
mod effects;
pub mod examiner;
pub mod finding;
mod identity;
mod judge;
pub mod link;
mod mistaken;
pub mod plan;
pub mod probe;
mod repro;
mod restarting;
pub mod shapes;

pub use duties::duties;
pub use duty::{Duty, Need};
pub use examiner::Examiner;
pub use finding::{Finding, Verdict};
pub use plan::{Plan, Unfit};
