//! Answers that are none, and a vendor that asks for patience.

use serde_json::json;

use crate::process::eventually;
use crate::vendor::{
    ALL, KEY, KEYED, LIVE, LIVE_PATH, OVERVIEW_PATH, Said, VISITORS_PATH, Vendor, quiet, shown,
    start, told,
};

#[test]
fn zss_04_a_429_is_asked_again_after_retry_after() {
    let mut limited = 2;
    let vendor = Vendor::start(move |asked| match &*asked.path {
        OVERVIEW_PATH if limited > 0 => {
            limited -= 1;
            Said::text(429, "slow down").with("retry-after: 7")
        }
        _ => quiet(asked),
    });
    let site = vendor.site(KEYED);
    let broker = start(&site);
    assert_eq!(
        (vendor.count(OVERVIEW_PATH), vendor.count(VISITORS_PATH)),
        (1, 0)
    );
    let keyed = json!(["analytics", "error groups", "visitors"]);
    assert_eq!(shown(&broker)["resting"], keyed, "a 429 is about the key");
    broker.advance("6s");
    assert_eq!(vendor.count(OVERVIEW_PATH), 1, "not before it is told to");
    broker.advance("1s");
    assert_eq!(
        (vendor.count(OVERVIEW_PATH), vendor.count(VISITORS_PATH)),
        (2, 0)
    );
    broker.advance("7s");
    assert_eq!(
        (vendor.count(OVERVIEW_PATH), vendor.count(VISITORS_PATH)),
        (3, 1)
    );
    assert_eq!(told(&broker, "zenovay.analytics").len(), 1);
    let source = shown(&broker);
    assert_eq!(
        (&source["failed"], &source["resting"]),
        (&json!(0), &json!([]))
    );
    broker.stop();
}

#[test]
fn the_status_of_an_answer_is_told_first_for_every_resource_with_what_to_check() {
    for (keys, status, header, body, expected) in [
        (
            KEYED,
            500,
            "x: y",
            "x",
            "it was answered 500: the body is not JSON",
        ),
        (LIVE, 500, "x: y", "x", "it was answered 500"),
        (
            KEYED,
            302,
            "location: https://u:p@other.example/p?q",
            "",
            "it was answered 302 to \"https://…@other.example/…\", and no redirect is followed (check url)",
        ),
        (
            LIVE,
            302,
            "location: /x",
            "",
            "it was answered 302 to …, and no redirect",
        ),
        (
            KEYED,
            401,
            "x: y",
            r#"{"success":false,"error":{"code":"UNAUTHORIZED"}}"#,
            "it was answered 401 (check api_key): the answer is no success (UNAUTHORIZED)",
        ),
        (
            LIVE,
            404,
            "x: y",
            "{}",
            "it was answered 404 (check url and tracking_code)",
        ),
        (
            LIVE,
            200,
            "x: y",
            r#"{"success":false,"error":{"code":"NOT_FOUND"}}"#,
            "the answer is no success (NOT_FOUND)",
        ),
    ] {
        let vendor = Vendor::start(move |_| Said::text(status, body).with(header));
        let site = vendor.site(keys);
        let broker = start(&site);
        let source = shown(&broker);
        let error = source["last_error"].as_str().unwrap();
        let (_, error) = error.split_once(": ").unwrap();
        assert!(error.starts_with(expected), "{status}: {error}");
        assert_eq!(told(&broker, "zenovay.live"), [] as [serde_json::Value; 0]);
        broker.stop();
    }
}

#[test]
fn zss_05_zss_07_four_429s_are_a_failed_round_and_the_next_round_comes() {
    let vendor = Vendor::start(|_| Said::text(429, "").with("retry-after: Sun, 06 Nov 1994"));
    let site = vendor.site(LIVE);
    let broker = start(&site);
    broker.advance("2m59s");
    assert_eq!(vendor.count(LIVE_PATH), 3, "a minute each");
    broker.advance("1s");
    assert_eq!(vendor.count(LIVE_PATH), 4);
    let source = shown(&broker);
    assert_eq!(source["failed"], 1);
    assert_eq!(source["failing"], json!(["live count"]));
    assert_eq!(
        source["last_error"],
        "live count: it was answered 429 again and again"
    );
    vendor.now(quiet);
    broker.advance("59s");
    assert_eq!(
        vendor.count(LIVE_PATH),
        4,
        "the last one is waited out, too"
    );
    broker.advance("1s");
    assert_eq!(vendor.count(LIVE_PATH), 5);
    assert_eq!(shown(&broker)["failing"], json!([]));
    broker.stop();
}

#[test]
fn zrt_10_zrt_19_what_is_no_success_is_logged_once_and_polling_goes_on() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (status, body) in [
        (200, "<html>".to_owned()),
        (200, String::new()),
        (200, "[]".to_owned()),
        (
            200,
            r#"{"success":false,"data":{"summary":{"a":1},"visitors":[{"id":"v"}]}}"#.to_owned(),
        ),
        (
            401,
            format!(r#"{{"success":false,"error":{{"code":"{KEY}","message":"{KEY}"}}}}"#),
        ),
        (200, r#"{"success":true,"data":null}"#.to_owned()),
        (
            200,
            format!(r#"{{"success":true,"data":{{"summary":{{"a":{deep}}}}}}}"#),
        ),
        (302, String::new()),
    ] {
        let (told_status, told_body) = (status, body.clone());
        let vendor = Vendor::start(move |_| Said::text(told_status, &told_body));
        let site = vendor.site(KEYED);
        let broker = start(&site);
        broker.advance("10m");
        assert_eq!(vendor.count(OVERVIEW_PATH), 11, "{body}");
        assert_eq!(
            broker.get("/v1/events?limit=10")["data"],
            json!([]),
            "{body}"
        );
        let fails = site.log().matches("polling fails").count();
        assert_eq!(fails, 3, "once for each resource: {}", site.log());
        vendor.now(quiet);
        broker.advance("5m");
        assert_eq!(
            site.log().matches("polling works again").count(),
            3,
            "{body}"
        );
        assert_eq!(told(&broker, "zenovay.analytics").len(), 1);
        let all = site.log() + &shown(&broker).to_string();
        assert!(!all.contains(KEY), "{all}");
        broker.stop();
    }
}

#[test]
fn a_vendor_that_does_not_answer_is_given_up_after_ten_seconds() {
    let vendor = Vendor::start(|_| Said::hang());
    let site = vendor.site(LIVE);
    let broker = site.start(&["--clock", "manual"]);
    broker.advance_past_hanging("9s");
    assert_eq!(shown(&broker)["failed"], 0);
    broker.advance_past_hanging("1s");
    let source = shown(&broker);
    assert_eq!(source["failed"], 1);
    assert_eq!(
        source["last_error"],
        "live count: timed out waiting for the answer"
    );
    vendor.go_on();
    broker.stop();
}

#[test]
fn zrt_19_a_vendor_that_is_not_there_or_says_too_much_is_a_failed_round() {
    let vendor = Vendor::start(|asked| match &*asked.path {
        LIVE_PATH => Said::text(200, &" ".repeat(5 << 20)),
        _ => quiet(asked),
    });
    let site = vendor.site(LIVE);
    let broker = start(&site);
    let error = shown(&broker)["last_error"].clone();
    assert!(
        error.as_str().unwrap().contains("longer than is taken"),
        "{error}"
    );
    broker.stop();
    site.configure(&format!(
        "[[source]]\nname = \"site\"\nkind = \"zenovay\"\nurl = \"http://127.0.0.1:1\"\n{LIVE}"
    ));
    let broker = start(&site);
    assert_eq!(
        shown(&broker)["last_error"],
        "live count: connection refused by 127.0.0.1:1"
    );
    broker.stop();
}

#[test]
fn a_drain_does_not_wait_for_the_vendor() {
    let vendor = Vendor::start(|_| Said::hang());
    let site = vendor.site(ALL);
    // Longer than a stop is waited for here.
    let broker = site.start(&["--clock", "manual", "--drain", "5m"]);
    eventually("it is asked", || (!vendor.asked().is_empty()).then_some(()));
    broker.stop();
    vendor.go_on();
}
