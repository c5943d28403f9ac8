//! The worked examples, run as their users would run them. Python's and Node's need what they are
//! written for; where it is not there they say so, and with REDELIVER_TEST_ALL they fail.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn run(program: &str, args: &[&str]) -> std::io::Result<Output> {
    Command::new(program)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("REDELIVER", env!("CARGO_BIN_EXE_redeliver"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
}

#[track_caller]
fn passes(output: Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
}

fn has(program: &str, args: &[&str]) -> bool {
    run(program, args).is_ok_and(|output| output.status.success())
}

fn missing(what: &str) {
    let must = std::env::var_os("REDELIVER_TEST_ALL").is_some();
    assert!(!must, "{what} is not there");
    println!("skipped: {what} is not there");
}

#[test]
fn the_suite_in_pytest_passes() {
    // A Python that was put beside the system's may lack what the system's has.
    let pythons = ["python3", "/usr/bin/python3"];
    let found = pythons
        .iter()
        .find(|python| has(python, &["-c", "import pytest"]));
    match found {
        Some(python) => {
            let args = [
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "examples/pytest",
            ];
            passes(run(python, &args).unwrap());
        }
        None => missing("pytest"),
    }
}

#[test]
fn the_suite_in_nodes_test_runner_passes() {
    if has("node", &["--version"]) {
        passes(run("node", &["--test", "examples/node/"]).unwrap());
    } else {
        missing("node");
    }
}

#[test]
fn the_script_for_a_pipeline_passes() {
    if has("curl", &["--version"]) {
        let output = run("bash", &["examples/ci/receiver.sh"]).unwrap();
        // What has not begun yet is waited for without a word.
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        passes(output);
    } else {
        missing("curl");
    }
}
