//! `redeliver mock`: a vendor's API with visitors of its own.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::{run, start};

/// Starts a mock that prints JSON, and gives what it says of itself.
fn mock(args: &[&str]) -> (std::process::Child, Value) {
    let all = [&["mock"], args, &["--listen", "127.0.0.1:0", "--json"]].concat();
    let mut child = start(&all, &[]);
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn get(url: &str, headers: &[(&str, &str)]) -> Value {
    use std::io::{Read, Write};
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn a_mocked_zenovay_has_visitors_whom_its_api_shows() {
    let (mut child, told) = mock(&["zenovay", "--clock", "100x", "--rate", "5", "--seed", "7"]);
    let key = [("x-api-key", told["api_key"].as_str().unwrap())];
    let url = format!(
        "{}/analytics/ws_abc123?range=24h",
        told["external"].as_str().unwrap()
    );
    let views = loop {
        let overview = get(&url, &key);
        let views = overview["data"]["summary"]["total_page_views"].as_u64();
        if views.is_some_and(|views| views >= 20) {
            break overview;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(views["data"]["summary"]["known_visitors"].as_u64().unwrap() > 0);
    assert!(
        get(told["live"].as_str().unwrap(), &[])["visitors"]
            .as_u64()
            .unwrap()
            > 0
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_mocked_zebline_takes_events_and_has_none_of_its_own() {
    let (mut child, told) = mock(&["zebline", "--license", "L-1", "--access-token", "t"]);
    assert!(
        told["events"]
            .as_str()
            .unwrap()
            .ends_with("/v1/accounts/L-1/events")
    );
    let log = format!("{}/v1/events", told["listening"].as_str().unwrap());
    assert_eq!(get(&log, &[])["data"], serde_json::json!([]));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn secrets_of_a_mock_come_from_where_they_are_kept_and_are_not_printed() {
    let args = [
        "mock",
        "zebline",
        "--listen",
        "127.0.0.1:0",
        "--access-token",
        "env:TOKEN_OF_THE_TEST",
        "--visitors",
        "5",
        "--rate",
        "50",
        "--json",
    ];
    let mut child = start(&args, &[("TOKEN_OF_THE_TEST", "hunter2hunter2")]);
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert!(!line.contains("hunter2"), "{line}");
    let told: Value = serde_json::from_str(&line).unwrap();
    // Its own visitors are let in.
    let log = format!("{}/v1/events", told["listening"].as_str().unwrap());
    while get(&log, &[])["data"].as_array().unwrap().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_a_mock_cannot_be_is_told() {
    for (args, words) in [
        (&["--license", "a/b"][..], "license is not 1 to 64"),
        (&["--website-id", "a/b"], "is not 1 to 64"),
        (&["--rate", "51"], "give a number from 0.001 to 50"),
        (&["--surge-at", "soon"], "soon"),
        (
            &["--api-key", "env:NO_SUCH_VARIABLE"],
            "NO_SUCH_VARIABLE is not set",
        ),
        (
            &["--access-token", ""],
            "access_token is empty; write \"env:NAME\"",
        ),
    ] {
        let ran = run(&[&["mock", "zenovay"], args].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
