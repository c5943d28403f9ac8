//! When it asks.

use serde_json::json;

use crate::process::broker::Broker;
use crate::vendor::{
    ALL, GROUPS_PATH, KEYED, LIVE, LIVE_PATH, OVERVIEW_PATH, Said, VISITORS_PATH, Vendor, quiet,
    shown, start,
};

fn counts(vendor: &Vendor) -> [usize; 4] {
    [LIVE_PATH, OVERVIEW_PATH, VISITORS_PATH, GROUPS_PATH].map(|path| vendor.count(path))
}

#[test]
fn zrt_23_it_asks_at_once_and_then_as_often_as_the_vendor_advises() {
    let vendor = Vendor::start(quiet);
    let site = vendor.site(ALL);
    let broker = start(&site);
    assert_eq!(counts(&vendor), [1, 1, 1, 1]);
    broker.advance("9s");
    assert_eq!(counts(&vendor), [1, 1, 1, 1]);
    broker.advance("1s");
    assert_eq!(counts(&vendor), [2, 1, 1, 1]);
    broker.advance("50s");
    assert_eq!(counts(&vendor), [7, 2, 2, 1]);
    broker.advance("4m");
    assert_eq!(counts(&vendor), [31, 6, 6, 2]);
    broker.stop();
}

#[test]
fn zrt_23_an_interval_of_the_operators_is_never_below_the_least_and_the_log_says_so() {
    let vendor = Vendor::start(quiet);
    let site = vendor.site(&format!("{ALL}interval = \"20s\"\n"));
    let broker = start(&site);
    broker.advance("1m");
    assert_eq!(counts(&vendor), [4, 3, 3, 2]);
    assert_eq!(site.log().matches("polling at its least").count(), 3);
    broker.stop();
}

#[test]
fn zrt_22_an_adaptive_poller_keeps_the_golden_sequence() {
    let values = [1, 1, 1, 1, 2, 3, 4, 5, 6, 6, -1, 6, 7, 7, 7];
    let mut next = values.into_iter();
    let vendor = Vendor::start(move |_| match next.next().unwrap() {
        -1 => Said::text(500, "no"),
        value => Said::json(&json!({"visitors": value})),
    });
    let site = vendor.site(&format!("{LIVE}adaptive = true\n"));
    let broker = start(&site);
    let intervals = [
        45000, 67500, 101_250, 120_000, 60000, 30000, 15000, 10000, 10000, 15000, 30000, 45000,
        22500, 33750,
    ];
    for (number, interval) in intervals.into_iter().enumerate() {
        broker.advance(&format!("{}ms", interval - 1));
        assert_eq!(vendor.count(LIVE_PATH), number + 1, "early");
        broker.advance("1ms");
        assert_eq!(vendor.count(LIVE_PATH), number + 2, "late");
    }
    broker.stop();
}

#[test]
fn zss_24_nothing_is_asked_for_again_while_its_answer_is_fresh() {
    let vendor = Vendor::start(|asked| match &*asked.path {
        OVERVIEW_PATH => quiet(asked).with("cache-control: private, max-age=300"),
        VISITORS_PATH => quiet(asked).with("cache-control: max-age=120"),
        _ => quiet(asked),
    });
    let site = vendor.site(KEYED);
    let broker = start(&site);
    broker.advance("5m");
    assert_eq!(counts(&vendor), [0, 2, 3, 2]);
    broker.stop();
}

fn at(broker: &Broker, key: &str) -> String {
    shown(broker)[key].as_str().unwrap().to_owned()
}

#[test]
fn a_source_that_is_polled_shows_when_it_was_and_will_be() {
    let vendor = Vendor::start(quiet);
    let site = vendor.site(LIVE);
    let broker = start(&site);
    let source = shown(&broker);
    let now = broker.get("/v1/clock")["now"].clone();
    assert_eq!(
        (&source["name"], &source["last_polled_at"]),
        (&json!("site"), &now)
    );
    assert_eq!(
        (&source["polls"], &source["failed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        (&source["accepted"], &source["last_error"]),
        (&json!(1), &json!(null))
    );
    let next = at(&broker, "next_poll_at");
    broker.advance("10s");
    assert_eq!(at(&broker, "last_polled_at"), next);
    broker.stop();
}
