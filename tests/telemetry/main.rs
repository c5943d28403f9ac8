//! What a running broker tells about itself: counts over time, its status, metrics,
//! operational events, the log.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod activity;
mod deploy;
mod given_up;
mod logs;
mod metrics;
mod notices;
mod operations;
#[path = "../process/mod.rs"]
mod process;
mod scrape;
mod shop;
mod status;
mod traces;

/// Says that a test is skipped for want of a program, which must not be where all have to run.
fn missing(what: &str) {
    let must = std::env::var_os("REDELIVER_TEST_ALL").is_some();
    assert!(!must, "{what} is not there");
    println!("skipped: {what} is not there");
}
