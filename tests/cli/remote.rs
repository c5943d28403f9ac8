//! Verbs that ask a server: what they ask, and what they make of the answer.

use serde_json::{Value, json};

use crate::server::{HANG, Server};
use crate::{Ran, redeliver, run, start};

fn ask(server: &Server, args: &[&str]) -> Ran {
    let args = [args, &["--server", &server.url]].concat();
    redeliver(&args, &[("SECRET", "s3cret")], b"")
}

fn endpoint() -> Value {
    json!({"id": "ep_1", "name": "crm", "url": "http://127.0.0.1:9/", "policy": "esputnik",
        "state": "active", "events": ["*"], "backlog": 7,
        "oldest_waiting_at": "2026-01-31T09:30:00.000Z", "next_attempt_at": null})
}

fn event(seq: u64) -> Value {
    json!({"id": format!("evt_{seq}"), "seq": seq, "source": "api", "type": "order.paid",
        "time": "2026-01-31T09:30:00.000Z", "received_at": "2026-01-31T09:30:00.000Z",
        "content_type": "application/json", "data": {"n": seq}, "size": 7})
}

fn list(items: &[Value], next: Option<&str>) -> (u16, String) {
    (200, json!({ "data": items, "next": next }).to_string())
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    let url = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", gone.local_addr().unwrap())
    };
    let expected = format!(
        "error: no server answers at {url}: connection refused; start one with `redeliver serve`, or name another with --server\n"
    );
    let ran = run(&["event", "list", "--server", &url]);
    assert_eq!((ran.code, &*ran.out, ran.err), (3, "", expected.clone()));
    let ran = redeliver(&["clock"], &[("REDELIVER_SERVER", &url)], b"");
    assert_eq!((ran.code, ran.err), (3, expected));
}

#[test]
fn a_list_is_a_table_or_the_servers_own_json() {
    let (_, text) = list(&[endpoint()], Some("c2"));
    let server = Server::once(200, &text);
    let ran = ask(&server, &["endpoint", "list"]);
    assert_eq!(
        ran.out,
        "NAME  STATE   POLICY    BACKLOG  OLDEST                    NEXT  URL\n\
         crm   active  esputnik  7        2026-01-31T09:30:00.000Z  -     http://127.0.0.1:9/\n"
    );
    assert_eq!(ran.err, "note: there is more: add --cursor c2\n");
    assert_eq!(server.asked().line, "GET /v1/endpoints");
    let server = Server::once(200, &text);
    assert_eq!(
        ask(&server, &["endpoint", "list", "--json"]).out,
        text + "\n"
    );
}

#[test]
fn the_token_comes_from_the_environment_and_is_asked_for() {
    let server = Server::start(vec![(401, String::new()), (401, String::new())]);
    let args = ["endpoint", "show", "crm", "--server", &server.url];
    let ran = run(&args);
    assert_eq!(ran.code, 2);
    assert!(ran.err.ends_with("set REDELIVER_TOKEN\n"), "{}", ran.err);
    assert!(!server.asked().headers.contains("authorization"));
    let ran = redeliver(&args, &[("REDELIVER_TOKEN", "t0ken")], b"");
    assert_eq!(ran.code, 2);
    assert!(!ran.err.contains("t0ken"), "{}", ran.err);
    assert!(
        server
            .asked()
            .headers
            .contains("authorization: bearer t0ken\n")
    );
}

#[test]
fn a_new_endpoint_is_sent_with_its_secrets_and_never_echoed() {
    let server = Server::once(201, &endpoint().to_string());
    let ran = ask(
        &server,
        &[
            "endpoint",
            "add",
            "crm",
            "--url",
            "http://127.0.0.1:9/",
            "--policy",
            "esputnik",
            "--event",
            "DELIVERED",
            "--signing-key",
            "env:SECRET",
            "--basic",
            "login:literal",
            "--header",
            "X-Team: a",
            "--timeout",
            "5s",
            "--check",
            "off",
            "--allow-http",
        ],
    );
    assert_eq!(
        (ran.code, &*ran.out),
        (0, "added crm (ep_1)\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.starts_with("warning: --basic is visible"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("literal"), "{}", ran.err);
    let asked = server.asked();
    assert_eq!(asked.line, "POST /v1/endpoints");
    assert_eq!(
        serde_json::from_str::<Value>(&asked.body).unwrap(),
        json!({"name": "crm", "url": "http://127.0.0.1:9/", "policy": "esputnik",
            "events": ["DELIVERED"], "signing_key": "s3cret",
            "basic_auth": {"user": "login", "password": "literal"},
            "headers": {"X-Team": "a"}, "timeout": "5s", "check": "off", "allow_http": true})
    );
}

#[test]
fn a_change_sends_what_is_given_and_null_for_what_is_unset() {
    let server = Server::once(200, &endpoint().to_string());
    let args = [
        "endpoint",
        "update",
        "crm",
        "--rename",
        "c",
        "--unset",
        "headers,timeout",
    ];
    assert_eq!(ask(&server, &args).code, 0);
    let asked = server.asked();
    assert_eq!(asked.line, "PATCH /v1/endpoints/crm");
    assert_eq!(asked.body, r#"{"headers":null,"name":"c","timeout":null}"#);
}

#[test]
fn each_verb_asks_its_own_route() {
    let body =
        json!({"name": "crm", "status": "pending", "now": "2026-01-31T09:30:00Z", "replayed": 2});
    for (args, line, sent) in [
        (
            &["endpoint", "pause", "crm"][..],
            "POST /v1/endpoints/crm/pause",
            "",
        ),
        (
            &["endpoint", "resume", "crm"],
            "POST /v1/endpoints/crm/resume",
            "",
        ),
        (
            &["endpoint", "remove", "crm"],
            "DELETE /v1/endpoints/crm",
            "",
        ),
        (
            &["endpoint", "test", "crm"],
            "POST /v1/endpoints/crm/test",
            "",
        ),
        (
            &[
                "endpoint",
                "rotate-key",
                "crm",
                "--signing-key",
                "env:SECRET",
            ],
            "POST /v1/endpoints/crm/rotate-key",
            r#"{"signing_key":"s3cret"}"#,
        ),
        (
            &["delivery", "show", "dlv_1"],
            "GET /v1/deliveries/dlv_1",
            "",
        ),
        (
            &["delivery", "retry", "dlv_1"],
            "POST /v1/deliveries/dlv_1/retry",
            "",
        ),
        (
            &[
                "delivery",
                "list",
                "--endpoint",
                "crm",
                "--status",
                "waiting,dead",
                "--limit",
                "5",
            ],
            "GET /v1/deliveries?endpoint=crm&status=waiting%2Cdead&limit=5",
            "",
        ),
        (&["clock"], "GET /v1/clock", ""),
        (
            &["clock", "advance", "38m30s"],
            "POST /v1/clock/advance",
            r#"{"by":"38m30s"}"#,
        ),
        (
            &[
                "replay",
                "--endpoint",
                "crm",
                "--status",
                "dead",
                "--dry-run",
            ],
            "POST /v1/endpoints/crm/replay",
            r#"{"dry_run":true,"status":"dead"}"#,
        ),
        (
            &[
                "event",
                "list",
                "--type",
                "a.b",
                "--until",
                "2026-01-31T09:30:00Z",
            ],
            "GET /v1/events?type=a.b&until=2026-01-31T09%3A30%3A00.000Z",
            "",
        ),
    ] {
        let server = Server::once(200, &body.to_string());
        let ran = ask(&server, args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        let asked = server.asked();
        assert_eq!((&*asked.line, &*asked.body), (line, sent), "{args:?}");
    }
}

#[test]
fn how_long_ago_is_counted_from_the_servers_clock() {
    let clock = json!({"now": "2026-01-31T12:00:00.000Z", "kind": "manual"});
    let answer = json!({"replayed": 2});
    let script = vec![(200, clock.to_string()), (200, answer.to_string())];
    let server = Server::start(script);
    let ran = ask(&server, &["replay", "--endpoint", "crm", "--since", "2h"]);
    assert_eq!(
        ran.out, "sending 2 deliveries to crm again\n",
        "{}",
        ran.err
    );
    assert_eq!(server.asked().line, "GET /v1/clock");
    let body: Value = serde_json::from_str(&server.asked().body).unwrap();
    assert_eq!(
        body,
        json!({"since": "2026-01-31T10:00:00.000Z", "dry_run": false})
    );
}

#[test]
fn a_refusal_is_explained_with_every_place() {
    let problem = json!({"type": "about:blank", "title": "Invalid endpoint", "status": 422,
        "detail": "2 mistakes", "errors": [{"at": "/url", "detail": "no\u{1b}[2J URL"}, {"at": "/name", "detail": "taken"}]});
    let server = Server::once(422, &problem.to_string());
    let ran = ask(
        &server,
        &["endpoint", "add", "crm", "--url", "x", "--policy", "p"],
    );
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert_eq!(
        ran.err,
        "error: Invalid endpoint: 2 mistakes\nerror: /url: no[2J URL\nerror: /name: taken\n"
    );
    let server = Server::once(503, r#"{"title":"Full","detail":"try again"}"#);
    let ran = ask(&server, &["event", "send", "t"]);
    assert_eq!((ran.code, &*ran.err), (3, "error: Full: try again\n"));
    let stranger = Server::once(200, "<html>");
    let ran = ask(&stranger, &["event", "list", "--json"]);
    assert_eq!((ran.code, &*ran.out), (3, ""));
    assert!(
        ran.err.contains("does not seem to be a redeliver server"),
        "{}",
        ran.err
    );
}

#[test]
fn events_are_sent_and_shown_with_their_deliveries() {
    let accepted = |seq: u64, duplicate: bool| {
        let accepted = json!({"id": format!("evt_{seq}"), "seq": seq, "duplicate": duplicate});
        (202, accepted.to_string())
    };
    let server = Server::start(vec![accepted(1, false), accepted(1, true)]);
    let ran = ask(
        &server,
        &[
            "event",
            "send",
            "order.paid",
            "--data",
            "{\"n\":1.0}",
            "--count",
            "2",
        ],
    );
    assert_eq!(
        ran.out,
        "evt_1 (seq 1)\nevt_1 (seq 1), a duplicate: nothing was put in\n"
    );
    assert_eq!(
        server.asked().body,
        r#"{"type":"order.paid","data":{"n":1.0}}"#
    );
    let delivery = json!({"id": "dlv_1", "endpoint": "crm", "status": "waiting",
        "attempt_count": 2, "last_status": 500, "next_attempt_at": "2026-01-31T09:30:00.000Z"});
    let script = || {
        vec![
            (200, event(3).to_string()),
            list(std::slice::from_ref(&delivery), None),
        ]
    };
    let server = Server::start(script());
    let ran = ask(&server, &["event", "show", "evt_3"]);
    assert!(
        ran.out.contains("order.paid") && ran.out.contains("dlv_1"),
        "{}",
        ran.out
    );
    assert_eq!(server.asked().line, "GET /v1/events/evt_3");
    assert_eq!(server.asked().line, "GET /v1/events/evt_3/deliveries");
    let server = Server::start(script());
    let ran = ask(&server, &["event", "show", "evt_3", "--json"]);
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&shown["seq"], &shown["deliveries"][0]),
        (&3.into(), &delivery)
    );
}

#[test]
fn following_the_log_prints_each_new_event_once_in_order() {
    let clock = (200, json!({"now": "2026-01-31T09:30:00.000Z"}).to_string());
    let server = Server::start(vec![
        clock,
        list(&[event(4)], None),
        list(&[event(4)], None),
        list(&[event(7), event(6)], Some("more")),
        list(&[event(5), event(4)], None),
    ]);
    let ran = ask(&server, &["event", "tail", "--count", "3"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ids: Vec<_> = ran
        .out
        .lines()
        .map(|line| line.split("  ").nth(2))
        .collect();
    assert_eq!(ids, [Some("evt_5"), Some("evt_6"), Some("evt_7")]);
}

#[test]
fn a_delivery_is_shown_with_its_reason_and_its_attempts() {
    let delivery = json!({"id": "dlv_1", "event_id": "evt_3", "seq": 3, "endpoint": "crm",
        "status": "waiting", "attempt_count": 1, "next_attempt_at": "2026-01-31T09:31:00.000Z",
        "last_status": 500, "last_error": null, "attempts": [{"number": 1,
        "started_at": "2026-01-31T09:30:00.000Z", "duration_ms": 12, "status": 500,
        "error": null, "response_excerpt": "oh\u{1b}]0;no"}]});
    let server = Server::once(200, &delivery.to_string());
    let ran = ask(&server, &["delivery", "show", "dlv_1"]);
    assert_eq!(
        ran.out,
        "delivery  dlv_1\n\
         event     evt_3 (seq 3)\n\
         endpoint  crm\n\
         status    waiting\n\
         why       attempt 1 was answered 500; the policy lets it be tried again\n\
         next      2026-01-31T09:31:00.000Z\n\
         attempts  1\n  \
           #1  2026-01-31T09:30:00.000Z  500  12 ms\n      \
               oh]0;no\n"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = Server::once(202, r#"{"id":"evt_1","seq":1,"duplicate":false}"#);
    let args = ["event", "send", "t", "--data", "-", "--server", &server.url];
    let mut child = start(&args, &[]);
    drop(child.stdout.take());
    // It answers only after it has read this.
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"{}").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &*ran.err), (0, ""));
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_following_with_0_and_anything_else_with_130() {
    for (args, code, err) in [
        (["event", "tail"], 0, ""),
        (["event", "list"], 130, "error: interrupted\n"),
    ] {
        let server = Server::once(HANG, "");
        let args = [&args[..], &["--server", &server.url]].concat();
        let child = start(&args, &[]);
        server.asked();
        let kill = format!("kill -INT {}", child.id());
        let killed = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(killed.unwrap().success());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, &*ran.err), (code, err), "{args:?}");
    }
}
