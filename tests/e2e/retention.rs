//! A server whose events expire by the clock.

use serde_json::json;

use crate::process::broker::Site;
use crate::process::receiver::Receiver;

#[test]
fn a_day_on_the_manual_clock_lets_a_delivered_event_expire_and_keeps_one_that_waits() {
    let site = Site::new();
    site.configure("[retention]\nmax_age = \"1h\"\n");
    let broker = site.start(&["--clock", "manual"]);
    let delivered = broker.event("order.paid", &json!({"order": 1}));
    let refusing = Receiver::always(500);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": refusing.url(), "policy": "esputnik"}),
    );
    let waiting = broker.event("order.paid", &json!({"order": 2}));
    broker.advance("24h");
    let gone = broker.send("GET", &format!("/v1/events/{delivered}"), &[], b"");
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("expired by retention"));
    broker.get(&format!("/v1/events/{waiting}"));
    assert_eq!(broker.delivery_of(&waiting)["status"], "waiting");
}
