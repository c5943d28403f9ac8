//! Daily exports by the real binary (ZSS-26).

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;

use std::fs;

use serde_json::{Value, json};

use process::broker::{Broker, Site};
use process::eventually;

const CONFIG: &str = "[[website]]\nid = \"ws_abc123\"\ntracking_code = \"ZV_XXXXXXXXXXX\"\n\
    domain = \"example.com\"\nsources = [\"api\"]\n\n[[export]]\nwebsite = \"ws_abc123\"\n";

fn site(config: &str) -> Site {
    let site = Site::new();
    site.configure(config);
    site
}

fn view(broker: &Broker, visitor: &str, country: &str) {
    let event = json!({
        "type": "page_view",
        "subject": visitor,
        "data": {"page_url": "/", "country_code": country, "country_name": country},
    });
    assert_eq!(broker.call("POST", "/v1/events", &event).status, 202);
}

/// The files, by name, once there are so many.
fn exported(site: &Site, dir: &str, count: usize) -> Vec<(String, Value)> {
    eventually("the files are there", || {
        let entries = fs::read_dir(site.path(dir)).ok()?;
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".json"))
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let text = fs::read_to_string(entry.path()).unwrap();
                (name, serde_json::from_str(&text).unwrap())
            })
            .collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        (files.len() == count).then_some(files)
    })
}

/// What the broker's clock says.
fn now(broker: &Broker) -> String {
    broker.get("/v1/clock")["now"].as_str().unwrap().to_owned()
}

/// Moves the clock to the next time that its text has this at this time of the day.
fn advance_to(broker: &Broker, hour: i64) {
    let text = now(broker);
    let part = |at: usize| text[at..at + 2].parse::<i64>().unwrap();
    let second = part(11) * 3600 + part(14) * 60 + part(17);
    let wait = (hour * 3600 - second).rem_euclid(24 * 3600);
    broker.advance(&format!("{}s", if wait == 0 { 24 * 3600 } else { wait }));
}

#[test]
fn at_two_o_clock_the_last_day_becomes_a_file_and_the_day_after_another_one() {
    let site = site(CONFIG);
    let broker = site.start(&["--clock", "manual"]);
    advance_to(&broker, 3);
    view(&broker, "ann", "CZ");
    view(&broker, "bob", "CZ");
    view(&broker, "cid", "DE");
    advance_to(&broker, 2);
    let files = exported(&site, "exports", 1);
    let date = &now(&broker)[..10];
    assert_eq!(files[0].0, format!("example.com_{date}.json"));
    let content = &files[0].1;
    assert_eq!(content["website"], "example.com");
    assert_eq!(content["date"], *date);
    assert_eq!(content["analytics"]["total_visitors"], 3);
    assert_eq!(content["analytics"]["total_page_views"], 3);
    assert_eq!(content["countries"][0]["country_name"], "CZ");
    assert_eq!(content["countries"][0]["visitors"], 2);
    broker.advance("24h");
    let files = exported(&site, "exports", 2);
    assert_eq!(files[1].1["analytics"]["total_page_views"], 0);
    broker.stop();
}

#[test]
fn another_time_and_place_are_the_operators_choice_and_nothing_is_written_before_the_first_event() {
    let site = site(&format!("{CONFIG}at = \"06:30\"\ndir = \"out/daily\"\n"));
    let broker = site.start(&["--clock", "manual"]);
    advance_to(&broker, 7);
    broker.advance("24h");
    view(&broker, "ann", "CZ");
    broker.advance("24h");
    let files = exported(&site, "out/daily", 1);
    assert_eq!(files[0].1["analytics"]["total_page_views"], 1);
    broker.stop();
}

#[test]
fn an_advance_over_three_days_writes_three_files_before_it_is_answered() {
    let site = site(CONFIG);
    let broker = site.start(&["--clock", "manual"]);
    view(&broker, "ann", "CZ");
    broker.advance("72h");
    let files = fs::read_dir(site.path("exports")).unwrap();
    let mut views = Vec::new();
    for file in files {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let content: Value = serde_json::from_str(&text).unwrap();
        let count = content["analytics"]["total_page_views"].as_u64();
        views.push((content["date"].as_str().unwrap().to_owned(), count));
    }
    views.sort();
    let counts: Vec<_> = views.iter().map(|(_, count)| count.unwrap()).collect();
    assert_eq!(counts, [1, 0, 0], "{views:?}");
    broker.stop();
}

#[test]
fn a_directory_that_cannot_be_written_is_told_at_the_start_and_its_file_comes_when_it_is_mended() {
    let site = site(&format!("{CONFIG}dir = \"out\"\n"));
    fs::write(site.path("out"), b"").unwrap();
    let broker = site.start(&["--clock", "manual"]);
    eventually("it is told", || {
        let log = site.log();
        let told = log.contains("give another dir under [[export]]");
        (told && log.contains("it is a file and not a directory")).then_some(())
    });
    view(&broker, "ann", "CZ");
    broker.advance("24h");
    assert_eq!(site.log().matches("an export cannot be written").count(), 1);
    fs::remove_file(site.path("out")).unwrap();
    broker.advance("1h");
    assert_eq!(exported(&site, "out", 1).len(), 1);
    broker.stop();
}

#[test]
fn an_export_that_cannot_be_is_refused_at_the_start_with_its_line() {
    for (from, to, words) in [
        (
            "website = \"ws_abc123\"",
            "website = \"ws_abc124\"",
            "did you mean \"ws_abc123\"",
        ),
        (
            "website = \"ws_abc123\"",
            "website = \"ws_abc123\"\nat = \"25:00\"",
            "at \"25:00\" is not a time of the day",
        ),
        (
            "domain = \"example.com\"",
            "domain = \"example.com/x\"",
            "is not a host name",
        ),
        ("[[export]]", "[[export]]\nformat = \"csv\"", "unknown key"),
    ] {
        let ran = site(&CONFIG.replace(from, to)).start_in_vain(&[]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
