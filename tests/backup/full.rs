//! A backup onto a disk that becomes full: it says so, is taken for no whole one, and is gone on with.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::serving::{ask, backup, site};

const AUTH: (&str, &str) = ("authorization", "Bearer t0ken");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Bodies in each store, of so many bytes.
const EVENTS: u64 = 60;
const BODY: usize = 200_000;

fn filled(site: &Site) -> Broker {
    let broker = site.start(&[]);
    let mut client = Client::new(broker.address);
    let body = json!({"type": "t", "data": "x".repeat(BODY)}).to_string();
    for _ in 0..EVENTS {
        let sent = client.send("POST", "/v1/events", &[AUTH, JSON], body.as_bytes());
        assert_eq!(sent.unwrap().status, 202);
    }
    broker
}

/// As a disk that is full at any moment of a backup: no file becomes longer than this.
#[test]
fn a_backup_that_finds_no_room_fails_in_words_harms_nobody_and_is_gone_on_with() {
    let mut site = site();
    let broker = filled(&site);
    let dir = site.path("copy");
    let partial = site.path("copy.partial");
    let (mut ended, mut without_room) = (false, 0);
    for mib in [0, 1, 4, 8, 9, 16, 64] {
        // In blocks of 512 bytes; what would be a signal is an error of the write.
        site.launch_by(&format!(
            r#"trap '' XFSZ; ulimit -f {}; exec "$@""#,
            mib * 2_048
        ));
        let ran = backup(&site, &broker, &dir);
        // The server is not started by it, and does not notice.
        ask(
            &broker,
            "POST",
            "/v1/events",
            &json!({"type": "t", "data": mib}),
        );
        assert!(!ran.err.contains("panicked"), "{mib} MiB: {}", ran.err);
        if ran.code == 0 {
            ended = true;
            break;
        }
        without_room += 1;
        assert_eq!(ran.code, 3, "{mib} MiB: {} {}", ran.out, ran.err);
        assert!(!dir.exists(), "{mib} MiB: it looks whole");
        let line = ran.err.lines().rfind(|line| line.starts_with("error: "));
        let line = line.unwrap_or_default();
        let said = "the backup cannot be written to";
        assert!(line.contains(said), "{mib} MiB: {}", ran.err);
        assert!(line.contains("copy.partial (") && line.contains("File too large"));
    }
    assert!(ended && without_room > 3, "{without_room}");
    assert!(!partial.exists());
    site.launch_by(r#"exec "$@""#);
    let ran = site.run(&["store", "verify", "--data", "copy", "--json"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["events"].as_u64().unwrap() >= EVENTS, "{report}");
    broker.stop();
}
