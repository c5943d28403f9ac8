//! What senders and operators say goes into the headers of requests: nothing of it ends a header or
//! begins another.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;

const NATIVE: &str = "application/json";
const STRUCTURED: &str = "application/cloudevents+json";

/// Keeps the head of every request, byte for byte.
struct Recorder {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared = heads.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        if stream.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = String::from_utf8(head).unwrap();
                    let length = head
                        .lines()
                        .find_map(|l| l.strip_prefix("content-length: "));
                    let length = length.unwrap().parse().unwrap();
                    let _ = stream.read_exact(&mut vec![0; length]);
                    shared.lock().unwrap().push(head);
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    let _ = stream.get_mut().write_all(answer);
                });
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// One endpoint of each vendor.
fn endpoints(broker: &Broker, recorder: &Recorder) {
    for policy in ["standard", "hotjar", "esputnik"] {
        let endpoint = json!({
            "name": policy,
            "policy": policy,
            "url": format!("http://{}/hook%0d%0aX-Evil:%201?a=%0d%0aX-Evil:%201", recorder.address),
            "signing_key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "basic_auth": {"user": "us\u{e9}r x-evil", "password": "p\u{fc} : x-evil"},
            "headers": {"X-Fine": "a: b; c=\"d\", \te"},
            "check": "off",
        });
        broker.post("/v1/endpoints", &endpoint);
    }
}

#[test]
fn whatever_a_sender_puts_into_an_event_no_header_is_split_or_added() {
    let (site, recorder) = (Site::new(), Recorder::start());
    let broker = site.start(&[]);
    endpoints(&broker, &recorder);
    let evil = "a\r\nX-Evil: 1";
    let native = |name: &str, value: &str| {
        let mut event = json!({"type": "t", "data": 1});
        event[name] = json!(value);
        (NATIVE, vec![], event.to_string())
    };
    let structured = |name: &str, value: &str| {
        let mut event = json!({"specversion": "1.0", "type": "t", "source": "s", "id": format!("{name}{}", value.len()),
            "datacontenttype": "text/plain", "data": "d"});
        event[name] = json!(value);
        (STRUCTURED, vec![], event.to_string())
    };
    let binary = |media: &'static str, name: &'static str, value: &str| {
        let mut headers = vec![
            ("ce-specversion", "1.0".to_owned()),
            ("ce-source", "s".to_owned()),
            ("ce-id", format!("{name}{}", value.len())),
            ("ce-type", "t".to_owned()),
        ];
        headers.retain(|(given, _)| *given != name);
        headers.push((name, value.to_owned()));
        (media, headers, "d".to_owned())
    };
    let mut accepted = 0;
    for ((media, headers, body), status) in [
        (native("type", evil), 422),
        (native("type", "a\0b"), 422),
        (native("type", "a\u{85}b"), 422),
        (native("type", "\u{202e}t\u{fc}p \u{1f642} %0d%0a"), 202),
        (native("id", evil), 422),
        (native("id", "\u{7f}"), 422),
        (native("subject", evil), 202),
        (native("data", evil), 202),
        (native("time", evil), 422),
        (structured("type", evil), 422),
        (structured("id", evil), 422),
        (structured("source", evil), 422),
        (structured("subject", evil), 202),
        (
            structured("datacontenttype", "text/plain\r\nX-Evil: 1"),
            422,
        ),
        (
            structured("datacontenttype", "text/plain; a=\"\r\nX-Evil: 1\""),
            422,
        ),
        (structured("datacontenttype", "text/plain; a=\u{e9}"), 422),
        (structured("datacontenttype", "text/plain\0"), 422),
        (structured("datacontenttype", "text"), 422),
        (structured("datacontenttype", ""), 422),
        (
            structured("data", "\r\n\r\nPOST / HTTP/1.1\r\nX-Evil: 1\r\n\r\n"),
            202,
        ),
        (binary("text/plain", "ce-type", "a%0d%0aX-Evil: 1"), 422),
        (binary("text/plain", "ce-id", "%00"), 422),
        (binary("text/plain", "ce-source", "%0d%0a"), 422),
        (binary("text/plain", "ce-subject", "%0d%0aX-Evil: 1"), 202),
        (binary("text/plain", "ce-evil", "x"), 202),
        (binary("text/plain; x-evil=\": 1\"", "x-any", "x"), 202),
        (binary("text/plain\t;a=b", "x-any", "tab"), 422),
        (binary("text/pl\u{e4}in", "x-any", "x"), 415),
        (binary("plain", "x-any", "word"), 422),
        (binary("text/plain", "content-type", "text/html"), 415),
    ] {
        let mut all = vec![("content-type", media)];
        all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
        let mut client = Client::new(broker.address);
        let answer = client.send("POST", "/v1/events", &all, body.as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, status, "{all:?} {body}: {}", answer.text());
        accepted += usize::from(status == 202);
    }
    // Under each of the three policies.
    let heads = eventually("everything is delivered", || {
        Some(recorder.heads()).filter(|heads| heads.len() == 3 * accepted)
    });
    for head in heads {
        sound(&head);
    }
    broker.stop();
}

/// A request line and headers that only redeliver and the endpoint's operator have chosen.
#[track_caller]
fn sound(head: &str) {
    let mut lines = head.trim_end().split("\r\n");
    assert_eq!(
        lines.next(),
        Some("POST /hook%0d%0aX-Evil:%201?a=%0d%0aX-Evil:%201 HTTP/1.1")
    );
    let mut names: Vec<_> = lines.map(|line| line.split(": ").next().unwrap()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "one is there twice: {head}");
    for name in names {
        let expected = name.starts_with("redeliver-") || name.starts_with("webhook-");
        let own = [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ];
        assert!(
            expected || own.contains(&name) || ["com-hotjar-signature", "x-fine"].contains(&name),
            "{name}: {head}"
        );
    }
    assert!(
        !head.to_lowercase().contains("\nx-evil") && head.is_ascii(),
        "{head}"
    );
}

#[test]
fn an_endpoint_cannot_be_given_a_header_that_splits_or_reframes_a_request() {
    let site = Site::new();
    let broker = site.start(&[]);
    let with = |name: &str, value: Value| {
        let mut endpoint = json!({"name": "e", "url": "http://127.0.0.1:1/", "policy": "standard"});
        endpoint[name] = value;
        endpoint
    };
    let values = [
        "a\r\nX-Evil: 1",
        "a\nb",
        "a\rb",
        "a\0b",
        "\u{e9}",
        " a",
        "a\t",
        "\u{7f}",
    ];
    let values = values.map(|value| with("headers", json!({"X-Fine": value})));
    let names = [
        "",
        " ",
        "X Y",
        "X:",
        "X\r\nY",
        "X\0",
        "\u{e9}",
        "(x)",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "Upgrade",
        "TE",
        "Trailer",
        "Keep-Alive",
        "Proxy-Authorization",
        "Content-Encoding",
        "Content-Type",
        "User-Agent",
        "redeliver-event-id",
        "Redeliver-Anything",
        "webhook-id",
        "Webhook-Signature",
        "com-hotjar-signature",
    ];
    let names = names.map(|name| with("headers", json!({ name: "x" })));
    let users = ["a:b", "a\r\nb", "a\0b", "\u{7f}", ""];
    let users = users.map(|user| with("basic_auth", json!({"user": user, "password": "p"})));
    let passwords = ["a\r\nb", "a\0b", "\u{85}"];
    let passwords =
        passwords.map(|word| with("basic_auth", json!({"user": "u", "password": word})));
    let urls = [
        "http://127.0.0.1:1/\r\nX-Evil: 1",
        "http://127.0.0.1:1/ HTTP/1.1",
        "http://127.0.0.1:1/\0",
        "http://127.0.0.1:1\\@evil/",
        "http://127.0.0.1:1/\u{a0}",
        "http://127.0.0.1\r\n:1/",
    ];
    let urls = urls.map(|url| with("url", json!(url)));
    for endpoint in values
        .iter()
        .chain(&names)
        .chain(&users)
        .chain(&passwords)
        .chain(&urls)
    {
        let refused = broker.call("POST", "/v1/endpoints", endpoint);
        assert_eq!(refused.status, 422, "{endpoint}: {}", refused.text());
    }
    assert!(broker.list("/v1/endpoints?limit=10").is_empty());
    broker.stop();
}
