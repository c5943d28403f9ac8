//! The binary on a damaged store: what the operator is told, and what to type.

use std::fs;

use serde_json::json;

use super::process::broker::Site;

const CONFIG: &str = r#"
[limits]
store_journal_bytes = 0

[[endpoint]]
name = "crm"
url = "http://127.0.0.1:9/"
policy = "standard"
"#;

/// A store with five events that was killed; gives their ids.
fn site() -> (Site, Vec<String>) {
    let site = Site::new();
    site.let_be_damaged();
    site.configure(CONFIG);
    let broker = site.start(&[]);
    let data = |number: u64| json!({ "number": number, "text": format!("unmistakable {number}") });
    let ids = (1..=5).map(|number| broker.event("order.paid", &data(number)));
    let ids = ids.collect();
    broker.kill();
    (site, ids)
}

/// Overwrites every copy of an event's text in the database.
fn rot(site: &Site, number: u64) {
    let path = site.path("data/db");
    let mut db = fs::read(&path).unwrap();
    let text = format!("unmistakable {number}").into_bytes();
    let places: Vec<usize> = (0..db.len() - text.len())
        .filter(|at| db[*at] == text[0] && db[*at..].starts_with(&text))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        db[at] ^= 1;
    }
    fs::write(path, db).unwrap();
}

#[test]
fn a_damaged_store_names_the_missing_events_and_the_way_on_and_goes_that_way() {
    let (site, ids) = site();
    rot(&site, 2);
    rot(&site, 4);
    for _ in 0..2 {
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        let errors: Vec<&str> = ran
            .err
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        let [error] = errors.as_slice() else {
            panic!("{}", ran.err);
        };
        for words in [
            "missing: 2-2, 4-4",
            "restore a backup",
            "--accept-loss 2-4 ",
        ] {
            assert!(error.contains(words), "{error}");
        }
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 1, "{}", verified.err);
    for finding in ["event 2: missing or damaged", "event 4: missing or damaged"] {
        assert!(verified.out.contains(finding), "{}", verified.out);
    }
    assert!(!verified.err.contains("panicked"), "{}", verified.err);
    // Nothing has been given up yet, and so nothing written.
    assert!(!site.path("data/damaged-1").exists());
    let broker = site.start(&["--accept-loss", "2-4"]);
    for (number, id) in (1..).zip(&ids) {
        let answer = broker.send("GET", &format!("/v1/events/{id}"), &[], b"");
        match number {
            2 | 4 => assert_eq!(answer.status, 404, "{}", answer.text()),
            _ => assert_eq!(answer.json()["data"]["number"], number),
        }
    }
    let taken = broker.post("/v1/events", &json!({ "type": "order.paid", "data": {} }));
    assert_eq!(taken["seq"], 6);
    broker.stop();
    let broker = site.start(&[]);
    assert_eq!(broker.list("/v1/events?limit=10").len(), 4);
    broker.stop();
    assert!(site.path("data/damaged-1/db").is_file());
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let told = "event 2 was given up for lost, by --accept-loss\n\
        event 4 was given up for lost, by --accept-loss\n\
        the store is whole but for what was given up\n";
    assert!(verified.out.ends_with(told), "{}", verified.out);
    let verified = site.run(&["store", "verify", "--data", "data", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!(
        report["accepted_losses"],
        json!([{ "from": 2, "to": 2 }, { "from": 4, "to": 4 }])
    );
}

#[test]
fn a_database_that_lost_no_record_is_put_together_anew_without_a_question() {
    let (site, ids) = site();
    fs::write(
        site.path("data/conf"),
        b"segment_size: 17\nuse_compression: no\n",
    )
    .unwrap();
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 1, "{}", verified.err);
    assert!(
        verified.out.contains("every record is still there"),
        "{}",
        verified.out
    );
    let stats = site.run(&["store", "stats", "--data", "data"]);
    assert_eq!(
        stats.code, 1,
        "a look mends nothing: {}{}",
        stats.out, stats.err
    );
    let broker = site.start(&[]);
    assert_eq!(broker.list("/v1/events?limit=10").len(), ids.len());
    assert_eq!(broker.endpoint("crm")["backlog"], 5);
    broker.stop();
    let log = site.log();
    assert!(log.contains("put together anew"), "{log}");
}

#[test]
fn a_store_of_which_nothing_is_left_says_so_and_is_not_touched() {
    let (site, _) = site();
    let path = site.path("data/db");
    fs::write(&path, vec![0x5a; 100_000]).unwrap();
    for _ in 0..2 {
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("restore a backup"), "{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        assert_eq!(fs::read(&path).unwrap(), vec![0x5a; 100_000]);
    }
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 1, "{}", verified.err);
}
