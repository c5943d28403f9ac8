//! A client in Python, which shares no code with ours.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::shop::{KEY, Shop};

/// `client.py`; ended when it is dropped.
struct Python {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Python {
    /// None where there is no Python, unless everything must run.
    fn ask(shop: &Shop, key: &str, paths: &[&str]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zenovay/client.py");
        let started = Command::new("python3")
            .args([script, &format!("http://{}", shop.broker.address), key])
            .args(paths)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        match started {
            Ok(mut child) => {
                let lines = BufReader::new(child.stdout.take().unwrap()).lines();
                Some(Self { child, lines })
            }
            Err(error) => {
                let all = std::env::var("REDELIVER_TEST_ALL");
                assert_ne!(all.as_deref(), Ok("1"), "python3 is missing: {error}");
                println!("skipped: needs python3");
                None
            }
        }
    }

    fn said(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Tells it that it has waited.
    fn go_on(&mut self) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(b"\n").unwrap();
        stdin.flush().unwrap();
    }
}

#[test]
fn a_python_client_reads_every_part_of_the_api() {
    let shop = Shop::open();
    let data = json!({"page_url": "/pricing", "country_code": "CZ", "country_name": "Česko"});
    shop.event("page_view", Some("ann"), &data);
    let paths = [
        "/usage",
        "/websites",
        "/analytics/ws_abc123?range=7d",
        "/analytics/ws_abc123/visitors?range=7d&limit=100&offset=0",
        "/analytics/ws_abc123/pages?range=7d&limit=20",
        "/analytics/ws_abc123/countries?range=7d",
        "/analytics/ws_abc123/technology?range=7d",
        "/errors/ws_abc123/groups",
        "/analytics/ws_none",
    ];
    let Some(mut python) = Python::ask(&shop, KEY, &paths) else {
        return;
    };
    let mut data = || python.said()["data"].take();
    assert_eq!(data()["usage"]["total_requests"], 1);
    assert_eq!(data()["total"], 2);
    assert_eq!(data()["summary"]["total_visitors"], 1);
    assert_eq!(data()["visitors"][0]["landing_page"], "/pricing");
    assert_eq!(data()["pages"], json!([{"url": "/pricing", "views": 1}]));
    assert_eq!(data()["countries"][0]["country_name"], "Česko");
    assert_eq!(data()["browsers"][0]["name"], "Unknown");
    assert_eq!(data()["error_groups"], json!([]));
    let error = python.said()["error"].take();
    assert!(error.as_str().unwrap().contains("404"), "{error}");
    shop.broker.stop();
}

#[test]
fn zss_04_zss_07_a_python_client_waits_out_the_limit_and_gives_up_after_four() {
    let shop = Shop::with("requests_per_minute = 1");
    shop.next_day("1s");
    assert_eq!(shop.ask("/usage").status, 200);
    shop.broker.advance("59s");
    let Some(mut python) = Python::ask(&shop, KEY, &["/usage", "/usage"]) else {
        return;
    };
    assert_eq!(python.said(), json!({"wait": 1}));
    shop.broker.advance("1s");
    python.go_on();
    assert_eq!(python.said()["data"]["usage"]["total_requests"], 2);
    for _ in 0..4 {
        assert_eq!(python.said(), json!({"wait": 60}));
        python.go_on();
    }
    assert_eq!(python.said(), json!({"error": "Max retries exceeded"}));
    let Some(mut stranger) = Python::ask(&shop, "zv_wrong", &["/usage"]) else {
        return;
    };
    let error = stranger.said()["error"].take();
    assert!(error.as_str().unwrap().contains("401"), "{error}");
}
