//! What lies under `deploy/`: the files are right, and the binary does what they count on.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;
mod supervised;
mod unit;

use std::path::{Path, PathBuf};

/// A file of `deploy/`.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// Says that a test is skipped for the lack of something; fails where all tests are to run.
#[track_caller]
fn skip(missing: &str) {
    let all = std::env::var_os("REDELIVER_TEST_ALL").is_some();
    assert!(!all, "REDELIVER_TEST_ALL is set, but there is no {missing}");
    eprintln!("skipped: there is no {missing}");
}
