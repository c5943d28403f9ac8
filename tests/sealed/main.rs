//! Secrets at rest: planted, and looked for in every file of the data directory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use process::broker::{Broker, Ran, Site};
use process::eventually;
use process::receiver::Receiver;
use serde_json::json;

/// What is planted. The signing key's own bytes are looked for as well.
const SIGNING: &str = "whsec_cGxhbnRlZC1zaWduaW5nLWtleS1wbGFudGVkLTAx";
const SIGNING_BYTES: &[u8] = b"planted-signing-key-planted-01";
const ROTATED: &str = "whsec_cGxhbnRlZC1yb3RhdGVkLWtleS1wbGFudGVkLTAy";
const PASSWORD: &str = "planted-password-03";
const HEADER: &str = "planted-header-04";

fn planted() -> Vec<Vec<u8>> {
    let basic = STANDARD.encode(format!("crm:{PASSWORD}"));
    [
        SIGNING,
        &SIGNING[6..],
        ROTATED,
        &ROTATED[6..],
        PASSWORD,
        HEADER,
        &basic,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([SIGNING_BYTES.to_vec()])
    .collect()
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// Every file in `dir` in which a planted secret stands, and which.
fn leaks(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    files(dir, &mut all);
    assert!(all.len() > 4, "{all:?}");
    let mut leaks = Vec::new();
    for file in all {
        let bytes = std::fs::read(&file).unwrap();
        for secret in planted() {
            if bytes.windows(secret.len()).any(|window| window == secret) {
                let secret = String::from_utf8_lossy(&secret).into_owned();
                leaks.push(format!("{secret} in {}", file.display()));
            }
        }
    }
    leaks
}

const CONFIG: &str = "[server]\nmaster_key = \"env:MASTER\"\n";

fn master(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn site(key: Option<u8>) -> Site {
    let mut site = Site::new();
    give(&mut site, key);
    site
}

fn give(site: &mut Site, key: Option<u8>) {
    match key {
        Some(byte) => {
            site.set_env("MASTER", &master(byte));
            site.set_env("REDELIVER_MASTER_KEY", &master(byte));
            site.configure(CONFIG);
        }
        None => site.configure(""),
    }
}

fn plant(broker: &Broker, receiver: &Receiver) {
    broker.post(
        "/v1/endpoints",
        &json!({
            "name": "crm", "url": receiver.url(), "policy": "standard", "signing_key": SIGNING,
            "basic_auth": {"user": "crm", "password": PASSWORD}, "headers": {"x-api-key": HEADER},
        }),
    );
}

/// An event, and with which secrets it was delivered.
#[track_caller]
fn arrives(broker: &Broker, receiver: &Receiver) {
    let before = receiver.posts().len();
    broker.event("order.paid", &json!({}));
    let seen = eventually("the event arrives", || {
        receiver.posts().get(before).cloned()
    });
    let basic = format!("Basic {}", STANDARD.encode(format!("crm:{PASSWORD}")));
    assert_eq!(seen.header("authorization"), basic);
    assert_eq!(seen.header("x-api-key"), HEADER);
    assert!(seen.header("webhook-signature").starts_with("v1,"));
}

#[test]
fn with_a_master_key_no_file_holds_a_secret_and_without_one_the_search_finds_them() {
    for key in [Some(1), None] {
        let site = site(key);
        let receiver = Receiver::always(200);
        let broker = site.start(&[]);
        plant(&broker, &receiver);
        arrives(&broker, &receiver);
        let changed = json!({"concurrency": 3});
        broker.call("PATCH", "/v1/endpoints/crm", &changed).json();
        let rotated = json!({"signing_key": ROTATED});
        broker.post("/v1/endpoints/crm/rotate-key", &rotated);
        // With the journal, behind a kill, and behind a clean stop with its snapshot.
        let running = leaks(&site.path("data"));
        assert!(broker.kill());
        let broker = site.start(&[]);
        arrives(&broker, &receiver);
        broker.stop();
        let stopped = leaks(&site.path("data"));
        let broker = site.start(&[]);
        arrives(&broker, &receiver);
        broker.stop();
        match key {
            Some(_) => assert_eq!((running, stopped), (vec![], vec![])),
            None => assert!(running.len() > 3 && stopped.len() > 3, "{running:?}"),
        }
    }
}

#[track_caller]
fn refused(ran: &Ran, what: &str) {
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains(what), "{}", ran.err);
    assert!(ran.err.contains("nothing was changed"), "{}", ran.err);
    assert!(!ran.err.contains(&master(1)), "{}", ran.err);
}

#[test]
fn a_sealed_store_is_not_opened_without_its_key_and_not_hurt_by_the_attempt() {
    let mut site = site(Some(1));
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    plant(&broker, &receiver);
    broker.stop();
    give(&mut site, None);
    refused(&site.start_in_vain(&[]), "there is no master key");
    give(&mut site, Some(2));
    refused(&site.start_in_vain(&[]), "none of the master keys given");
    // Looking at it needs no key, and finds it whole.
    give(&mut site, None);
    assert_eq!(site.verify().code, 0);
    let stats = site.run(&["store", "stats", "--data", "data"]);
    assert!(stats.out.contains("crm"), "{} {}", stats.out, stats.err);
    give(&mut site, Some(1));
    let broker = site.start(&[]);
    arrives(&broker, &receiver);
    broker.stop();
}

#[test]
fn a_store_in_plain_is_sealed_by_a_start_and_its_past_by_a_copy() {
    let mut site = site(None);
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    plant(&broker, &receiver);
    arrives(&broker, &receiver);
    broker.stop();
    give(&mut site, Some(1));
    let broker = site.start(&[]);
    arrives(&broker, &receiver);
    broker.stop();
    let projections = std::fs::read(site.path("data/projections")).unwrap();
    for secret in planted() {
        let found = projections.windows(secret.len()).any(|it| it == secret);
        assert!(!found, "the snapshot is in plain still");
    }
    assert!(!leaks(&site.path("data")).is_empty(), "the past is gone");
    let ran = site.run(&["store", "seal", "--data", "data", "sealed"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(leaks(&site.path("sealed")), Vec::<String>::new());
    std::fs::rename(site.path("data"), site.path("old")).unwrap();
    std::fs::rename(site.path("sealed"), site.path("data")).unwrap();
    assert_eq!(site.verify().code, 0);
    let broker = site.start(&[]);
    arrives(&broker, &receiver);
    eventually("all three are delivered", || {
        (broker.list("/v1/deliveries?status=delivered").len() == 3).then_some(())
    });
    broker.stop();
}

#[test]
fn a_master_key_is_replaced_and_the_old_one_needed_no_longer() {
    let mut site = site(Some(1));
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    plant(&broker, &receiver);
    broker.stop();
    site.set_env("MASTER", &master(2));
    site.set_env("OLD", &master(1));
    site.configure(&format!("{CONFIG}previous_master_keys = [\"env:OLD\"]\n"));
    let broker = site.start(&[]);
    arrives(&broker, &receiver);
    broker.stop();
    site.configure(CONFIG);
    // Also when everything is read anew.
    std::fs::remove_file(site.path("data/projections")).unwrap();
    let broker = site.start(&[]);
    arrives(&broker, &receiver);
    broker.stop();
    assert_eq!(leaks(&site.path("data")), Vec::<String>::new());
}

#[test]
fn a_backup_of_a_sealed_store_is_sealed_and_needs_its_key_to_be_started() {
    let site = site(Some(1));
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    plant(&broker, &receiver);
    broker.stop();
    let mut elsewhere = Site::new();
    let data = site.path("data");
    let data = data.to_str().unwrap();
    let ran = elsewhere.run(&["store", "backup", "--data", data, "data"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(leaks(&elsewhere.path("data")), Vec::<String>::new());
    refused(&elsewhere.start_in_vain(&[]), "there is no master key");
    give(&mut elsewhere, Some(1));
    let broker = elsewhere.start(&[]);
    arrives(&broker, &receiver);
    broker.stop();
}

#[test]
fn what_is_no_master_key_is_told_with_its_length_and_never_itself() {
    let mut site = site(Some(1));
    let short = "c2hvcnQta2V5LXNob3J0LWtleQ==";
    for (text, said) in [
        (short, "has 19 bytes instead of 32"),
        ("pass phrase", "neither base64 nor hexadecimal"),
    ] {
        site.set_env("MASTER", text);
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("config.toml:2"), "{}", ran.err);
        assert!(
            ran.err.contains(said) && ran.err.contains("openssl rand"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains(text), "{}", ran.err);
    }
    site.configure("[server]\nprevious_master_keys = [\"env:MASTER\"]\n");
    site.set_env("MASTER", &master(1));
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("without a master_key"), "{}", ran.err);
}
