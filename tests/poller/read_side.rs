//! Our own read side, polled by another broker.

use serde_json::json;

use crate::process::broker::Site;
use crate::process::eventually;
use crate::vendor::{KEY, asked_all, shown, told};

const WEBSITE: &str = r#"
[[website]]
id = "ws_1"
tracking_code = "ZV_X"
domain = "example.com"
sources = ["api"]
api_keys = ["env:ZENOVAY_KEY"]
"#;

#[test]
fn a_broker_polls_the_read_side_of_another_and_has_its_visitors() {
    let mut site = Site::new();
    site.set_env("ZENOVAY_KEY", KEY);
    site.configure(WEBSITE);
    let website = site.start(&["--clock", "manual"]);
    for who in 0..120 {
        let event = json!({
            "type": "page_view", "subject": format!("user{who}"), "data": {"page_url": "/"},
        });
        website.post("/v1/events", &event);
    }
    let live = || website.get("/e/live/ZV_X")["visitors"].clone();
    eventually("the log is read", || (live() == 120).then_some(()));

    let mut polling = Site::new();
    polling.set_env("ZENOVAY_KEY", KEY);
    polling.configure(&format!(
        "[[source]]\nname = \"site\"\nkind = \"zenovay\"\nurl = \"http://{}\"\n{}",
        website.address,
        crate::vendor::ALL
    ));
    let broker = polling.start(&["--clock", "manual"]);
    asked_all(&broker);
    assert_eq!(
        told(&broker, "zenovay.live"),
        [json!({"visitors": 120, "previous": null})]
    );
    let visitors = told(&broker, "zenovay.visitor");
    assert_eq!(visitors.len(), 120);
    let summary = &told(&broker, "zenovay.analytics")[0];
    assert_eq!(summary["total_visitors"], 120);

    let event = json!({"type": "page_view", "subject": "late", "data": {"page_url": "/"}});
    website.advance("1m");
    website.post("/v1/events", &event);
    eventually("the log is read", || (live() == 121).then_some(()));
    // As long as the read side lets its answers be kept.
    broker.advance("10m");
    assert_eq!(told(&broker, "zenovay.visitor").len(), 121);
    let source = shown(&broker);
    assert!(source["polls"].as_u64().unwrap() > 60, "{source}");
    broker.stop();
    website.stop();
}
