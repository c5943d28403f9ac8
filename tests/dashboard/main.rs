//! The dashboard in a real browser: scripts beside this file drive Chromium against the real binary.
//! Where Node, Chromium or the driver is missing they say so, and with REDELIVER_TEST_ALL they fail.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;
mod sessions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const BROWSERS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard")
}

/// What keeps the scripts from running.
fn missing() -> Option<&'static str> {
    let node = Command::new("node").arg("--version").output();
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let mut browsers = named.into_iter().chain(BROWSERS.map(PathBuf::from));
    if !node.is_ok_and(|node| node.status.success()) {
        return Some("node is not there");
    }
    if !browsers.any(|browser| browser.exists()) {
        return Some("chromium is not there; install it, or name one in CHROMIUM");
    }
    let driver = folder().join("node_modules/playwright-core");
    (!driver.exists()).then_some("its driver is not there; run npm ci --prefix tests/dashboard")
}

/// Runs one script; what it claims, each of its tests says by its name.
#[track_caller]
fn passes(script: &str) {
    static ONE_BROWSER: Mutex<()> = Mutex::new(());
    if let Some(what) = missing() {
        let must = std::env::var_os("REDELIVER_TEST_ALL").is_some();
        assert!(!must, "{what}");
        println!("skipped: {what}");
        return;
    }
    // Several browsers at once would wait for one another longer than for the pages.
    let _one = ONE_BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec", script])
        .current_dir(folder())
        .env("REDELIVER", env!("CARGO_BIN_EXE_redeliver"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
}

#[test]
fn every_page_is_readable_for_all_and_keeps_to_its_origin_and_policy() {
    passes("pages.test.mjs");
}

#[test]
fn what_an_operator_does_is_done() {
    passes("actions.test.mjs");
}

#[test]
fn only_who_has_the_token_gets_in() {
    passes("login.test.mjs");
}

#[test]
fn what_strangers_send_stays_text() {
    passes("hostile.test.mjs");
}

#[test]
fn pages_keep_up_with_the_log_and_outlive_the_server() {
    passes("live.test.mjs");
}

#[test]
fn pictures_for_the_documents_are_taken_on_request() {
    if std::env::var_os("REDELIVER_SCREENSHOTS").is_some() {
        passes("screenshots.test.mjs");
    }
}
