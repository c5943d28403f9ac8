//! `GET /e/live/{code}`.

use serde_json::json;

use crate::shop::{Shop, header};

#[test]
fn zrt_06_the_live_count_slides_over_five_minutes_and_any_event_renews_it() {
    let shop = Shop::open();
    assert_eq!(shop.live(), 0);
    shop.view("ann", "/");
    shop.view("ann", "/again");
    shop.view("bob", "/");
    assert_eq!(shop.live(), 2);
    shop.broker.advance("4m59s");
    assert_eq!(shop.live(), 2);
    shop.event("click", Some("bob"), &json!({}));
    shop.event("click", None, &json!({}));
    shop.broker.advance("1s");
    assert_eq!(shop.live(), 2, "exactly five minutes ago still counts");
    shop.broker.advance("1s");
    assert_eq!(shop.live(), 1, "5:01 ago does not");
    shop.broker.advance("5m");
    assert_eq!(shop.live(), 0);
    shop.broker.stop();
}

#[test]
fn zrt_03_zrt_04_zrt_05_a_page_without_a_key_gets_the_bare_count_of_its_code_alone() {
    let shop = Shop::open();
    shop.view("ann", "/");
    let answer = shop.broker.send("GET", "/e/live/ZV_XXXXXXXXXXX", &[], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(header(&answer, "x-request-id").unwrap().len(), 36);
    let body = answer.json();
    let now = shop.now().to_string();
    assert_eq!(
        body,
        json!({"visitors": 1, "liveCount": 1, "count": 1, "timestamp": now})
    );
    assert_eq!(shop.broker.get("/e/live/ZV_YYYYYYYYYYY")["visitors"], 0);
    // From a foreign page, too, which the administration refuses.
    let foreign = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = shop
        .broker
        .send("GET", "/e/live/ZV_XXXXXXXXXXX", &foreign, b"");
    assert_eq!(answer.status, 200);
    let unknown = shop.broker.send("GET", "/e/live/ZV_Z", &[], b"");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"]["code"], "NOT_FOUND");
    assert_eq!(header(&unknown, "access-control-allow-origin"), Some("*"));
    let bad = shop.broker.send("GET", "/e/live/%ff", &[], b"");
    assert_eq!(
        (bad.status, bad.json()["success"].clone()),
        (404, json!(false))
    );
}

#[test]
fn a_preflight_is_answered_and_no_other_method_is() {
    let shop = Shop::open();
    let asks = [
        ("origin", "https://example.com"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-whatever"),
    ];
    let answer = shop
        .broker
        .send("OPTIONS", "/e/live/ZV_XXXXXXXXXXX", &asks, b"");
    assert_eq!(answer.status, 204);
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&answer, "access-control-allow-headers"), Some("*"));
    let answer = shop.broker.send("POST", "/e/live/ZV_XXXXXXXXXXX", &[], b"");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.json()["success"], false);
}
