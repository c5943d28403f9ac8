//! Verbs about events and deliveries: sent, shown, followed, interrupted.

use serde_json::{Value, json};

use crate::remote::{ask, list};
use crate::server::{HANG, Server};
use crate::{Ran, start};

fn event(seq: u64) -> Value {
    json!({"id": format!("evt_{seq}"), "seq": seq, "source": "api", "type": "order.paid",
        "time": "2026-01-31T09:30:00.000Z", "received_at": "2026-01-31T09:30:00.000Z",
        "content_type": "application/json", "data": {"n": seq}, "size": 7})
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
        "last_status": 500, "last_error": null,
        "explanation": "attempt 1 failed with status 500; retry 1 leaves 1m after that failure",
        "attempts": [{"number": 1,
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
         why       attempt 1 failed with status 500; retry 1 leaves 1m after that failure\n\
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
