//! `redeliver mock hotjar`, `esputnik`, `standard`, `resend`: the real binary sends to a receiver that answers
//! by a script.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod content;
mod esputnik;
mod hotjar;
mod resend;
mod server;
mod standard;

#[path = "../process/mod.rs"]
mod process;

use std::io::Write;
use std::process::{Command, Stdio};

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use process::broker::{Ran, Site};
use process::receiver::{Receiver, Reply, Seen};

/// Not in ASCII, as a site's key may be.
const KEY: &str = "klíč-of-the-site";
/// A secret of Standard Webhooks.
const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBzaG9wIQ==";

/// A folder with the keys.
fn site() -> Site {
    let site = Site::new();
    std::fs::write(site.path("key.txt"), format!("{KEY}\n")).unwrap();
    std::fs::write(site.path("secret.txt"), SECRET).unwrap();
    site
}

/// Runs a mock that ends by itself, and gives what it printed as JSON.
fn mock(site: &Site, receiver: &Receiver, args: &[&str]) -> (Ran, Vec<Value>) {
    let url = receiver.url();
    let all = [&["mock"], args, &["--to", &url, "--json"]].concat();
    let ran = site.run(&all);
    let lines = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines = lines.collect();
    (ran, lines)
}

/// As [`mock`], where everything must be delivered.
#[track_caller]
fn delivered(site: &Site, receiver: &Receiver, args: &[&str]) -> Vec<Value> {
    let (ran, lines) = mock(site, receiver, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    lines
}

fn attempts(lines: &[Value]) -> Vec<&Value> {
    lines
        .iter()
        .filter(|line| line.get("attempt").is_some())
        .collect()
}

fn summary(lines: &[Value]) -> &Value {
    &lines.last().unwrap()["summary"]
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// Answers a GET with 200, and the n-th of the other requests with the n-th status, the last of
/// which repeats.
fn answering(statuses: &'static [u16]) -> Receiver {
    let posts = std::sync::atomic::AtomicUsize::new(0);
    Receiver::start(move |seen, _| {
        if seen.method == "GET" {
            return Reply::Status(200);
        }
        let n = posts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Reply::Status(statuses[n.min(statuses.len() - 1)])
    })
}

/// Whether each request has the signature that Python computes of its body: code that is not ours.
#[track_caller]
fn verified_by_python(program: &str, requests: &[Seen]) {
    let input: Vec<_> = requests
        .iter()
        .map(|seen| json!({"headers": seen.headers, "body": hex::encode(&seen.body)}))
        .collect();
    let python = Command::new("python3")
        .args(["-c", program, KEY, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = match python {
        Ok(python) => python,
        Err(error) => {
            let all = std::env::var("REDELIVER_TEST_ALL");
            assert_ne!(all.as_deref(), Ok("1"), "python3 is missing: {error}");
            println!("skipped: needs python3");
            return;
        }
    };
    let mut stdin = python.stdin.take().unwrap();
    stdin
        .write_all(json!(input).to_string().as_bytes())
        .unwrap();
    drop(stdin);
    let out = python.wait_with_output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!(said.trim(), format!("{} right", requests.len()));
}
