//! Sources that ask for no credentials, and the two sides of the admin token.

use serde_json::json;

use crate::process::http::Client;
use crate::site::*;

#[test]
fn no_web_page_gets_an_event_into_an_open_source_on_loopback() {
    let site = site();
    let broker = site.start(&[]);
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ];
    for header in foreign {
        let answer = broker.send("POST", "/in/open", &[header], b"x");
        assert!(answer.problem(403).contains("web page"), "{header:?}");
    }
    assert_eq!(
        taken(&broker.send("POST", "/in/open", &[], b"x")),
        (1, false)
    );
    // One who shows a credential is no accident, wherever the page is from.
    let answer = broker.send("POST", "/in/anything", &[TOKEN, foreign[0]], b"x");
    assert_eq!(taken(&answer), (2, false));
    let shown = source(&broker, "open");
    assert_eq!(shown["refused"], json!({"foreign_page": 3}));
}

#[test]
fn senders_need_no_admin_token_and_have_no_part_in_the_administration() {
    let mut site = configured("[server]\nadmin_token = \"env:ADMIN\"\n");
    site.set_env("ADMIN", "admin-token");
    let broker = site.start(&[]);
    assert_eq!(
        taken(&broker.send("POST", "/in/anything", &[TOKEN], b"x")),
        (1, false)
    );
    let admin = ("authorization", "Bearer admin-token");
    broker
        .send("POST", "/in/anything", &[admin], b"x")
        .problem(401);
    broker
        .send("GET", "/v1/sources", &[TOKEN], b"")
        .problem(401);
    broker.send("GET", "/v1/sources", &[], b"").problem(401);
    let sources = broker.send("GET", "/v1/sources", &[admin], b"");
    assert_eq!(sources.status, 200);
    assert!(!sources.text().contains("admin-token"));
}

#[test]
fn a_check_by_head_is_answered_with_a_head_alone() {
    use std::io::{Read, Write};
    let site = site();
    let broker = site.start(&[]);
    let (name, value) = login();
    let mut stream = std::net::TcpStream::connect(broker.address).unwrap();
    let head = format!(
        "HEAD /in/mails HTTP/1.1\r\nhost: {}\r\n{name}: {value}\r\nconnection: close\r\n\r\n",
        broker.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn no_credential_of_a_source_is_logged_or_answered_whatever_is_sent() {
    let mut site = site();
    site.set_env("RUST_LOG", "trace");
    let broker = site.start(&[]);
    let now = seconds(&broker);
    let (name, value) = login();
    let (wrong_login, wrong_token) = ("Basic d3Jvbmctc2VjcmV0", "Bearer wrong-secret");
    let mut answers = vec![
        hotjar(&broker, &response(1, now)),
        hotjar(&broker, &response(1, now - 999)),
        hotjar_with(&broker, "wrong-secret", &response(1, now)),
        order(&broker, "msg", now, b"{}"),
        order(&broker, "msg.dotted", now, b"{}"),
        order(&broker, "msg", now - 999, b"{}"),
        activities(&broker, "mails", b"{}"),
        activities(&broker, "activities", b"1"),
    ];
    for path in [
        "/in/surveys",
        "/in/mails",
        "/in/orders",
        "/in/cloud",
        "/in/anything",
    ] {
        for value in [&*value, wrong_login, wrong_token, TOKEN.1] {
            for method in ["GET", "POST"] {
                answers.push(broker.send(method, path, &[(name, value)], b"{"));
            }
        }
    }
    answers.push(broker.send("GET", "/v1/sources", &[], b""));
    broker.stop();
    let mut written = site.log();
    for answer in answers {
        written += &format!("{:?} {}", answer.headers, answer.text());
    }
    let encoded = value.trim_start_matches("Basic ");
    let secrets = [
        HOTJAR_KEY,
        SECRET,
        "hook-password",
        "source-token",
        "wrong-secret",
    ];
    for secret in secrets.into_iter().chain([encoded, "d3Jvbmctc2VjcmV0"]) {
        assert!(!written.contains(secret), "{secret}");
    }
}

#[test]
fn a_source_whose_key_cannot_be_used_keeps_the_broker_from_starting() {
    let site = configured("");
    site.configure("[[source]]\nname = \"s\"\nkind = \"standard\"\nkey = \"env:HOTJAR_KEY\"\n");
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("config.toml:4: key is"), "{}", ran.err);
    assert!(ran.err.contains("give whsec_"), "{}", ran.err);
    assert!(!ran.err.contains(HOTJAR_KEY));
    let checked = site.start_in_vain(&["--check"]);
    assert_eq!((checked.code, checked.err), (2, ran.err));
}

#[test]
fn a_connection_goes_on_after_a_refusal() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let mut client = Client::new(broker.address);
    let body = response(1, seconds(&broker));
    let refused = client.send("POST", "/in/surveys", &[JSON], &body).unwrap();
    assert_eq!(refused.status, 401);
    let taken = client.send("POST", "/in/open", &[], b"x").unwrap();
    assert_eq!(taken.status, 200);
}
