//! What must hold of every input, whoever sends it: one function a target.
//!
//! `fuzz/fuzz_targets` feeds these functions with libFuzzer's inputs, `tests/fuzz/main.rs` with
//! the corpus and with what was found once. Each function panics where its claim is broken.

#![allow(
    clippy::unwrap_used,
    reason = "a harness panics where its claim is broken"
)]

pub mod answer;
pub mod api_input;
pub mod cloudevents;
pub mod codec;
pub mod config;
pub mod ingest;
pub mod native;
pub mod policy;
pub mod recovery;
pub mod relay;
pub mod signature;
pub mod texts;
pub mod url_guard;
pub mod zebline;

mod addresses;
mod attributes;
#[path = "../../policy/model.rs"]
mod model;
mod records;

/// What a target does with one input.
pub type Run = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Run)] = &[
    ("answer", answer::run),
    ("api_input", api_input::run),
    ("cloudevents", cloudevents::run),
    ("codec", codec::run),
    ("config", config::run),
    ("ingest", ingest::run),
    ("native", native::run),
    ("policy", policy::run),
    ("recovery", recovery::run),
    ("relay", relay::run),
    ("signature", signature::run),
    ("texts", texts::run),
    ("url_guard", url_guard::run),
    ("zebline", zebline::run),
];
