//! What strangers say is never taken for what the broker says: a log entry is one line, and nothing
//! of it reaches the terminal as more than text.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::raw;

/// Tries to end the line, to pass for an entry, to move the cursor, to turn the text round, to be
/// a format string.
const FORGED: &str = "x\r\n2026-01-31T09:30:00.000000Z ERROR redeliver: forged\
     \u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{2028}\u{85}{}{0}{name}%s%n";

/// The same as far as a header can carry it.
const IN_HEADER: &str = "x\u{202e}\u{9b}31m 2026-01-31T09:30:00.000000Z ERROR forged {}%s";

/// Answers every request with control characters, in its status line, its headers and its body.
fn hostile_receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, mut stream) in listener.incoming().flatten().enumerate() {
            let _ = stream.read(&mut [0; 4096]);
            let answer = match number % 2 {
                0 => format!(
                    "HTTP/1.1 500 {IN_HEADER}\r\nx-said: {IN_HEADER}\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{FORGED}",
                    FORGED.len()
                ),
                // No HTTP at all.
                _ => FORGED.to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/")
}

/// Everything that a stranger can say, said.
fn say_everything(broker: &Broker, receiver: &str) {
    for name in ["one", "two"] {
        let endpoint = json!({"name": name, "url": receiver, "policy": "standard"});
        broker.post("/v1/endpoints", &endpoint);
    }
    for value in ["bi\u{202e}di", "{}{0}{name}%s", "e\u{301}\u{200b}\u{feff}"] {
        let event = json!({"type": value, "subject": FORGED, "id": value, "data": FORGED});
        broker.post("/v1/events", &event);
    }
    let json = ("content-type", "application/json");
    for (method, path, body) in [
        ("POST", "/v1/events", json!({"type": FORGED, "data": 1})),
        ("POST", "/v1/events", json!({ FORGED: 1 })),
        (
            "POST",
            "/v1/endpoints",
            json!({"name": FORGED, "url": FORGED, "policy": FORGED}),
        ),
        ("POST", "/v1/endpoints", json!({ FORGED: FORGED })),
        (
            "PATCH",
            "/v1/endpoints/one",
            json!({"url": FORGED, "timeout": FORGED}),
        ),
        (
            "GET",
            "/v1/endpoints/%1b%5b2J%0d%0aERROR%20forged%e2%80%ae",
            json!(null),
        ),
        ("GET", "/v1/events/%0aERROR", json!(null)),
        (
            "GET",
            "/v1/events?limit=%0aERROR&%1b%5b2J=1&cursor=%0d%0a",
            json!(null),
        ),
        ("GET", "/%0d%0aERROR", json!(null)),
    ] {
        let headers = [json, ("user-agent", IN_HEADER), ("x-any", IN_HEADER)];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut client = Client::new(broker.address);
        let answer = client
            .send(method, path, &headers, body.as_bytes())
            .unwrap();
        answer.problem(answer.status);
    }
    for bytes in [
        format!("GET /{IN_HEADER} HTTP/1.1\r\n\r\n"),
        format!("{FORGED}\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: \u{1b}[2J\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        raw::send(broker.address, bytes.as_bytes());
    }
    // Both of what the receiver says has been met by each.
    broker.advance("10s");
}

fn steers(c: char) -> bool {
    (c.is_control() && c != '\n') || "\u{202e}\u{2028}\u{feff}\u{85}".contains(c)
}

#[test]
fn a_log_entry_is_one_line_and_nobody_forges_one() {
    for format in ["text", "json"] {
        let mut site = Site::new();
        site.set_env("RUST_LOG", "trace");
        let broker = site.start(&["--clock", "manual", "--log-format", format]);
        say_everything(&broker, &hostile_receiver());
        broker.stop();
        let log = site.log();
        assert!(log.contains("attempt ended"), "{log}");
        for line in log.lines() {
            assert!(!line.chars().any(steers), "{line:?}");
            if format == "json" {
                let entry: Value = serde_json::from_str(line).unwrap();
                assert!(entry["level"].is_string(), "{line}");
            } else {
                // The broker's own: a moment of this run, and no error among them.
                let mut words = line.split_whitespace();
                let moment = words.next().unwrap();
                assert!(
                    moment.ends_with('Z') && !moment.starts_with("2026-01-31"),
                    "{line}"
                );
                let level = words.next().unwrap();
                assert!(
                    ["TRACE", "DEBUG", "INFO", "WARN"].contains(&level),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn nothing_that_a_stranger_said_steers_the_terminal_of_who_looks_at_it() {
    let site = Site::new();
    let broker = site.start(&["--clock", "manual"]);
    say_everything(&broker, &hostile_receiver());
    let server = format!("http://{}", broker.address);
    let delivery = broker.list("/v1/deliveries?limit=1")[0]["id"].clone();
    for (args, code) in [
        (&["event", "list"][..], 0),
        (&["event", "show", "1"], 0),
        (&["event", "show", "nobody\u{1b}[2J"], 2),
        (&["event", "list", "--type", FORGED], 0),
        (&["delivery", "list"], 0),
        (&["delivery", "show", delivery.as_str().unwrap()], 0),
        (&["endpoint", "list"], 0),
        (&["endpoint", "show", "one"], 0),
        (&["endpoint", "test", "one"], 0),
        (&["endpoint", "test", "one"], 0),
        (
            &[
                "endpoint", "add", FORGED, "--url", FORGED, "--policy", FORGED,
            ],
            2,
        ),
    ] {
        let ran = site.run(&[args, &["--server", &server]].concat());
        assert_eq!(ran.code, code, "{args:?}: {} {}", ran.out, ran.err);
        for text in [&ran.out, &ran.err] {
            assert!(!text.chars().any(steers), "{args:?}: {text:?}");
            let forged = |line: &str| line.trim_start().starts_with("2026-01-31T09:30:00.000000Z");
            let own = args[0] == "delivery" || args.contains(&"test");
            // What a receiver answered may have lines, set off from the command's own.
            assert!(
                !text
                    .lines()
                    .any(|line| forged(line) && !(own && line.starts_with("  "))),
                "{args:?}: {text}"
            );
        }
    }
    broker.stop();
}
