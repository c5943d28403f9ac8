//! Logging in, without a browser: what is answered to whom.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Answer;
use crate::process::source::Source;

const TOKEN: &str = "correct-horse-battery";

fn site(config: &str) -> (Site, Broker) {
    let mut site = Site::new();
    site.set_env("REDELIVER_TOKEN", TOKEN);
    site.configure(config);
    let broker = site.start(&[]);
    (site, broker)
}

fn with_token() -> (Site, Broker) {
    site("[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n")
}

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut headers = answer.headers.iter();
    let found = headers.find(|(header, _)| header == name);
    found.map(|(_, value)| &**value)
}

fn login(broker: &Broker, token: &str) -> Answer {
    let form = format!("token={token}");
    broker.send("POST", "/login", &[OURS], form.as_bytes())
}

/// The cookie of a new session, as a browser sends it.
fn cookie(broker: &Broker) -> String {
    let answer = login(broker, TOKEN);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(header(&answer, "location"), Some("./"));
    let cookie = header(&answer, "set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_asks_as_a_token_does_and_changes_things_from_our_own_pages_alone() {
    let (_site, broker) = with_token();
    let cookie = &*cookie(&broker);
    let status = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie)], headers].concat();
        broker.send(method, path, &headers, b"").status
    };
    let (reads, acts) = (
        ("GET", "/v1/endpoints"),
        ("POST", "/v1/endpoints/none/pause"),
    );
    for (headers, read, acted) in [
        (&[OURS][..], 200, 404),
        (&[], 200, 403),
        (&[("sec-fetch-site", "same-site")], 403, 403),
        (&[("sec-fetch-site", "cross-site")], 403, 403),
        (&[("origin", "http://evil.example")], 403, 403),
        (
            &[("origin", &*format!("http://{}", broker.address))],
            200,
            404,
        ),
    ] {
        assert_eq!(status(reads.0, reads.1, headers), read, "{headers:?}");
        assert_eq!(status(acts.0, acts.1, headers), acted, "{headers:?}");
    }
    // The one request that is answered before the routes is under the same rule.
    let event = json!({"type": "order.paid", "data": {}}).to_string();
    let post = |extra: &[(&str, &str)]| {
        let headers = [
            &[("cookie", cookie), ("content-type", "application/json")],
            extra,
        ]
        .concat();
        let answer = broker.send("POST", "/v1/events", &headers, event.as_bytes());
        answer.status
    };
    assert_eq!((post(&[]), post(&[OURS])), (403, 202));
}

#[test]
fn a_bearer_goes_on_as_before_whatever_cookie_comes_with_it() {
    let (_site, broker) = with_token();
    let right = format!("Bearer {TOKEN}");
    for (headers, status) in [
        (&[("authorization", &*right)][..], 200),
        (
            &[("authorization", &*right), ("cookie", "redeliver=stale")],
            200,
        ),
        (
            &[
                ("authorization", "Bearer wrong"),
                ("cookie", &*cookie(&broker)),
            ],
            401,
        ),
        (&[], 401),
        (&[("cookie", "redeliver=made-up")], 401),
        (&[("cookie", "another=one")], 401),
    ] {
        let answer = broker.send("GET", "/v1/endpoints", headers, b"");
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(!answer.text().contains(TOKEN));
    }
}

#[test]
fn the_token_and_the_ids_of_sessions_stand_in_no_log_and_no_answer() {
    let (site, broker) = with_token();
    let cookie = cookie(&broker);
    let (_, id) = cookie.split_once('=').unwrap();
    for answer in [
        broker.send("GET", "/", &[("cookie", &cookie)], b""),
        broker.send("GET", "/login", &[("cookie", &cookie)], b""),
        login(&broker, "wrong"),
    ] {
        assert!(!answer.text().contains(TOKEN) && !answer.text().contains(id));
    }
    broker.stop();
    assert!(!site.log().contains(TOKEN) && !site.log().contains(id));
}

#[test]
fn without_a_token_there_is_no_login_and_foreign_pages_stay_out() {
    let (_site, broker) = site("");
    let page = broker.send("GET", "/", &[], b"");
    assert!(page.text().contains("data-login=\"no\""));
    let login = broker.send("GET", "/login", &[], b"");
    assert_eq!(
        (login.status, header(&login, "location")),
        (303, Some("./"))
    );
    assert_eq!(header(&self::login(&broker, "x"), "set-cookie"), None);
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://evil.example"),
    ] {
        // The page itself shows nothing, and a link to it may stand anywhere.
        assert_eq!(broker.send("GET", "/", &[foreign], b"").status, 200);
        let refused = broker.send("GET", "/v1/overview", &[foreign], b"");
        refused.problem(403);
    }
}

#[test]
fn the_figures_of_websites_are_for_operators_without_a_key_and_for_nobody_else() {
    let website = "[[website]]\nid = \"ws_1\"\ntracking_code = \"ZV_ABCDEFGHIJK\"\n\
                   domain = \"example.com\"\nsources = [\"api\"]\napi_keys = [\"env:REDELIVER_TOKEN\"]\n";
    let (_site, broker) = site(&format!(
        "[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n{website}"
    ));
    let bearer = format!("Bearer {TOKEN}");
    let bearer = ("authorization", &*bearer);
    let view =
        json!({"type": "page_view", "subject": "ann", "data": {"page_url": "/"}}).to_string();
    let headers = [bearer, ("content-type", "application/json")];
    broker.send("POST", "/v1/events", &headers, view.as_bytes());
    let open = broker
        .send("GET", "/e/live/ZV_ABCDEFGHIJK", &[], b"")
        .json();
    let answer = broker.send("GET", "/v1/websites", &[bearer], b"");
    let shown = &answer.json()["data"][0];
    assert_eq!(
        (&shown["live"], &shown["domain"]),
        (&open["visitors"], &json!("example.com"))
    );
    assert_eq!(shown["live"], 1);
    assert_eq!(shown["summary"]["total_page_views"], 1);
    assert!(!answer.text().contains(TOKEN));
    broker.send("GET", "/v1/websites", &[], b"").problem(401);
}

#[test]
fn tries_that_are_made_at_once_are_as_few_as_those_made_one_after_another() {
    let (_site, broker) = with_token();
    let form = b"token=wrong";
    let head = format!(
        "POST /login HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        broker.address,
        form.len()
    );
    // Each is let in before any of them is counted.
    let mut streams: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(broker.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&form[..1]).unwrap();
            stream
        })
        .collect();
    eventually("all are open", || {
        let metrics = [("authorization", &*format!("Bearer {TOKEN}"))];
        let page = broker.send("GET", "/metrics", &metrics, b"").text();
        let open = page
            .lines()
            .find_map(|line| line.strip_prefix("redeliver_connections_open "));
        (open.unwrap().parse::<f64>().unwrap() >= 40.0).then_some(())
    });
    let mut judged = 0;
    for stream in &mut streams {
        stream.write_all(&form[1..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        judged += usize::from(answer.starts_with("HTTP/1.1 401"));
    }
    assert_eq!(judged, 10, "of forty");
}

#[test]
fn what_a_session_has_opened_ends_with_it() {
    let (_site, broker) = with_token();
    let [leaves, stays] = [cookie(&broker), cookie(&broker)];
    let open = |cookie: &str| {
        let headers = [("cookie", cookie), OURS];
        Source::open(broker.address, "/v1/stream?deliveries=false", &headers)
    };
    let (mut left, mut kept) = (open(&leaves), open(&stays));
    let answer = broker.send("POST", "/logout", &[("cookie", &leaves), OURS], b"");
    assert_eq!(answer.status, 303);
    assert_eq!(left.next(), None);
    let headers = [
        ("cookie", &*stays),
        OURS,
        ("content-type", "application/json"),
    ];
    let event = json!({"type": "order.paid", "data": {}}).to_string();
    let answer = broker.send("POST", "/v1/events", &headers, event.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(kept.next().unwrap().event, "event");
}
