//! A server whose events expire by the clock.

use serde_json::json;

use crate::process::broker::Site;
use crate::process::receiver::Receiver;
use crate::process::source::Source;

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

#[test]
fn who_goes_on_from_an_expired_position_or_replays_an_expired_time_is_told_so() {
    let site = Site::new();
    site.configure("[retention]\nmax_age = \"1h\"\n");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    for n in 0..3 {
        let id = broker.event("order.paid", &json!({ "n": n }));
        broker.delivery_once(&id, "delivered");
    }
    broker.advance("2h");
    let replayed = broker.post("/v1/endpoints/e/replay", &json!({"dry_run": true}));
    assert_eq!(
        (&replayed["replayed"], &replayed["expired"]),
        (&json!(0), &json!(3))
    );
    let url = format!("http://{}", broker.address);
    let ran = site.run(&["replay", "--endpoint", "e", "--server", &url]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("sending 0 deliveries to e again"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("3 events of that time had expired by retention"),
        "{}",
        ran.out
    );
    broker.event("order.paid", &json!({"n": 4}));
    for (path, headers) in [
        ("/v1/stream?from=2&deliveries=false", &[][..]),
        ("/v1/stream?deliveries=false", &[("last-event-id", "1")]),
    ] {
        let mut source = Source::open(broker.address, path, headers);
        let first = source.next().unwrap();
        assert_eq!((&*first.event, first.id), ("skipped", None));
        assert_eq!(first.data, json!({"from": 2, "to": 3, "events": 2}));
        assert_eq!(source.next().unwrap().id, Some(4));
    }
    // Who wants whatever there is misses nothing.
    let mut source = Source::open(broker.address, "/v1/stream?from=start", &[]);
    assert_eq!(source.next().unwrap().id, Some(4));
}
