//! Verbs that need no server.

use std::path::Path;

use crate::{redeliver, run};

const VERBS: &[&str] = &[
    "",
    "demo",
    "serve",
    "listen",
    "check",
    "check hotjar",
    "check esputnik",
    "check standard",
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
    "endpoint retry",
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
    "delivery discard",
    "delivery give-up",
    "replay",
    "task",
    "task list",
    "task show",
    "task cancel",
    "task discard",
    "completion",
    "man",
    "openapi",
    "bench",
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
    assert_eq!(
        ran.out,
        "{\"alerts\":0,\"endpoints\":2,\"exports\":0,\"sources\":1,\"valid\":true,\"websites\":0}\n"
    );
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

#[test]
fn while_a_key_is_replaced_a_signature_by_the_one_before_verifies_and_is_told_to_be_that() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, key).unwrap();
        path.display().to_string()
    };
    let (new, old, older) = (file("new", "n"), file("old", "o\n"), file("older", "oo"));
    let signed = |key: &str| {
        let env = [("REDELIVER_KEY", key)];
        let ran = redeliver(&["sign", "--scheme", "hotjar"], &env, b"{}");
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim().to_owned()
    };
    let verify = |signature: &str, more: &[&str]| {
        let args = ["verify", "--scheme", "hotjar", "--key-file", &new];
        let previous = ["--previous-key-file", &old, "--previous-key-file", &older];
        let args = [&args[..], &previous, &["--signature", signature], more].concat();
        redeliver(&args, &[], b"{}")
    };
    let ran = verify(&signed("n"), &[]);
    assert_eq!((ran.code, &*ran.out), (0, "the signature is right\n"));
    for key in ["o", "oo"] {
        let ran = verify(&signed(key), &[]);
        let said = "the signature is right by a previous key\n";
        assert_eq!((ran.code, &*ran.out), (0, said), "{}", ran.err);
        let ran = verify(&signed(key), &["--json"]);
        assert_eq!(ran.out, "{\"previous_key\":true,\"valid\":true}\n");
    }
    let ran = verify(&signed("another"), &[]);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.contains("does not match"), "{}", ran.err);
    // One that cannot be read is no wrong signature.
    let gone = dir.path().join("gone").display().to_string();
    let (args, by_old) = (
        ["verify", "--scheme", "hotjar", "--key-file", &new],
        signed("o"),
    );
    let more = ["--previous-key-file", &gone, "--signature", &by_old];
    let ran = redeliver(&[&args[..], &more].concat(), &[], b"{}");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("gone"), "{}", ran.err);
}

#[test]
fn the_completion_script_of_each_shell_has_every_verb() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(&["completion", shell]);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{shell}");
        for verb in ["endpoint", "rotate-key", "task", "--dry-run"] {
            let word = verb.trim_start_matches("--");
            assert!(ran.out.contains(word), "{shell} does not know {verb}");
        }
    }
    assert_eq!(run(&["completion", "cmd"]).code, 2);
}

#[test]
fn there_is_a_manual_page_for_each_verb_with_its_example() {
    let dir = tempfile::tempdir().unwrap();
    let ran = run(&["man", dir.path().join("man1").to_str().unwrap()]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    for verb in [
        "",
        "-serve",
        "-endpoint-add",
        "-replay",
        "-task-cancel",
        "-man",
    ] {
        let path = dir.path().join(format!("man1/redeliver{verb}.1"));
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page.contains("Example"), "{}", path.display());
        assert!(page.contains(".SH NAME"), "{}", path.display());
    }
    let one = run(&["man"]);
    assert!(one.out.contains(".SH NAME"), "{}", one.err);
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = run(&["man", file.to_str().unwrap()]);
    assert_eq!(refused.code, 3);
    assert!(
        refused
            .err
            .starts_with("error: cannot write manual pages to ")
    );
}

#[test]
fn the_openapi_document_is_printed_without_a_server() {
    let ran = run(&["openapi"]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn a_check_refuses_what_a_start_refuses_without_asking_anybody() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = |name: &str, url: &str| {
        format!("[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\npolicy = \"standard\"\n\n")
    };
    let config = endpoint("inside", "http://10.1.2.3/")
        + &endpoint("good", "https://example.com/hook")
        + &endpoint("metadata", "http://169.254.169.254/");
    let ran = check(dir.path(), &config, &[]);
    assert_eq!((ran.code, &*ran.out), (2, ""));
    let lines = ran.err.lines();
    let lines: Vec<&str> = lines.filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 2, "{}", ran.err);
    assert!(lines[0].contains("redeliver.toml:1: endpoint inside: refused address: 10.1.2.3"));
    assert!(lines[1].contains("redeliver.toml:11: endpoint metadata: refused address"));
    let ran = check(dir.path(), &config, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["valid"], false);
    assert_eq!(told["errors"][1]["line"], 11);
    let allowed = format!(
        "[server]\nallow_addresses = [\"10.0.0.0/8\"]\n\n{}",
        endpoint("inside", "http://10.1.2.3/")
    );
    assert_eq!(check(dir.path(), &allowed, &[]).code, 0);
}
