//! Verbs that need no server.

use std::path::Path;
use std::sync::Arc;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::event::{Form, NewEvent};
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Store};

use crate::{redeliver, run};

const VERBS: &[&str] = &[
    "",
    "demo",
    "serve",
    "listen",
    "sign",
    "verify",
    "endpoint",
    "endpoint add",
    "endpoint list",
    "endpoint show",
    "endpoint update",
    "endpoint pause",
    "endpoint resume",
    "endpoint remove",
    "endpoint test",
    "endpoint rotate-key",
    "event",
    "event send",
    "event list",
    "event show",
    "event tail",
    "delivery",
    "delivery list",
    "delivery show",
    "delivery retry",
    "replay",
    "clock",
    "clock advance",
    "store",
    "store verify",
    "store stats",
];

#[test]
fn every_verb_explains_itself_with_an_example() {
    for verb in VERBS {
        let args: Vec<_> = verb.split_whitespace().chain(["--help"]).collect();
        let ran = run(&args);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{verb}");
        assert!(ran.out.contains("Example"), "{verb}: {}", ran.out);
    }
    let version = run(&["--version"]);
    assert_eq!(version.code, 0);
    assert!(version.out.starts_with("redeliver "), "{}", version.out);
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    for args in [
        &["endpoint", "add", "crm"][..],
        &["endpoint", "update", "crm"],
        &[
            "endpoint",
            "update",
            "crm",
            "--timeout",
            "5s",
            "--unset",
            "timeout",
        ],
        &["event", "send", "t", "--data", "{"],
        &["event", "list", "--since", "yesterday"],
        &["delivery", "list", "--status", "lost"],
        &["serve", "--clock", "fast"],
        &["serve", "--accept-loss", "5-4"],
        &["serve", "--listen", "0.0.0.0:1"],
        &["sign", "--scheme", "hotjar"],
        &["store", "verify", "--log", "==="],
        &["nonsense"],
    ] {
        let ran = run(args);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: "), "{args:?}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{args:?}: {}", ran.err);
    }
}

fn check(dir: &Path, config: &str, more: &[&str]) -> crate::Ran {
    let file = dir.join("redeliver.toml");
    std::fs::write(&file, config).unwrap();
    let file = file.display().to_string();
    let args = [&["serve", "--check", "--config", &file], more].concat();
    redeliver(&args, &[("KEY", "k3y")], b"")
}

const GOOD: &str = r#"
[[source]]
name = "surveys"
kind = "hotjar"
key = "env:KEY"

[[endpoint]]
name = "crm"
url = "http://127.0.0.1:9000/hook"
policy = "esputnik"

[[endpoint]]
name = "warehouse"
url = "http://127.0.0.1:9001/hook"
policy = "hotjar"
signing_key = "l1teral"
"#;

#[test]
fn a_good_configuration_is_counted_and_its_warnings_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let ran = check(dir.path(), GOOD, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .ends_with("redeliver.toml: configuration is good (2 endpoints, 1 source)\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.err.starts_with("warning: ") && ran.err.contains("signing_key"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("l1teral"), "{}", ran.err);
    let ran = check(dir.path(), GOOD, &["--json"]);
    assert_eq!(ran.out, "{\"endpoints\":2,\"sources\":1,\"valid\":true}\n");
    let ran = check(dir.path(), GOOD, &["--listen", "0.0.0.0:7070"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("admin_token"), "{}", ran.err);
}

#[test]
fn five_mistakes_are_five_lines() {
    let bad = GOOD
        .replace("\"env:KEY\"", "\"env:NOT_SET\"")
        .replace("127.0.0.1:9000/hook\"", "user:hunter2@127.0.0.1:9000\"")
        .replace("\"esputnik\"", "\"esputnick\"")
        .replace("\"warehouse\"", "\"crm\"")
        .replace("signing_key", "signing_kee");
    let dir = tempfile::tempdir().unwrap();
    let ran = check(dir.path(), &bad, &[]);
    assert_eq!((ran.code, &*ran.out), (2, ""));
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.err);
    let numbered = |line: &&str| line.starts_with("error: ") && line.contains("redeliver.toml:");
    assert!(lines.iter().all(numbered), "{}", ran.err);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    let ran = check(dir.path(), &bad, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["valid"], false);
    assert_eq!(report["errors"].as_array().unwrap().len(), 5);
}

#[test]
fn a_configuration_that_was_named_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("absent.toml").display().to_string();
    let ran = run(&["serve", "--check", "--config", &file]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("absent.toml: cannot be read"),
        "{}",
        ran.err
    );
}

#[test]
fn what_was_signed_verifies_and_what_was_changed_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (key, body) = (dir.path().join("key"), dir.path().join("body.json"));
    std::fs::write(&key, "site-key\n").unwrap();
    std::fs::write(&body, "{\"timestamp\":1}").unwrap();
    let (key, body) = (key.display().to_string(), body.display().to_string());
    let scheme = ["--scheme", "hotjar", "--key-file", &key];
    let signed = run(&[&["sign"][..], &scheme, &[&body]].concat());
    assert_eq!(signed.code, 0, "{}", signed.err);
    let env = [("REDELIVER_KEY", "site-key")];
    let signature = signed.out.trim();
    let from_input = redeliver(&["sign", "--scheme", "hotjar"], &env, b"{\"timestamp\":1}");
    assert_eq!(from_input.out.trim(), signature);
    let verify = ["verify", "--scheme", "hotjar", "--signature", signature];
    let right = redeliver(&verify, &env, b"{\"timestamp\":1}");
    assert_eq!((right.code, &*right.out), (0, "the signature is right\n"));
    let wrong = redeliver(&verify, &env, b"{\"timestamp\":2}");
    assert_eq!((wrong.code, &*wrong.out), (1, ""));
    assert!(
        wrong.err.starts_with("error: the signature does not match"),
        "{}",
        wrong.err
    );
}

fn store(dir: &Path) -> Log<Disk> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    Log::open(dir, 8 << 20, clock, Options::default(), [1, 2, 3]).unwrap()
}

fn event() -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: "order.paid".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: b"{}".to_vec().into(),
        status: None,
        idempotency_key: None,
    }
}

#[test]
fn a_store_is_verified_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().display().to_string();
    let stats = ["store", "stats", "--data", &data];
    for verb in ["verify", "stats"] {
        let nothing = run(&["store", verb, "--data", &data]);
        assert_eq!(nothing.code, 3);
        assert!(
            nothing.err.contains("there is no store in it"),
            "{}",
            nothing.err
        );
    }
    let log = store(dir.path());
    let locked = run(&stats);
    assert_eq!(locked.code, 3);
    assert!(
        locked.err.contains("in use by another process"),
        "{}",
        locked.err
    );
    log.close().unwrap();
    drop(log);
    let empty = run(&stats);
    assert_eq!(empty.code, 0, "{}", empty.err);
    let log = store(dir.path());
    let ticket = log.append(vec![event(), event(), event()]).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap();
    log.close().unwrap();
    drop(log);
    let verified = run(&["store", "verify", "--data", &data]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(
        verified.out.ends_with("the store is whole\n"),
        "{}",
        verified.out
    );
    let counted = run(&stats);
    assert_eq!(counted.code, 0, "{}", counted.err);
    assert!(
        counted.out.contains("2023-11-14T22:13:20.000Z"),
        "{}",
        counted.out
    );
    let counted = run(&[&stats[..], &["--json"]].concat());
    let counted: serde_json::Value = serde_json::from_str(&counted.out).unwrap();
    assert_eq!(
        (&counted["events"], &counted["last_seq"]),
        (&3.into(), &3.into())
    );
    assert_eq!(counted["endpoints"], serde_json::json!([]));
}

#[test]
fn a_store_that_lost_events_fails_the_check_and_names_them() {
    let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(store(dir.path()));
    std::fs::copy(dir.path().join("db"), old.path().join("db")).unwrap();
    let log = store(dir.path());
    let ticket = log.append(vec![event(), event()]).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap();
    drop(log);
    std::fs::copy(old.path().join("db"), dir.path().join("db")).unwrap();
    let data = dir.path().display().to_string();
    let ran = run(&["store", "verify", "--data", &data]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("events 1 to 2: "), "{}", ran.out);
    assert_eq!(ran.err, "error: the store is damaged: 1 finding\n");
}
