//! The real binary: help, exit codes, and what it prints of a server's answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bench;
mod demo;
mod local;
mod log;
mod mock;
mod remote;
mod server;
mod store;
mod trust;

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while a process is being started.
fn starting() -> MutexGuard<'static, ()> {
    static STARTING: Mutex<()> = Mutex::new(());
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the binary; nothing of this machine's environment but what is given reaches it.
fn start(args: &[&str], env: &[(&str, &str)]) -> Child {
    let _one_at_a_time = starting();
    Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn redeliver(args: &[&str], env: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut child = start(args, env);
    // One that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ran::from(child.wait_with_output().unwrap())
}

fn run(args: &[&str]) -> Ran {
    redeliver(args, &[], b"")
}

#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
