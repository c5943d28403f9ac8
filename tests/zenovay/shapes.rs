//! Every answer against the vendor's own example of it: nothing of it is missing or of another type.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::http::Answer;
use crate::shop::{KEY, Shop};

fn example(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payloads");
    let text = std::fs::read_to_string(folder.join(format!("zenovay_{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every member of `theirs` is in `ours` with its type, or unknown; of a list the first item counts.
#[track_caller]
fn has_the_shape_of(ours: &Value, theirs: &Value, at: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, theirs) in theirs {
                let ours = ours.get(name);
                let ours = ours.unwrap_or_else(|| panic!("{at}/{name} is missing"));
                has_the_shape_of(ours, theirs, &format!("{at}/{name}"));
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            has_the_shape_of(&ours[0], &theirs[0], &format!("{at}/0"));
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (ours, theirs) => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(theirs),
            "{at}: {ours} for {theirs}"
        ),
    }
}

fn full() -> Shop {
    let shop = Shop::with("requests_per_minute = 1000");
    let view = json!({
        "page_url": "/pricing", "landing_page": "/", "device": "desktop", "browser": "Chrome",
        "os": "macOS", "country_code": "US", "country_name": "United States",
        "city": "San Francisco", "referrer": "https://google.com", "value_score": 85.5,
    });
    shop.event("page_view", Some("ann"), &view);
    let error = json!({"message": "x is null", "type": "TypeError"});
    shop.event("error", Some("ann"), &error);
    shop
}

#[test]
fn x_09_to_x_13_every_success_has_the_shape_of_the_vendors_example() {
    let shop = full();
    for (name, path) in [
        ("usage", "/usage"),
        ("websites", "/websites"),
        ("analytics", "/analytics/ws_abc123"),
        ("visitors", "/analytics/ws_abc123/visitors"),
        ("pages", "/analytics/ws_abc123/pages"),
        ("countries", "/analytics/ws_abc123/countries"),
        ("technology", "/analytics/ws_abc123/technology"),
        ("error_groups", "/errors/ws_abc123/groups"),
    ] {
        has_the_shape_of(&shop.ask(path).json(), &example(name), name);
    }
    let live = shop.broker.get("/e/live/ZV_XXXXXXXXXXX");
    has_the_shape_of(&live, &example("live"), "live");
    has_the_shape_of(&live, &example("live_superset"), "live_superset");
}

#[test]
fn zrt_11_zrt_12_what_the_clients_compute_with_is_never_null() {
    // Nothing was ever seen of it.
    let shop = Shop::open();
    let empty = shop.data("/analytics/ws_def456?range=7d");
    for total in ["total_visitors", "total_page_views", "unique_visitors"] {
        assert_eq!(empty["summary"][total], 0);
    }
    for day in empty["daily_stats"].as_array().unwrap() {
        assert_eq!(day["total_visitors"], 0);
    }
    for (path, list) in [
        ("/analytics/ws_def456/visitors", "visitors"),
        ("/analytics/ws_def456/pages", "pages"),
        ("/analytics/ws_def456/countries", "countries"),
        ("/analytics/ws_def456/technology", "browsers"),
        ("/errors/ws_def456/groups", "error_groups"),
    ] {
        assert_eq!(shop.data(path)[list], json!([]), "{path}");
    }
}

#[test]
fn x_05_every_refusal_has_the_shape_of_the_vendors_example() {
    let shop = Shop::with("requests_per_minute = 2");
    let send = |key: &str, path: &str| -> Answer {
        let path = format!("/api/external/v1{path}");
        shop.broker.send("GET", &path, &[("x-api-key", key)], b"")
    };
    for (name, key, path) in [
        ("error_401", "zv_wrong", "/usage"),
        ("error_404", KEY, "/analytics/ws_none"),
        ("error_429", KEY, "/usage"),
    ] {
        let mut answer = send(key, path);
        if name == "error_429" {
            answer = send(key, path);
        }
        let (ours, theirs) = (answer.json(), example(name));
        has_the_shape_of(&ours, &theirs, name);
        assert_eq!(ours["success"], false);
        assert_eq!(ours["error"]["code"], theirs["error"]["code"]);
        let words = |body: &Value| {
            let message = body["error"]["message"].as_str().unwrap().to_owned();
            message.replace(|c: char| c.is_ascii_digit(), "")
        };
        assert_eq!(
            words(&ours).trim_end_matches('s'),
            words(&theirs).trim_end_matches('s')
        );
    }
}
