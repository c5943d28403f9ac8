//! Of a stopped store, by the binary.

use serde_json::{Value, json};

use crate::process::broker::Site;

/// A stopped store with some events, one of several records.
fn stopped() -> Site {
    let site = Site::new();
    let broker = site.start(&[]);
    for number in 0..50 {
        let text = "x".repeat(if number == 7 { 50_000 } else { 10 });
        broker.event("order.paid", &json!({"number": number, "text": text}));
    }
    broker.stop();
    site
}

#[test]
fn a_stopped_store_is_copied_whole_and_the_copy_once_more() {
    let site = stopped();
    for (from, to) in [("data", "one"), ("one", "two")] {
        let ran = site.run(&["store", "backup", "--data", from, to, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let summary: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            (&summary["last_seq"], &summary["events"]),
            (&json!(50), &json!(50))
        );
        let ran = site.run(&["store", "verify", "--data", to]);
        assert!(ran.out.ends_with("the store is whole\n"), "{}", ran.out);
    }
    let ran = site.run(&["store", "backup", "--data", "data", "three"]);
    assert!(ran.out.contains("newest position  50"), "{}", ran.out);
}

#[test]
fn what_is_there_is_never_written_over() {
    let site = stopped();
    std::fs::create_dir(site.path("copy")).unwrap();
    std::fs::write(site.path("copy/precious"), "x").unwrap();
    let ran = site.run(&["store", "backup", "--data", "data", "copy"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("not empty"), "{}", ran.err);
    let ran = site.run(&["store", "backup", "--data", "data", "data"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let ran = site.run(&["store", "backup", "--data", "nothing", "elsewhere"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("no store"), "{}", ran.err);
    assert!(!site.path("nothing").exists() && !site.path("elsewhere.partial").exists());
    // An empty directory may be a mount point's, and is none to be kept.
    std::fs::create_dir(site.path("empty")).unwrap();
    let ran = site.run(&["store", "backup", "--data", "data", "empty"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_store_that_is_in_use_is_not_copied_behind_its_servers_back() {
    let site = stopped();
    let broker = site.start(&[]);
    let ran = site.run(&["store", "backup", "--data", "data", "copy"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("in use"), "{}", ran.err);
    broker.stop();
}

#[test]
fn of_a_damaged_store_there_is_no_backup_but_a_name_for_what_is_missing() {
    let site = stopped();
    site.let_be_damaged();
    let volume = site.path("data/records/00000001");
    let mut bytes = std::fs::read(&volume).unwrap();
    let at = bytes.windows(4).rposition(|four| four == b"xxxx").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&volume, bytes).unwrap();
    let ran = site.run(&["store", "backup", "--data", "data", "copy"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("event"), "{}", ran.err);
    assert!(!site.path("copy").exists());
}
