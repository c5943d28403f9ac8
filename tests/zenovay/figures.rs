//! `GET /analytics/{id}`: totals and days.

use serde_json::{Value, json};

use crate::shop::Shop;

#[test]
fn a_visit_begins_after_half_an_hour_and_a_view_of_nobody_counts_as_a_view() {
    let shop = Shop::open();
    shop.view("ann", "/");
    shop.broker.advance("29m59s");
    shop.view("ann", "/a");
    shop.view("bob", "/a");
    shop.event("page_view", None, &json!({ "page_url": "/a" }));
    assert_eq!(shop.totals("24h"), (2, 2, 4));
    shop.broker.advance("30m");
    shop.view("ann", "/a");
    assert_eq!(shop.totals("24h"), (3, 2, 5));
    // Activity is no view, and an event of no website is nothing.
    shop.event("click", Some("eve"), &json!({ "page_url": "/a" }));
    assert_eq!(shop.totals("24h"), (3, 2, 5));
    assert_eq!(shop.totals("7d").2, 5);
}

#[test]
fn zrt_16_the_last_day_holds_no_more_than_the_last_day_to_the_millisecond() {
    let shop = Shop::open();
    shop.next_day("1h");
    shop.view("ann", "/");
    shop.view("bob", "/");
    assert_eq!(shop.totals("24h"), (2, 2, 2));
    shop.broker.advance("24h");
    assert_eq!(shop.totals("24h"), (2, 2, 2), "exactly a day ago counts");
    shop.broker.advance("1ms");
    assert_eq!(shop.totals("24h"), (0, 0, 0));
    shop.view("ann", "/");
    assert_eq!(shop.totals("24h"), (1, 1, 1));
    assert_eq!(shop.totals("7d"), (3, 2, 3));
    assert_eq!(shop.totals(""), (3, 2, 3), "a week unless asked");
    shop.broker.advance("120h");
    assert_eq!(shop.totals("7d"), (3, 2, 3));
    shop.midnight();
    // ann's second visit lies six days back now, the first ones seven.
    assert_eq!(shop.totals("7d"), (1, 1, 1));
    for range in ["30d", "90d", "1y"] {
        assert_eq!(shop.totals(range), (3, 2, 3));
    }
    shop.broker.stop();
}

#[test]
fn zrt_14_zrt_15_days_are_there_from_the_oldest_to_today_those_without_events_too() {
    let shop = Shop::open();
    shop.next_day("12h");
    shop.view("ann", "/");
    shop.view("bob", "/");
    shop.midnight();
    shop.midnight();
    shop.view("ann", "/");
    let today = shop.now();
    let data = shop.data("/analytics/ws_abc123");
    let stats = data["daily_stats"].as_array().unwrap();
    let column = |name: &str| -> Vec<u64> {
        stats
            .iter()
            .map(|day| day[name].as_u64().unwrap())
            .collect()
    };
    assert_eq!(column("total_visitors"), [0, 0, 0, 0, 2, 0, 1]);
    assert_eq!(column("unique_visitors"), [0, 0, 0, 0, 2, 0, 1]);
    assert_eq!(column("page_views"), [0, 0, 0, 0, 2, 0, 1]);
    let dates: Vec<&str> = stats
        .iter()
        .map(|day| day["date"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted());
    assert_eq!(dates[6], &today.to_string()[..10]);
    assert!(stats.iter().all(|day| day["website_id"] == "ws_abc123"));
    assert_eq!(data["time_range"], "7d");
    assert_eq!(
        data["website"],
        json!({"id": "ws_abc123", "domain": "example.com", "name": "Example Website"})
    );
    let span = &data["date_range"];
    assert_eq!(span["start"], dates[0]);
    assert_eq!(span["end"], dates[6]);
    assert_eq!(span["startDateTime"], format!("{}T00:00:00.000Z", dates[0]));
    assert_eq!(span["endDateTime"], today.to_string());
    let days = |range: &str| {
        let data = shop.data(&format!("/analytics/ws_abc123?range={range}"));
        data["daily_stats"].as_array().unwrap().len()
    };
    assert_eq!(
        ["24h", "7d", "30d", "90d", "1y"].map(days),
        [2, 7, 30, 90, 365]
    );
}

/// The documents' own check for a surge: today against twice the mean of the days before (ZRT-17).
fn is_spike(shop: &Shop) -> bool {
    let current = shop.totals("24h").0 as f64;
    let week = shop.data("/analytics/ws_abc123?range=7d");
    let stats = week["daily_stats"].as_array().unwrap();
    let past = &stats[..stats.len() - 1];
    let visitors = past
        .iter()
        .map(|day| day["total_visitors"].as_f64().unwrap());
    let mean = visitors.sum::<f64>() / past.len() as f64;
    mean > 0.0 && current > mean * 2.0
}

#[test]
fn zrt_17_the_documents_spike_check_is_quiet_on_a_calm_week_and_fires_at_a_surge() {
    let shop = Shop::open();
    for day in 0..7 {
        shop.next_day("12h");
        for visitor in 0..5 {
            shop.view(&format!("{day}-{visitor}"), "/");
        }
    }
    assert!(!is_spike(&shop));
    shop.broker.advance("1h");
    for visitor in 0..6 {
        shop.view(&format!("surge-{visitor}"), "/");
    }
    assert!(is_spike(&shop));
}

#[test]
fn known_and_anonymous_visitors_are_told_apart_also_by_a_zebline_document() {
    let shop = Shop::open();
    let document = |ids: Value| {
        let mut document = json!({
            "eventName": "page_view",
            "eventTime": "2020-01-01T00:00:00.000Z",
            "eventData": {"page_url": "/from-zebline", "country_code": "CZ"},
        });
        let members = document.as_object_mut().unwrap();
        members.extend(ids.as_object().unwrap().clone());
        shop.event("page_view", Some("ignored"), &document);
    };
    document(json!({"userId": "ann"}));
    document(json!({"anonymousId": "ann"}));
    shop.view("ann", "/");
    let summary = shop.data("/analytics/ws_abc123?range=24h")["summary"].take();
    assert_eq!(
        summary,
        json!({
            "total_visitors": 2, "total_page_views": 3, "unique_visitors": 2,
            "known_visitors": 1, "anonymous_visitors": 1,
        })
    );
    let pages = shop.data("/analytics/ws_abc123/pages");
    assert_eq!(
        pages["pages"][0],
        json!({"url": "/from-zebline", "views": 2})
    );
}

#[test]
fn a_restart_reads_the_same_figures_from_the_log_again() {
    let shop = Shop::open();
    for (who, page) in [("ann", "/"), ("bob", "/pricing"), ("ann", "/pricing")] {
        let data = json!({"page_url": page, "country_code": "US", "value_score": 5, "os": "iOS"});
        shop.event("page_view", Some(who), &data);
    }
    shop.event("error", Some("ann"), &json!({"message": "m", "type": "t"}));
    let paths = [
        "/analytics/ws_abc123?range=7d",
        "/analytics/ws_abc123?range=24h",
        "/analytics/ws_abc123/visitors",
        "/analytics/ws_abc123/pages",
        "/analytics/ws_abc123/countries",
        "/analytics/ws_abc123/technology",
        "/errors/ws_abc123/groups",
    ];
    let read = |shop: &Shop| {
        paths.map(|path| {
            let mut data = shop.data(path);
            // The end of a range is the present.
            data.as_object_mut().unwrap().remove("date_range");
            data
        })
    };
    let before = read(&shop);
    let shop = shop.reopen();
    assert_eq!(read(&shop), before);
    shop.broker.stop();
}
