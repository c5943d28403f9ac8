//! Visitors who are worth telling.

use serde_json::{Value, json};

use crate::shop::{Shop, table};

const RULE: &str = "when = \"high-value-visitor\"";

fn scores(told: &[Value]) -> Vec<f64> {
    let each = told.iter();
    each.map(|event| event["data"]["visitor"]["value_score"].as_f64().unwrap())
        .collect()
}

#[test]
fn zrt_43_a_visit_is_told_from_seventy_on_once_and_checks_are_a_minute_apart() {
    let shop = Shop::alert(RULE);
    shop.scored("ann", 69.99);
    shop.scored("bob", 70.0);
    shop.scored("eve", 85.0);
    shop.view("joe", &json!({ "page_url": "/" }));
    shop.pass("59s999ms");
    assert_eq!(shop.kinds(), [""; 0]);
    shop.pass("1ms");
    let told = shop.told();
    assert_eq!(scores(&told), [70.0, 85.0]);
    let event = &told[0];
    assert_eq!(event["source"], "alerts");
    assert_eq!(event["type"], "alert.high_value_visitor");
    assert_eq!(event["subject"], "a");
    let data = &event["data"];
    assert_eq!(data["alert"], "a");
    assert_eq!(
        data["website"],
        json!({"id": "ws_abc123", "domain": "example.com", "name": "Example Website"})
    );
    assert_eq!(data["fired_at"], shop.now().to_string());
    assert_eq!(
        data["text"],
        "High-value visitor on Example Website: value score 70, landed on /"
    );
    // A second check on the same visits tells nothing, nor do more page views of them.
    shop.pass("60s");
    shop.scored("eve", 90.0);
    shop.pass("60s");
    assert_eq!(shop.told().len(), 2);
    // Another visit does.
    shop.pass("30m");
    shop.scored("eve", 90.0);
    shop.pass("60s");
    assert_eq!(scores(&shop.told()), [70.0, 85.0, 90.0]);
    shop.broker.stop();
}

#[test]
fn a_score_that_is_told_late_in_a_visit_is_seen() {
    let shop = Shop::alert("when = \"high-value-visitor\"\nthreshold = 50");
    shop.scored("ann", 1.0);
    for _ in 0..6 {
        shop.pass("29m");
        shop.scored("ann", 49.0);
    }
    shop.scored("ann", 50.0);
    assert_eq!(shop.kinds(), [""; 0]);
    shop.pass("1m");
    assert_eq!(scores(&shop.told()), [50.0]);
    shop.broker.stop();
}

#[test]
fn more_visitors_than_are_told_at_once_are_all_told_at_one_check() {
    // Whoever brings many at once to such a store is mostly refused.
    let shop = Shop::with(&format!(
        "{}[limits]\ningest_queue_events = 1\n",
        table(RULE)
    ));
    for number in 0..250 {
        shop.scored(&format!("v{number}"), 100.0);
    }
    shop.pass("1m");
    assert_eq!(shop.told().len(), 250);
    shop.broker.stop();
}

#[test]
fn a_clock_that_jumps_by_days_misses_no_visitor_and_makes_up_for_one_check() {
    let shop = Shop::alert(RULE);
    shop.scored("ann", 100.0);
    shop.pass("100h");
    assert_eq!(scores(&shop.told()), [100.0]);
    shop.broker.stop();
}
