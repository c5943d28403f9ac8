//! Conditions that begin to hold and cease to.

use serde_json::json;

use crate::shop::Shop;

#[test]
fn zrt_17_a_calm_week_is_no_spike_and_a_surge_is_told_once_until_it_is_over() {
    let shop = Shop::alert("when = \"traffic-spike\"");
    for _ in 0..7 {
        shop.next_noon();
        shop.visitors(5);
    }
    shop.pass("5m");
    let start = [""; 0];
    assert_eq!(
        shop.kinds(),
        start,
        "a calm week, and nothing known of the days before it"
    );
    shop.visitors(5);
    shop.pass("5m");
    assert_eq!(shop.kinds(), start, "exactly twice the mean");
    shop.visitors(1);
    shop.pass("5m");
    shop.visitors(10);
    shop.pass("5m");
    let told = shop.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "alert.traffic_spike");
    let data = &told[0]["data"];
    assert_eq!(
        [&data["current"], &data["baseline"], &data["factor"]],
        [&json!(11), &json!(5), &json!(2)]
    );
    assert_eq!(shop.alerts()[0]["state"], "firing");
    assert_eq!(shop.alerts()[0]["last_value"], 21.0);
    shop.pass("25h");
    assert_eq!(shop.kinds(), ["alert.traffic_spike", "alert.cleared"]);
    assert_eq!(shop.alerts()[0]["state"], "armed");
    shop.broker.stop();
}

#[test]
fn zrt_17_a_website_without_past_days_has_no_spike() {
    let shop = Shop::alert("when = \"traffic-spike\"");
    shop.visitors(50);
    shop.pass("5m");
    assert_eq!(shop.kinds(), [""; 0]);
    assert_eq!(shop.alerts()[0]["last_value"], 50.0);
    shop.broker.stop();
}

#[test]
fn zss_22_above_is_told_when_it_begins_to_hold_cleared_when_it_ceases_and_told_again() {
    let shop = Shop::alert("when = \"above\"\nthreshold = 3");
    shop.visitors(3);
    shop.pass("1h");
    assert_eq!(shop.kinds(), [""; 0], "equal is not above");
    shop.visitors(1);
    shop.pass("59m59s");
    assert_eq!(shop.kinds(), [""; 0], "checks are an hour apart");
    shop.pass("1s");
    shop.pass("1h");
    assert_eq!(shop.kinds(), ["alert.above"]);
    let told = shop.told()[0]["data"].clone();
    assert_eq!(told["metric"], "total_visitors");
    assert_eq!(told["range"], "24h");
    assert_eq!((&told["value"], &told["threshold"]), (&json!(4), &json!(3)));
    assert_eq!(
        told["text"],
        "Example Website: 4 visitors in the last 24 hours, above 3"
    );
    shop.pass("24h");
    assert_eq!(shop.kinds(), ["alert.above", "alert.cleared"]);
    let cleared = shop.told()[1]["data"].clone();
    assert_eq!(cleared["condition"], "alert.above");
    assert_eq!(cleared["fired_at"], told["fired_at"]);
    // The first look at which the three are more than a day ago, who came an hour before the fourth.
    let two_hours_ago = shop.now().moved(-2 * 3600 * 1000);
    assert_eq!(cleared["cleared_at"], two_hours_ago.to_string());
    assert_eq!(cleared["value"], 1);
    shop.visitors(4);
    shop.pass("1h");
    assert_eq!(
        shop.kinds(),
        ["alert.above", "alert.cleared", "alert.above"]
    );
    shop.broker.stop();
}

#[test]
fn zss_22_below_holds_at_the_start_and_ceases_at_its_bound() {
    let shop = Shop::alert("when = \"below\"\nmetric = \"live\"\nthreshold = 2\nevery = \"10s\"");
    assert_eq!(shop.kinds(), ["alert.below"], "checked at the start");
    shop.visitors(1);
    shop.pass("10s");
    assert_eq!(shop.kinds(), ["alert.below"]);
    shop.visitors(1);
    shop.pass("10s");
    assert_eq!(shop.kinds(), ["alert.below", "alert.cleared"]);
    shop.pass("10m");
    assert_eq!(
        shop.kinds(),
        ["alert.below", "alert.cleared", "alert.below"]
    );
    assert_eq!(shop.told()[2]["data"]["range"], json!(null));
    shop.broker.stop();
}

#[test]
fn page_views_of_a_week_are_told_from_a_single_one_on() {
    let shop = Shop::alert(
        "when = \"above\"\nmetric = \"total_page_views\"\nrange = \"7d\"\nthreshold = 0",
    );
    shop.view("ann", &json!({ "page_url": "/" }));
    shop.pass("72h");
    assert_eq!(shop.kinds(), ["alert.above"]);
    let told = &shop.told()[0]["data"];
    assert_eq!((&told["range"], &told["value"]), (&json!("7d"), &json!(1)));
    shop.broker.stop();
}

#[test]
fn what_the_alerts_tell_is_no_visitor_of_any_website() {
    let shop = Shop::alert("when = \"above\"\nmetric = \"live\"\nthreshold = 1\nevery = \"10s\"");
    shop.visitors(2);
    shop.pass("10s");
    shop.pass("10s");
    assert_eq!(shop.alerts()[0]["last_value"], 2.0);
    shop.broker.stop();
}
