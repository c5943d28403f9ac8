//! Verbs that ask a server: what they ask, and what they make of the answer.

use serde_json::{Value, json};

use crate::server::Server;
use crate::{Ran, redeliver, run};

pub fn ask(server: &Server, args: &[&str]) -> Ran {
    let args = [args, &["--server", &server.url]].concat();
    redeliver(&args, &[("SECRET", "s3cret")], b"")
}

fn endpoint() -> Value {
    json!({"id": "ep_1", "name": "crm", "url": "http://127.0.0.1:9/", "policy": "esputnik",
        "state": "active", "events": ["*"], "backlog": 7,
        "oldest_waiting_at": "2026-01-31T09:30:00.000Z", "next_attempt_at": null})
}

pub fn list(items: &[Value], next: Option<&str>) -> (u16, String) {
    (200, json!({ "data": items, "next": next }).to_string())
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    let url = "http://127.0.0.1:1";
    let expected = format!(
        "error: no server answers at {url}: connection refused; start one with `redeliver serve`, or name another with --server\n"
    );
    let ran = run(&["event", "list", "--server", url]);
    assert_eq!((ran.code, &*ran.out, ran.err), (3, "", expected.clone()));
    let ran = redeliver(&["clock"], &[("REDELIVER_SERVER", url)], b"");
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
    let body = json!({"id": "x", "data": [], "name": "crm", "status": "pending", "now": "2026-01-31T09:30:00Z", "state": "done", "matched": 2, "delivered": true, "attempt": {"number": 1}});
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
            &["clock", "advance", "1h", "--patience", "5s"],
            "POST /v1/clock/advance",
            r#"{"by":"1h","patience":"5s"}"#,
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
            "POST /v1/tasks",
            r#"{"dry_run":true,"endpoint":"crm","kind":"replay","status":"dead"}"#,
        ),
        (
            &[
                "event",
                "list",
                "--source",
                "shop",
                "--subject",
                "u",
                "--key",
                "k",
            ],
            "GET /v1/events?source=shop&subject=u&key=k",
            "",
        ),
        (
            &[
                "delivery",
                "list",
                "--type",
                "a.*",
                "--since",
                "2026-01-31T09:30:00Z",
                "--last-status",
                "500",
            ],
            "GET /v1/deliveries?type=a.*&since=2026-01-31T09%3A30%3A00.000Z&last_status=500",
            "",
        ),
        (
            &["endpoint", "list", "--state", "all", "--policy", "hotjar"],
            "GET /v1/endpoints?state=all&policy=hotjar",
            "",
        ),
        (
            &["replay", "--type", "a.*,b", "--limit", "5", "--detach"],
            "POST /v1/tasks",
            r#"{"dry_run":false,"kind":"replay","limit":5,"type":"a.*,b"}"#,
        ),
        (
            &["replay", "--all", "--detach"],
            "POST /v1/tasks",
            r#"{"dry_run":false,"kind":"replay"}"#,
        ),
        (
            &["endpoint", "retry", "crm"],
            "POST /v1/endpoints/crm/retry",
            "",
        ),
        (
            &["delivery", "give-up", "dlv_1", "--reason", "no price"],
            "POST /v1/deliveries/dlv_1/give-up",
            r#"{"reason":"no price"}"#,
        ),
        (
            &["delivery", "give-up", "dlv_1"],
            "POST /v1/deliveries/dlv_1/give-up",
            "",
        ),
        (
            &["task", "list", "--state", "running,done"],
            "GET /v1/tasks?state=running%2Cdone",
            "",
        ),
        (&["task", "show", "tsk_1"], "GET /v1/tasks/tsk_1", ""),
        (
            &["task", "cancel", "tsk_1"],
            "POST /v1/tasks/tsk_1/cancel",
            "",
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
    let task = |state| json!({"id": "tsk_1", "state": state, "done": 2}).to_string();
    let script = vec![
        (200, clock.to_string()),
        (202, task("running")),
        (200, task("running")),
        (200, task("done")),
    ];
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
        json!({"kind": "replay", "endpoint": "crm", "since": "2026-01-31T10:00:00.000Z",
            "dry_run": false})
    );
    assert_eq!(server.asked().line, "GET /v1/tasks/tsk_1");
}

#[test]
fn a_replay_that_nothing_narrows_is_refused_before_anybody_is_asked() {
    let ran = run(&["replay", "--server", "http://127.0.0.1:9"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (
            2,
            "error: nothing says what to send again; name --endpoint, --type, --since, --until, --status dead or --limit, or --all for the whole log to every endpoint\n"
        )
    );
}

#[test]
fn what_is_due_or_paused_shows_no_time_in_a_list() {
    let at = "2026-01-31T09:30:00.000Z";
    let with = |state: &str, next: &str| {
        let mut endpoint = endpoint();
        endpoint["state"] = state.into();
        endpoint["next_attempt_at"] = next.into();
        endpoint
    };
    let later = "2026-01-31T09:31:00.000Z";
    let (_, text) = list(
        &[
            with("active", at),
            with("paused", later),
            with("active", later),
        ],
        None,
    );
    let clock = json!({"now": at, "kind": "manual"}).to_string();
    let server = Server::start(vec![(200, text), (200, clock)]);
    let ran = ask(&server, &["endpoint", "list"]);
    let next: Vec<&str> = ran
        .out
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(5).unwrap())
        .collect();
    assert_eq!(next, ["due", "paused", later], "{}", ran.err);
}

#[test]
fn a_replay_that_did_not_come_to_its_end_is_exit_code_1_with_the_reason() {
    let task = json!({"id": "tsk_1", "state": "failed", "done": 2, "dry_run": false,
        "error": "event 7 is damaged"});
    let server = Server::once(202, &task.to_string());
    let ran = ask(&server, &["replay", "--all", "--json"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (1, "error: the replay is failed: event 7 is damaged\n")
    );
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(said, json!({"replayed": 2, "dry_run": false, "task": task}));
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
    assert!(ran.err.contains("there is no redeliver at"), "{}", ran.err);
}

#[test]
fn a_list_goes_on_while_there_is_nothing_yet_of_what_is_asked_for() {
    let event = json!({"seq": 3, "id": "evt_1", "type": "rare", "size": 2});
    let server = Server::start(vec![
        list(&[], Some("c1")),
        list(&[], Some("c2")),
        list(&[event], Some("c3")),
    ]);
    let ran = ask(
        &server,
        &["event", "list", "--type", "rare", "--cursor", "c0"],
    );
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    assert_eq!(ran.err, "note: there is more: add --cursor c3\n");
    for from in ["c0", "c1", "c2"] {
        let line = server.asked().line;
        assert_eq!(line, format!("GET /v1/events?type=rare&cursor={from}"));
    }
}

#[test]
fn what_no_tree_can_hold_of_a_senders_json_is_listed_and_shown() {
    let event = r#"{"seq":1,"id":"evt_1","type":"t","data":{"cut":"\ud83d","huge":1e999}}"#;
    let (_, none) = list(&[], None);
    let listed = format!(r#"{{"data":[{event}],"next":null}}"#);
    let ran = ask(&Server::once(200, &listed), &["event", "list"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}", ran.err);
    let server = Server::once(200, &listed);
    assert_eq!(
        ask(&server, &["event", "list", "--json"]).out,
        listed + "\n"
    );
    let server = Server::start(vec![(200, event.to_owned()), (200, none)]);
    let shown = ask(&server, &["event", "show", "evt_1"]);
    assert!(shown.out.contains("1e999"), "{} {}", shown.out, shown.err);
}
