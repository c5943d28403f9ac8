//! Too much of everything: heads, bodies, nesting, numbers, names, lists, parameters.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::good::Good;
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::{Answer, Client};
use crate::raw;

const JSON: (&str, &str) = ("content-type", "application/json");

/// How much longer than its request a refusal may be.
const WORDS: usize = 64 * 1024;

/// A broker with good clients. Whatever is sent besides, theirs are the only events in the end.
struct Busy {
    site: Site,
    broker: Broker,
    good: Good,
}

impl Busy {
    fn start(limits: &str) -> Self {
        let site = Site::new();
        site.configure(&format!("[limits]\n{limits}"));
        let broker = site.start(&[]);
        let good = Good::start(broker.address);
        Self { site, broker, good }
    }

    /// Sends something that must be refused like this, in few words.
    #[track_caller]
    fn refused(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
        let client = &mut Client::new(self.broker.address);
        let answer = client.send(method, path, &[header], body.as_bytes());
        let answer = answer.unwrap();
        let sent = path.len() + header.1.len() + body.len();
        assert!(
            answer.body.len() < sent + WORDS,
            "{} bytes",
            answer.body.len()
        );
        answer
    }

    /// Still serves, and has taken nothing but what good clients sent and `more`.
    #[track_caller]
    fn unharmed(self, more: usize) {
        self.good.are_served();
        let taken = self.good.stop();
        let log = self.broker.list("/v1/events?limit=1000");
        assert_eq!(log.len(), taken + more);
        assert!(self.broker.list("/v1/endpoints?limit=1000").is_empty());
        self.broker.stop();
        assert!(!self.site.log().contains("ERROR"), "{}", self.site.log());
    }
}

#[test]
fn a_head_over_64_kib_or_100_headers_is_refused_and_one_below_is_not() {
    let busy = Busy::start("");
    let head = |first: &str, headers: &str| format!("{first}\r\nHost: localhost\r\n{headers}\r\n");
    let long = |length: usize| "x".repeat(length);
    let get = "GET /healthz HTTP/1.1";
    let padded = |length: usize| {
        let bare = head(get, "X: \r\nConnection: close\r\n").len();
        head(
            get,
            &format!("X: {}\r\nConnection: close\r\n", long(length - bare)),
        )
    };
    for (name, bytes, status) in [
        ("64 KiB", padded(64 * 1024 - 1), 200),
        ("64 KiB and more", padded(64 * 1024 + 2), 431),
        (
            "a request line",
            head(&format!("GET /{} HTTP/1.1", long(70_000)), ""),
            431,
        ),
        (
            "a method",
            head(&format!("{} / HTTP/1.1", long(70_000)), ""),
            431,
        ),
        (
            "one header",
            head(get, &format!("X: {}\r\n", long(1_000_000))),
            431,
        ),
        (
            "a name",
            head(get, &format!("{}: x\r\n", long(70_000))),
            431,
        ),
        (
            "99 headers",
            head(
                get,
                &format!("{}Connection: close\r\n", "X: y\r\n".repeat(98)),
            ),
            200,
        ),
        ("101 headers", head(get, &"X: y\r\n".repeat(100)), 431),
        ("20,000 headers", head(get, &"X: y\r\n".repeat(20_000)), 431),
        (
            "a head without end",
            format!("{get}\r\n{}", "X: y\r\n".repeat(500_000)),
            431,
        ),
    ] {
        let answers = raw::send(busy.broker.address, bytes.as_bytes());
        // A client that is still sending may lose the answer to the reset that its bytes bring.
        let Some(answer) = answers.first() else {
            assert!(bytes.len() > 100_000 && status == 431, "{name}: no answer");
            continue;
        };
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if status == 431 {
            assert!(answer.problem().contains("65536 bytes"), "{name}");
        }
    }
    busy.unharmed(0);
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_all_there() {
    let busy = Busy::start("");
    let head = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for (name, body) in [
        ("announced", "Content-Length: 1048577\r\n\r\n".to_owned()),
        (
            "announced by far",
            "Content-Length: 9223372036854775807\r\n\r\n".to_owned(),
        ),
        (
            "asking first",
            "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n".to_owned(),
        ),
        // The end of it never comes.
        (
            "in chunks",
            format!("Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(17)),
        ),
        (
            "in one chunk",
            format!(
                "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n{}",
                " ".repeat(1_100_000)
            ),
        ),
    ] {
        let answers = raw::send(busy.broker.address, format!("{head}{body}").as_bytes());
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [413], "{name}");
        assert!(answers[0].problem().contains("1048576 bytes"), "{name}");
    }
    busy.unharmed(0);
}

/// How much memory a process has reserved, whether it uses it or not.
fn reserved_bytes(broker: &Broker) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn what_bodies_announce_takes_no_memory_before_it_comes() {
    let busy = Busy::start("max_connections = 300\nbody_timeout = \"1m\"\n");
    let announced = 1_000_000;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {announced}\r\n\r\n"
    );
    let before = reserved_bytes(&busy.broker);
    let mut clients: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = raw::connect(busy.broker.address);
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    for client in &mut clients {
        // Now the body is being read.
        let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        client.read_exact(&mut go_on).unwrap();
    }
    // In several pieces, each of which is surely taken while others are served.
    for _ in 0..4 {
        for client in &mut clients {
            client.write_all(b" ").unwrap();
        }
        busy.good.are_served();
    }
    let grown = reserved_bytes(&busy.broker).saturating_sub(before);
    // Besides, the good clients' events are stored meanwhile, and threads may have been started.
    assert!(grown < clients.len() * announced / 2, "{grown} bytes");
    drop(clients);
    busy.unharmed(0);
}

#[test]
fn large_bodies_that_stall_share_their_room_and_leave_small_ones_alone() {
    let busy = Busy::start("incoming_bytes = 1_048_576\nbody_timeout = \"5m\"\n");
    let head = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000\r\n\r\n";
    let stalled = format!("{head}{}", " ".repeat(900_000));
    let hoarders: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = raw::connect(busy.broker.address);
            // Who is refused while he is still sending may not get to the end.
            let _ = stream.write_all(stalled.as_bytes());
            stream
        })
        .collect();
    busy.good.are_served();
    // There is room for one of them, whoever it is; the others are refused at once.
    let (sender, refused) = std::sync::mpsc::channel();
    for (number, hoarder) in hoarders.iter().enumerate() {
        let (mut reader, sender) = (hoarder.try_clone().unwrap(), sender.clone());
        std::thread::spawn(move || sender.send((number, raw::rest(&mut reader))));
    }
    let mut staying: Vec<_> = (0..hoarders.len()).collect();
    while staying.len() > 1 {
        let (number, answers) = refused.recv_timeout(Duration::from_secs(60)).unwrap();
        // A refusal may be lost to the reset that the bytes behind it bring.
        for answer in answers {
            assert_eq!(answer.status, 503);
            assert!(answer.problem().contains("incoming_bytes"));
        }
        staying.retain(|other| *other != number);
    }
    // Whoever is left gives his room back when he goes, long before his time is over.
    for hoarder in &hoarders {
        let _ = hoarder.shutdown(std::net::Shutdown::Both);
    }
    let large = json!({"type": "large", "data": "x".repeat(900_000)});
    eventually("there is room again", || {
        let answer = busy.broker.call("POST", "/v1/events", &large);
        (answer.status == 202).then_some(())
    });
    busy.unharmed(1);
}

#[test]
fn json_that_is_too_deep_too_wide_or_too_long_is_refused_in_few_words() {
    let busy = Busy::start("");
    let event = |data: &str| format!(r#"{{"type":"t","data":{data}}}"#);
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|i| format!(r#""m{i}":1"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    let long = "x".repeat(900_000);
    let cloud = ("content-type", "application/cloudevents+json");
    let of = |member: &str| format!(r#"{{"{member}":"{long}","type":"t","data":1}}"#);
    for (name, media, body, status) in [
        ("brackets", JSON, event(&nested(100)), 400),
        ("many brackets", JSON, event(&nested(500_000)), 400),
        ("open brackets", JSON, "[".repeat(1_000_000), 400),
        ("open objects", JSON, r#"{"a":"#.repeat(200_000), 400),
        ("a deep CloudEvent", cloud, event(&nested(100_000)), 400),
        ("members", JSON, members(90_000), 422),
        ("members of a CloudEvent", cloud, members(90_000), 422),
        (
            "one member twice",
            JSON,
            r#"{"id":"a","id":"a"}"#.to_owned(),
            422,
        ),
        (
            "a type",
            JSON,
            format!(r#"{{"type":"{long}","data":1}}"#),
            422,
        ),
        ("an id", JSON, of("id"), 422),
        ("a subject", JSON, of("subject"), 422),
        ("a time", JSON, of("time"), 422),
        (
            "a name of a member",
            JSON,
            format!(r#"{{"{long}":1}}"#),
            422,
        ),
    ] {
        let answer = busy.refused("POST", "/v1/events", media, &body);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        answer.problem(status);
    }
    let keyed = ("idempotency-key", &*"k".repeat(10_000));
    let answer = {
        let mut client = Client::new(busy.broker.address);
        client.send("POST", "/v1/events", &[JSON, keyed], event("1").as_bytes())
    };
    answer.unwrap().problem(422);
    busy.unharmed(0);
}

#[test]
fn what_is_as_deep_and_as_large_as_may_be_is_kept_as_it_is_and_can_be_read_by_everybody() {
    let site = Site::new();
    let broker = site.start(&[]);
    let deep = format!("{}1{}", "[".repeat(99), "]".repeat(99));
    broker.event("t", &serde_json::from_str(&deep).unwrap());
    let server = format!("http://{}", broker.address);
    for args in [
        &["event", "list"][..],
        &["event", "list", "--json"],
        &["event", "show", "1"],
    ] {
        let ran = site.run(&[args, &["--server", &server]].concat());
        assert_eq!((ran.code, &*ran.err), (0, ""), "{args:?}");
    }
    let digits = "7".repeat(100_000);
    let sent = [
        deep,
        digits,
        "-1e999999999".to_owned(),
        format!("[{}1e-5]", "1,".repeat(300_000)),
    ];
    for data in &sent {
        let body = format!(r#"{{"type":"t","data":{data}}}"#);
        let answer = broker.send("POST", "/v1/events", &[JSON], body.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
        let path = format!("/v1/events/{}", answer.json()["id"].as_str().unwrap());
        let shown = broker.send("GET", &path, &[], b"").text();
        assert!(shown.contains(&format!("\"data\":{data},")), "{shown:.200}");
    }
    broker.stop();
}

#[test]
fn paths_parameters_and_cursors_without_measure_are_refused_in_few_words() {
    let busy = Busy::start("");
    let long = "x".repeat(60_000);
    let none = ("x", "y");
    for (path, status) in [
        (format!("/{long}"), 404),
        (format!("/v1/events/{long}"), 404),
        (format!("/v1/endpoints/{long}"), 404),
        (format!("/v1/deliveries/{long}"), 404),
        (format!("/v1/endpoints/{}", "%00".repeat(1000)), 404),
        (format!("/v1/events?{}", "x&".repeat(30_000)), 422),
        (format!("/v1/events?{}", "limit=1&".repeat(7_000)), 422),
        (format!("/v1/events?{long}=1"), 422),
        (format!("/v1/events?type={}", "a,".repeat(30_000)), 422),
        (format!("/v1/events?since={long}"), 422),
        (
            "/v1/events?limit=99999999999999999999999999".to_owned(),
            422,
        ),
        ("/v1/events?limit=-1".to_owned(), 422),
        (
            format!("/v1/deliveries?status={}", "dea,".repeat(15_000)),
            422,
        ),
        (format!("/v1/events?cursor={long}"), 422),
        ("/v1/events?cursor=%00%ff".to_owned(), 422),
        ("/v1/events?cursor=_________________w".to_owned(), 422),
        ("/v1/deliveries?cursor=ZQAAAAAAAAABAAAAAA".to_owned(), 422),
        ("/v1/endpoints?cursor=../../../etc/passwd".to_owned(), 422),
    ] {
        let answer = busy.refused("GET", &path, none, "");
        assert_eq!(answer.status, status, "{path:.60}: {:.300}", answer.text());
        answer.problem(status);
    }
    busy.unharmed(0);
}

#[test]
fn an_endpoint_of_enormous_parts_is_refused_in_few_words() {
    let busy = Busy::start("");
    let long = "x".repeat(500_000);
    let many: Vec<_> = (0..60_000).map(|i| format!("e{i}")).collect();
    let headers: serde_json::Map<String, Value> = many
        .iter()
        .map(|name| (name.clone(), json!("\n")))
        .collect();
    let with = |name: &str, value: Value| {
        let mut endpoint = json!({"name": "e", "url": "http://127.0.0.1:9/", "policy": "standard"});
        endpoint[name] = value;
        endpoint.to_string()
    };
    let wide: serde_json::Map<String, Value> =
        many.iter().map(|name| (name.clone(), json!(1))).collect();
    for (name, body) in [
        ("name", with("name", json!(long))),
        (
            "url",
            with("url", json!(format!("http://127.0.0.1/{long}"))),
        ),
        ("policy", with("policy", json!(long))),
        ("events", with("events", json!(many))),
        ("an event", with("events", json!([long]))),
        ("headers", with("headers", headers.into())),
        ("a header", with("headers", json!({"X-Long": long}))),
        ("a header's name", with("headers", json!({ &*long: "x" }))),
        (
            "a user",
            with("basic_auth", json!({"user": long, "password": "p"})),
        ),
        (
            "a password",
            with("basic_auth", json!({"user": "u", "password": long})),
        ),
        ("a key", with("signing_key", json!(long))),
        ("concurrency", with("concurrency", json!(u64::MAX))),
        (
            "a timeout",
            with("timeout", json!(format!("{}s", "9".repeat(400_000)))),
        ),
        ("an authority", with("ca_pem", json!(long))),
        ("members", Value::from(wide).to_string()),
    ] {
        let answer = busy.refused("POST", "/v1/endpoints", JSON, &body);
        assert_eq!(answer.status, 422, "{name}: {:.300}", answer.text());
        answer.problem(422);
    }
    let huge = with("concurrency", json!(0)).replace(":0", ":1e400");
    busy.refused("POST", "/v1/endpoints", JSON, &huge)
        .problem(422);
    busy.unharmed(0);
}
