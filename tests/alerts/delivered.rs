//! Alerts arrive as every other event does.

use crate::process::eventually;
use crate::process::receiver::Receiver;
use crate::shop::{Shop, table};

fn endpoint(receiver: &Receiver) -> String {
    format!(
        "[[endpoint]]\nname = \"e\"\nurl = \"{}\"\npolicy = \"standard\"\nevents = [\"alert.above\"]\n",
        receiver.url()
    )
}

#[test]
fn an_alert_is_delivered_as_a_webhook_with_its_data() {
    let receiver = Receiver::always(200);
    let rule = table("when = \"above\"\nthreshold = 0\nevery = \"10s\"");
    let shop = Shop::with(&(endpoint(&receiver) + &rule));
    shop.visitors(2);
    shop.pass("10s");
    let seen = eventually("the alert arrives", || receiver.posts().pop());
    let body = seen.json();
    assert_eq!(body["type"], "alert.above");
    assert_eq!(body["data"], shop.told()[0]["data"]);
    assert_eq!(body["timestamp"], body["data"]["fired_at"]);
    assert_eq!(seen.header("webhook-id"), shop.told()[0]["id"]);
    shop.broker.stop();
}

#[test]
fn zrt_44_slack_gets_its_one_text_byte_for_byte() {
    let receiver = Receiver::always(200);
    let rule = table("when = \"above\"\nthreshold = 0\nevery = \"10s\"\nshape = \"slack\"");
    let shop = Shop::with(&(endpoint(&receiver) + &rule));
    shop.visitors(1);
    shop.pass("10s");
    let seen = eventually("the alert arrives", || receiver.posts().pop());
    assert_eq!(
        String::from_utf8(seen.body.clone()).unwrap(),
        r#"{"text":"Example Website: 1 visitor in the last 24 hours, above 0"}"#
    );
    assert_eq!(seen.header("content-type"), "application/json");
    shop.broker.stop();
}

#[test]
fn esp_06_an_endpoint_that_picks_statuses_gets_alerts_by_their_type() {
    let receiver = Receiver::always(200);
    let tables = endpoint(&receiver).replace("standard", "esputnik");
    let rule = table("when = \"above\"\nthreshold = 0\nevery = \"10s\"");
    let shop = Shop::with(&(tables + &rule));
    shop.visitors(1);
    shop.pass("10s");
    let told = shop.told();
    let seen = receiver.posts();
    assert_eq!(seen.len(), 1, "and not the page view");
    assert_eq!(seen[0].json(), serde_json::json!([told[0]["data"]]));
    shop.broker.stop();
}
