//! A receiver in Python, which shares no code with ours, checks signature and age.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding;
use redeliver::vendor::hotjar;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Client;

const KEY: &str = "klíč-of-the-site";

/// `receiver.py`; ended when it is dropped.
struct Python {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Python {
    /// None where there is no Python, unless everything must run.
    fn start(failures: usize, broker: &Broker) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/receiver.py");
        let started = Command::new("python3")
            .args([script, KEY, &failures.to_string()])
            .arg(format!("http://{}", broker.address))
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                let all = std::env::var("REDELIVER_TEST_ALL");
                assert_ne!(all.as_deref(), Ok("1"), "python3 is missing: {error}");
                println!("skipped: needs python3");
                return None;
            }
        };
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        Some(Self { child, lines, port })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What it says about the next request.
    fn said(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

/// A delivery that fails `failures` times, on a clock that moves by `time`, in the end arrives.
fn arrives_after(failures: usize, time: &str) {
    let site = Site::new();
    let broker = site.start(&["--clock", "manual"]);
    let Some(mut python) = Python::start(failures, &broker) else {
        return;
    };
    broker.post(
        "/v1/endpoints",
        &json!({"name": "py", "url": python.url(), "policy": "hotjar", "signing_key": KEY}),
    );
    let data =
        json!({"id": 7, "created_timestamp": 1_686_136_385, "text": "žluťoučký \"kůň\" \u{1F40E}"});
    let event = broker.event("survey_response", &data);
    broker.advance(time);
    for attempt in 1..=failures + 1 {
        let said = python.said();
        assert_eq!(said["verdict"], "ok", "{said}");
        assert_eq!(said["attempt"], attempt.to_string());
        assert_eq!(said["content_type"], "application/json");
        assert_eq!(said["payload"]["event"], "survey_response");
        assert_eq!(said["payload"]["data"], data);
        // HOT-36, by the broker's clock: fresh at every attempt, not just at the first.
        assert!(
            (0.0..=1.0).contains(&said["age"].as_f64().unwrap()),
            "{said}"
        );
        let last = attempt == failures + 1;
        assert_eq!(said["status"], if last { 200 } else { 500 });
        assert_eq!(said["effects"], u64::from(last));
    }
    let delivery = broker.delivery_of(&event);
    assert_eq!(delivery["status"], "delivered");
    assert_eq!(delivery["attempt_count"], failures + 1);
    forged(&mut python, &broker);
    broker.stop();
}

/// The receiver does check: what is old, changed or signed by another is turned away.
fn forged(python: &mut Python, broker: &Broker) {
    let now = Timestamp::parse(broker.get("/v1/clock")["now"].as_str().unwrap()).unwrap();
    let body = |age: i64| {
        let timestamp = now.as_seconds() - age;
        json!({"event": "survey_response", "version": 1, "timestamp": timestamp, "data": {"id": 8}})
            .to_string()
    };
    let sign = |key: &str, body: &str| {
        hotjar::sign(key.as_bytes(), body.as_bytes(), TextEncoding::Hex).unwrap()
    };
    let (fresh, old) = (body(0), body(302));
    for (body, signature, verdict, status) in [
        (&fresh, sign("another", &fresh), "bad signature", 401),
        (&fresh, sign(KEY, &old), "bad signature", 401),
        (&fresh, String::new(), "bad signature", 401),
        (&old, sign(KEY, &old), "stale", 401),
        (&fresh, sign(KEY, &fresh), "ok", 200),
    ] {
        let mut client = Client::new(([127, 0, 0, 1], python.port).into());
        let headers = [("com-hotjar-signature", &*signature)];
        let answer = client.send("POST", "/hook", &headers, body.as_bytes());
        let said = python.said();
        assert_eq!(said["verdict"], verdict);
        assert_eq!(answer.unwrap().status, status);
    }
}

#[test]
fn a_python_receiver_that_fails_three_times_verifies_four_requests_and_takes_one_effect() {
    arrives_after(3, "3m30s");
}

#[test]
fn the_seventh_request_is_still_fresh_to_a_python_receiver_after_half_an_hour() {
    arrives_after(6, "38m30s");
}
