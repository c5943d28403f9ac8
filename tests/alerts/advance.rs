//! A clock that is moved stops at each moment at which an alert is to look.

use serde_json::json;

use crate::process::receiver::Receiver;
use crate::shop::{Shop, table};

#[test]
fn an_advance_is_answered_when_the_alerts_that_were_due_are_told_and_delivered() {
    let receiver = Receiver::always(200);
    let mut tables = format!(
        "[[endpoint]]\nname = \"e\"\nurl = \"{}\"\npolicy = \"standard\"\nevents = [\"alert.*\"]\n",
        receiver.url()
    );
    let rounds = 20;
    for threshold in 0..rounds {
        let rule = format!(
            "when = \"above\"\nmetric = \"total_page_views\"\nthreshold = {threshold}\nevery = \"10s\""
        );
        let name = format!("name = \"a{threshold}\"");
        tables += &table(&rule).replace("name = \"a\"", &name);
    }
    let shop = Shop::with(&tables);
    for round in 1..=rounds {
        shop.view("ann", &json!({ "page_url": "/" }));
        shop.pass("10s");
        assert_eq!(shop.kinds().len(), round);
        assert_eq!(receiver.posts().len(), round);
    }
    shop.broker.stop();
}

#[test]
fn within_one_advance_an_alert_looks_at_each_of_its_times() {
    let shop = Shop::alert("when = \"below\"\nmetric = \"live\"\nthreshold = 1\nevery = \"1m\"");
    assert_eq!(shop.kinds(), ["alert.below"]);
    shop.visitors(1);
    let came = shop.now();
    shop.pass("10m");
    assert_eq!(
        shop.kinds(),
        ["alert.below", "alert.cleared", "alert.below"]
    );
    // Seen five minutes ago, a visitor is live still.
    let told = &shop.told()[2]["data"];
    assert_eq!(told["fired_at"], came.moved(6 * 60_000).to_string());
    assert_eq!(
        shop.alerts()[0]["last_checked_at"],
        came.moved(10 * 60_000).to_string()
    );
    shop.broker.stop();
}

#[test]
fn a_month_of_looks_each_minute_is_passed_in_one_advance() {
    let shop = Shop::alert("when = \"above\"\nthreshold = 0\nevery = \"1m\"");
    shop.visitors(1);
    shop.pass("30d");
    assert_eq!(shop.kinds(), ["alert.above", "alert.cleared"]);
    assert_eq!(shop.alerts()[0]["last_checked_at"], shop.now().to_string());
    shop.broker.stop();
}
