//! Visitors, pages, countries, technology, errors.

use serde_json::{Value, json};

use crate::shop::Shop;

fn visitors(shop: &Shop, query: &str) -> Value {
    shop.data(&format!("/analytics/ws_abc123/visitors{query}"))
}

#[test]
fn zrt_40_to_zrt_42_visits_are_listed_newest_first_with_times_of_one_width() {
    let shop = Shop::open();
    let full = json!({
        "page_url": "/start", "landing_page": "/pricing", "device": "desktop",
        "browser": "Chrome", "os": "macOS", "country_code": "US",
        "country_name": "United States", "city": "San Francisco",
        "referrer": "https://google.com", "value_score": 40,
    });
    shop.event("page_view", Some("ann@example.com"), &full);
    let began = shop.now().to_string();
    shop.broker.advance("1ms");
    shop.event("page_view", Some("bob"), &json!({}));
    shop.broker.advance("1m");
    shop.event(
        "page_view",
        Some("ann@example.com"),
        &json!({"page_url": "/", "value_score": 85}),
    );
    let data = visitors(&shop, "?range=24h&limit=50");
    let listed = data["visitors"].as_array().unwrap();
    let times = listed
        .iter()
        .map(|item| item["visited_at"].as_str().unwrap());
    let times: Vec<&str> = times.collect();
    assert!(times[0] > times[1] && times.iter().all(|time| time.len() == 24));
    let mut ann = listed[1].clone();
    let id = ann["id"].take();
    assert_eq!(id.as_str().unwrap().len(), 36);
    assert_eq!(
        ann,
        json!({
            "id": null, "country_code": "US", "country_name": "United States",
            "city": "San Francisco", "device_type": "desktop", "browser": "Chrome",
            "os": "macOS", "value_score": 85, "visited_at": began,
            "landing_page": "/pricing", "referrer": "https://google.com",
            "had_interaction": true,
        })
    );
    let bob = &listed[0];
    for unknown in [
        "country_code",
        "city",
        "browser",
        "value_score",
        "landing_page",
        "referrer",
    ] {
        assert_eq!(bob[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(bob["had_interaction"], false);
    assert_eq!(
        data["pagination"],
        json!({"limit": 50, "offset": 0, "has_more": false})
    );
    assert!(!data.to_string().contains("ann@"));
    // Another visit of the same visitor has the same id.
    shop.broker.advance("31m");
    shop.view("ann@example.com", "/");
    let data = visitors(&shop, "");
    assert_eq!(data["visitors"][0]["id"], id);
    assert_eq!(data["visitors"].as_array().unwrap().len(), 3);
}

#[test]
fn zss_14_both_forms_of_the_first_page_are_the_same_and_the_next_goes_on() {
    let shop = Shop::open();
    for number in 0..7 {
        shop.view(&format!("visitor-{number}"), "/");
        shop.broker.advance("1s");
    }
    let node = visitors(&shop, "?range=7d");
    let python = visitors(&shop, "?range=7d&limit=100&offset=0");
    assert_eq!(node, python);
    let all = node["visitors"].as_array().unwrap();
    let mut paged = Vec::new();
    for offset in [0, 3, 6] {
        let page = visitors(&shop, &format!("?limit=3&offset={offset}"));
        let items = page["visitors"].as_array().unwrap().clone();
        paged.extend(items);
        assert_eq!(page["pagination"]["has_more"], offset < 6);
    }
    assert_eq!(paged, *all);
    let beyond = visitors(&shop, "?offset=100");
    assert_eq!(beyond["visitors"], json!([]));
}

#[test]
fn zrt_27_pages_are_sorted_by_views_and_no_more_than_asked_for() {
    let shop = Shop::open();
    for (page, views) in [("/", 3), ("/pricing", 5), ("/b", 1), ("/a", 1)] {
        for _ in 0..views {
            shop.view("ann", page);
        }
    }
    shop.event("page_view", Some("ann"), &json!({}));
    shop.event("page_view", Some("ann"), &json!({"page_url": 404}));
    let pages = shop.data("/analytics/ws_abc123/pages?range=24h&limit=3");
    let expected = json!({"pages": [
        {"url": "/pricing", "views": 5}, {"url": "/", "views": 3}, {"url": "/a", "views": 1},
    ]});
    assert_eq!(pages, expected.clone());
    let week = shop.data("/analytics/ws_abc123/pages?limit=3");
    assert_eq!(week, expected);
    let all = shop.data("/analytics/ws_abc123/pages");
    let urls = all["pages"].as_array().unwrap().iter();
    let urls: Vec<&str> = urls.map(|page| page["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["/pricing", "/", "/a", "/b", "404", "Unknown"]);
}

#[test]
fn zss_16_countries_are_sorted_by_visitors_with_their_mean_score() {
    let shop = Shop::open();
    for (who, data) in [
        (
            "a",
            json!({"country_code": "GB", "country_name": "United Kingdom", "value_score": 10}),
        ),
        (
            "b",
            json!({"country_code": "US", "country_name": "USA", "value_score": 50}),
        ),
        (
            "c",
            json!({"country_code": "US", "country_name": "United States", "value_score": "55.5"}),
        ),
        ("c", json!({"country_code": "US"})),
        ("d", json!({"value_score": null})),
        // Later in the visit: a score of its country.
        ("a", json!({"value_score": 15})),
    ] {
        shop.event("page_view", Some(who), &data);
    }
    for range in ["24h", "30d"] {
        let data = shop.data(&format!("/analytics/ws_abc123/countries?range={range}"));
        assert_eq!(
            data,
            json!({"countries": [
                {"country_code": "US", "country_name": "United States", "visitors": 2, "avg_value_score": 52.75},
                {"country_code": "GB", "country_name": "United Kingdom", "visitors": 1, "avg_value_score": 12.5},
                {"country_code": null, "country_name": null, "visitors": 1, "avg_value_score": null},
            ]})
        );
    }
    let one = shop.data("/analytics/ws_abc123/countries?limit=1");
    assert_eq!(one["countries"].as_array().unwrap().len(), 1);
}

#[test]
fn a_25_technology_is_three_lists_of_names_and_visitors() {
    let shop = Shop::open();
    for (who, browser) in [("a", "Chrome"), ("b", "Chrome"), ("c", "Safari")] {
        let data = json!({"browser": browser, "os": "iOS"});
        shop.event("page_view", Some(who), &data);
        shop.event("page_view", Some(who), &data);
    }
    assert_eq!(
        shop.data("/analytics/ws_abc123/technology?range=24h"),
        json!({
            "browsers": [{"name": "Chrome", "visitors": 2}, {"name": "Safari", "visitors": 1}],
            "operating_systems": [{"name": "iOS", "visitors": 3}],
            "device_types": [{"name": "Unknown", "visitors": 3}],
        })
    );
}

#[test]
fn zrt_28_zrt_29_errors_come_in_groups_the_most_frequent_first() {
    let shop = Shop::open();
    let first = shop.now().to_string();
    shop.event(
        "error",
        Some("ann"),
        &json!({"message": "x is null", "type": "TypeError"}),
    );
    shop.broker.advance("1s");
    for who in [Some("ann"), Some("bob"), None] {
        let data = json!({"message": "analytics is not defined", "type": "ReferenceError"});
        shop.event("error", who, &data);
    }
    let groups = shop.data("/errors/ws_abc123/groups?status=open");
    let groups = groups["error_groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["occurrence_count"], 3);
    assert_eq!(groups[0]["affected_users_count"], 2);
    assert_eq!(groups[0]["message"], "analytics is not defined");
    assert_eq!(groups[0]["type"], "ReferenceError");
    assert_eq!(groups[0]["status"], "unresolved");
    assert!(groups[0]["id"].as_str().unwrap().starts_with("eg_"));
    let print = groups[0]["fingerprint"].as_str().unwrap();
    assert!(
        print.starts_with("ReferenceError_analytics_is_not_defined_"),
        "{print}"
    );
    assert_eq!(groups[1]["first_seen_at"], first);
    let count = |query: &str| {
        let data = shop.data(&format!("/errors/ws_abc123/groups{query}"));
        data["error_groups"].as_array().unwrap().len()
    };
    assert_eq!(count(""), 2);
    assert_eq!(count("?status=unresolved&limit=1"), 1);
    assert_eq!(count("?status=resolved"), 0);
    assert_eq!(count("?status=ignored"), 0);
    assert_eq!(
        shop.ask("/errors/ws_abc123/groups?status=closed").status,
        400
    );
}
