//! Keys, refusals, the limit of requests.

use serde_json::{Value, json};

use crate::process::http::{Answer, Client};
use crate::shop::{KEY, OTHER_KEY, Shop, header};

/// Checks the vendor's refusal, and gives its message.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(header(answer, "content-type"), Some("application/json"));
    assert_eq!(header(answer, "x-request-id").unwrap().len(), 36);
    let body = answer.json();
    assert_eq!(body["success"], false);
    let error = body["error"].as_object().unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(error.len(), 3);
    assert_eq!(error["code"], code);
    assert_eq!(error["timestamp"].as_str().unwrap().len(), 24);
    error["message"].as_str().unwrap().to_owned()
}

#[test]
fn x_08_a_key_is_taken_from_either_header_and_no_key_is_401() {
    let shop = Shop::open();
    let path = "/api/external/v1/analytics/ws_abc123";
    let bearer = format!("Bearer {KEY}");
    for headers in [("x-api-key", KEY), ("authorization", &*bearer)] {
        assert_eq!(shop.broker.send("GET", path, &[headers], b"").status, 200);
    }
    for headers in [
        &[][..],
        &[("x-api-key", "zv_of_the_sho")],
        &[("x-api-key", "")],
        &[("authorization", "Bearer nothing")],
        &[("authorization", KEY)],
    ] {
        let answer = shop.broker.send("GET", path, headers, b"");
        assert_eq!(refused(&answer, 401, "UNAUTHORIZED"), "Invalid API key");
    }
    assert!(!shop.site.log().contains(KEY));
}

#[test]
fn a_key_sees_the_websites_that_list_it_and_of_others_not_even_that_they_exist() {
    let shop = Shop::open();
    let ask = |path: &str| {
        let path = format!("/api/external/v1{path}");
        shop.broker
            .send("GET", &path, &[("x-api-key", OTHER_KEY)], b"")
    };
    assert_eq!(ask("/analytics/ws_def456").status, 200);
    for path in [
        "/analytics/ws_abc123",
        "/analytics/ws_none",
        "/analytics/%ff",
        "/errors/ws_abc123/groups",
    ] {
        assert_eq!(refused(&ask(path), 404, "NOT_FOUND"), "Website not found");
    }
    let websites = shop.data("/websites");
    assert_eq!(websites["total"], 2);
    assert_eq!(websites["websites"][0]["id"], "ws_abc123");
    assert_eq!(websites["websites"][0]["domain"], "example.com");
    // ZSS-20: without a name of its own it is called by its domain.
    assert_eq!(websites["websites"][1]["name"], "shop.example.com");
    let others = ask("/websites").json();
    assert_eq!(others["data"]["total"], 1);
    assert_eq!(
        others["data"]["websites"][0]["tracking_code"],
        "ZV_YYYYYYYYYYY"
    );
}

#[test]
fn zss_09_unknown_paths_other_methods_and_wrong_values_are_refused_in_json() {
    let shop = Shop::open();
    let send = |method: &str, path: &str| {
        let path = format!("/api/external/v1{path}");
        shop.broker.send(method, &path, &[("x-api-key", KEY)], b"")
    };
    for path in [
        "",
        "/",
        "/nothing",
        "/analytics",
        "/analytics/ws_abc123/nothing",
        "/usage/",
    ] {
        refused(&send("GET", path), 404, "NOT_FOUND");
        refused(&send("DELETE", path), 404, "NOT_FOUND");
    }
    for path in [
        "/usage",
        "/websites",
        "/analytics/ws_abc123",
        "/errors/ws_abc123/groups",
    ] {
        refused(&send("POST", path), 405, "METHOD_NOT_ALLOWED");
    }
    for path in [
        "/analytics/ws_abc123?range=2h",
        "/analytics/ws_abc123/visitors?limit=1001",
        "/analytics/ws_abc123/visitors?offset=x",
        "/analytics/ws_abc123/pages?limit=0",
        "/analytics/ws_abc123/countries?limit=101",
        "/errors/ws_abc123/groups?limit=201",
    ] {
        refused(&send("GET", path), 400, "VALIDATION_ERROR");
    }
    // The administration still answers in its own form.
    shop.broker.send("GET", "/api/other", &[], b"").problem(404);
}

#[test]
fn a_26_beyond_its_requests_a_key_waits_whole_seconds_and_the_live_count_does_not() {
    let shop = Shop::with("requests_per_minute = 3");
    shop.next_day("1s");
    // Nobody's requests count for nobody.
    for _ in 0..5 {
        shop.broker
            .send("GET", "/api/external/v1/usage", &[("x-api-key", "no")], b"");
    }
    for remaining in ["2", "1", "0"] {
        let answer = shop.ask("/usage");
        assert_eq!(answer.status, 200);
        assert_eq!(header(&answer, "x-ratelimit-limit"), Some("3"));
        assert_eq!(header(&answer, "x-ratelimit-remaining"), Some(remaining));
        // The minute begins with its first request.
        shop.broker.advance("6s");
    }
    let answer = shop.ask("/websites");
    assert_eq!(
        refused(&answer, 429, "RATE_LIMIT_EXCEEDED"),
        "Rate limit exceeded (3 requests/minute). Try again in 42 seconds"
    );
    assert_eq!(header(&answer, "retry-after"), Some("42"));
    let reset = shop.now().as_seconds() + 42;
    assert_eq!(
        header(&answer, "x-ratelimit-reset"),
        Some(&*reset.to_string())
    );
    assert_eq!(shop.live(), 0);
    shop.broker.advance("41s");
    assert_eq!(shop.ask("/usage").status, 429);
    shop.broker.advance("1s");
    let usage = shop.data("/usage");
    assert_eq!(usage["usage"]["monthly_requests"], 4);
    assert_eq!(usage["usage"]["total_requests"], 4);
    assert_eq!(usage["rate_limits"]["requests_per_minute"], 3);
}

#[test]
fn without_a_limit_nothing_is_limited_or_told_about_it() {
    let shop = Shop::open();
    for _ in 0..200 {
        assert_eq!(shop.ask("/usage").status, 200);
    }
    let answer = shop.ask("/usage");
    assert_eq!(header(&answer, "x-ratelimit-limit"), None);
    let usage = shop.data("/usage");
    assert_eq!(usage["usage"]["total_requests"], 202);
    assert_eq!(usage["usage"]["monthly_limit"], Value::Null);
    assert_eq!(usage["rate_limits"], json!({"requests_per_minute": null}));
}

#[test]
fn without_a_website_every_key_is_wrong() {
    let site = crate::process::broker::Site::new();
    let broker = site.start(&[]);
    let answer = broker.send(
        "GET",
        "/api/external/v1/websites",
        &[("x-api-key", "")],
        b"",
    );
    refused(&answer, 401, "UNAUTHORIZED");
    let live = broker.send("GET", "/e/live/ZV_X", &[], b"");
    refused(&live, 404, "NOT_FOUND");
    broker.stop();
}

#[test]
fn whoever_is_answered_for_an_event_finds_it_in_the_next_answer_whatever_others_send() {
    let shop = Shop::open();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let shop = &shop;
            scope.spawn(move || {
                let page = format!("/of/{writer}");
                for views in 1..=20 {
                    shop.view(&format!("visitor-{writer}"), &page);
                    let pages = shop.data("/analytics/ws_abc123/pages?range=24h");
                    let pages = pages["pages"].as_array().unwrap();
                    let found = pages.iter().find(|found| found["url"] == page);
                    assert_eq!(found.unwrap()["views"], views);
                }
            });
        }
    });
    assert_eq!(shop.totals("24h"), (8, 8, 160));
}

#[test]
fn zss_23_a_hundred_readers_at_once_each_get_their_own_answer() {
    let shop = Shop::open();
    for number in 0..20 {
        shop.view(&format!("visitor-{number}"), &format!("/{number}"));
    }
    let address = shop.broker.address;
    std::thread::scope(|scope| {
        for reader in 0..100 {
            scope.spawn(move || {
                let mut client = Client::new(address);
                for turn in 0..10 {
                    let limit = 1 + (reader + turn) % 20;
                    let path = format!("/api/external/v1/analytics/ws_abc123/pages?limit={limit}");
                    let answer = client
                        .send("GET", &path, &[("x-api-key", KEY)], b"")
                        .unwrap();
                    let pages = answer.json()["data"]["pages"].as_array().unwrap().len();
                    assert_eq!(pages, limit);
                    let other = "/api/external/v1/analytics/ws_def456";
                    let answer = client
                        .send("GET", other, &[("x-api-key", KEY)], b"")
                        .unwrap();
                    let body = answer.json();
                    assert_eq!(body["data"]["website"]["id"], "ws_def456");
                    assert_eq!(body["data"]["summary"]["total_visitors"], 0);
                }
            });
        }
    });
}
