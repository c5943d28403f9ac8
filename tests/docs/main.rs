//! The documentation is run: every shell block as it stands, every command in the text against its
//! `--help`, every test that is named against the tests that there are.
//!
//! A block's first line may say what it needs: ` ```sh exit=1 ` has to fail so, and ` ```sh elsewhere `
//! needs what a test cannot have (a service manager, a container engine).

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod document;
mod inline;
mod run;
mod stage;

use std::path::{Path, PathBuf};

/// The top of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that users read.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.extend(["README.md", "CONTRIBUTING.md", "fuzz/README.md"].map(|page| root().join(page)));
    pages.sort();
    pages
}

/// Says that a test is skipped for the lack of something; fails where all tests are to run.
#[track_caller]
fn skip(missing: &str) {
    let all = std::env::var_os("REDELIVER_TEST_ALL").is_some();
    assert!(!all, "REDELIVER_TEST_ALL is set, but there is no {missing}");
    eprintln!("skipped: there is no {missing}");
}
