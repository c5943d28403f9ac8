//! What is known survives, and what was not kept comes again.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::process::eventually;
use crate::vendor::{
    ALL, GROUPS_PATH, LIVE_PATH, OVERVIEW_PATH, Said, VISITORS_PATH, Vendor, list, quiet, shown,
    start, told, visit,
};

/// A vendor with something of everything.
fn busy(visits: Arc<Mutex<Vec<Value>>>) -> Vendor {
    Vendor::start(move |asked| match &*asked.path {
        LIVE_PATH => Said::json(&json!({"visitors": 5})),
        OVERVIEW_PATH => Said::data(&json!({"summary": {"total_visitors": 9}})),
        VISITORS_PATH => list(asked, &visits.lock().unwrap()),
        GROUPS_PATH => {
            Said::data(&json!({"error_groups": [{"id": "eg_1", "occurrence_count": 1}]}))
        }
        _ => quiet(asked),
    })
}

const KINDS: [&str; 4] = [
    "zenovay.live",
    "zenovay.analytics",
    "zenovay.visitor",
    "zenovay.error_group",
];

#[test]
fn nothing_is_told_twice_and_nothing_missed_over_kills() {
    let visits: Arc<Mutex<Vec<Value>>> = Arc::new(Mutex::new((0..120).map(visit).collect()));
    let vendor = busy(visits.clone());
    let site = vendor.site(ALL);
    let broker = start(&site);
    assert_eq!(KINDS.map(|kind| told(&broker, kind).len()), [1, 1, 120, 1]);
    broker.kill();
    for life in 1..4 {
        // More than a page of them comes while it is dead.
        visits
            .lock()
            .unwrap()
            .extend((life * 120..(life + 1) * 120).map(visit));
        let broker = start(&site);
        broker.advance("10m");
        let counts = KINDS.map(|kind| told(&broker, kind).len());
        assert_eq!(counts, [1, 1, (life + 1) * 120, 1]);
        broker.kill();
    }
    let broker = start(&site);
    assert_eq!(told(&broker, "zenovay.visitor"), *visits.lock().unwrap());
    broker.stop();
}

#[test]
fn a_kill_between_the_pages_of_a_list_leaves_no_gap() {
    let visits: Arc<Mutex<Vec<Value>>> = Arc::new(Mutex::new((0..250).map(visit).collect()));
    let shared = visits.clone();
    let vendor = Vendor::start(move |asked| match &*asked.path {
        VISITORS_PATH if asked.number("offset") == 200 => Said::hang(),
        VISITORS_PATH => list(asked, &shared.lock().unwrap()),
        _ => quiet(asked),
    });
    let site = vendor.site(ALL);
    let broker = site.start(&["--clock", "manual"]);
    eventually("the third page is asked for", || {
        (vendor.count(VISITORS_PATH) == 3).then_some(())
    });
    broker.kill();
    let shared = visits.clone();
    vendor.now(move |asked| match &*asked.path {
        VISITORS_PATH => list(asked, &shared.lock().unwrap()),
        _ => quiet(asked),
    });
    vendor.go_on();
    let broker = start(&site);
    assert_eq!(told(&broker, "zenovay.visitor"), *visits.lock().unwrap());
    broker.stop();
}

#[test]
fn a_page_that_fails_leaves_no_gap_either() {
    let all: Vec<_> = (0..250).map(visit).collect();
    let visits = all.clone();
    let mut fails = true;
    let vendor = Vendor::start(move |asked| match &*asked.path {
        VISITORS_PATH if asked.number("offset") == 200 && fails => {
            fails = false;
            Said::text(500, "no")
        }
        VISITORS_PATH => list(asked, &visits),
        _ => quiet(asked),
    });
    let site = vendor.site(ALL);
    let broker = start(&site);
    assert_eq!(told(&broker, "zenovay.visitor").len(), 0);
    broker.advance("1m");
    assert_eq!(told(&broker, "zenovay.visitor"), all);
    broker.stop();
}

#[test]
fn what_cannot_be_kept_is_not_taken_for_known() {
    let visits = Arc::new(Mutex::new((0..3).map(visit).collect()));
    let vendor = busy(visits.clone());
    let site = vendor.site(ALL);
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let reserve: u64 = 1 << 40;
    let disk = rustix::fs::statvfs(site.path("")).unwrap();
    if disk.f_bavail * disk.f_frsize >= reserve {
        eprintln!("skipped: the disk has more free than can be asked for");
        return;
    }
    site.configure(&format!(
        "{config}\n[limits]\ndisk_reserve_bytes = {reserve}\n"
    ));
    let broker = start(&site);
    broker.advance("1m");
    let source = shown(&broker);
    // The store looks at the disk when it has written something: the live count.
    let failed = 2 + 2 + 1;
    assert_eq!(
        source["failed"], failed,
        "every round tries again: {source}"
    );
    let error = source["last_error"].as_str().unwrap();
    assert!(
        error.contains("it cannot be kept: the disk has less than"),
        "{error}"
    );
    assert_eq!(KINDS.map(|kind| told(&broker, kind).len()), [1, 0, 0, 0]);
    broker.stop();
    site.configure(&config);
    let broker = start(&site);
    assert_eq!(KINDS.map(|kind| told(&broker, kind).len()), [1, 1, 3, 1]);
    broker.stop();
}
