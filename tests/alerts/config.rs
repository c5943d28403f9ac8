//! What is wrong with an alert, and who may see it.

use crate::process::broker::Site;
use crate::shop::{Shop, WEBSITE};

#[test]
fn every_mistake_of_an_alert_ends_the_start_with_its_line_and_exit_code_2() {
    let site = Site::new();
    let alerts = "[[alert]]\nname = \"a\"\nwebsite = \"ws\"\nwhen = \"above\"\nfactor = 3\nevery = \"1s\"\n\
         [[source]]\nname = \"alerts\"\nkind = \"raw\"\n";
    site.configure(&format!("{alerts}{WEBSITE}"));
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2);
    for expected in [
        "config.toml:1: [[alert]] has no threshold; add threshold = …",
        "config.toml:3: website \"ws\" is not defined; use one of \"ws_abc123\"",
        "config.toml:5: factor does not belong to an alert when \"above\"; take it out (its keys are metric, range, threshold)",
        "config.toml:6: every \"1s\" is less than 10s; give a longer time",
        "config.toml:8: source \"alerts\" is redeliver's own; choose another name",
    ] {
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
}

#[test]
fn the_list_of_alerts_shows_the_rule_of_each() {
    let shop = Shop::alert("when = \"above\"\nrange = \"30d\"\nthreshold = 9.5\nshape = \"slack\"");
    let now = shop.now().to_string();
    assert_eq!(
        shop.broker.get("/v1/alerts"),
        serde_json::json!({
            "data": [{
                "name": "a", "website": "ws_abc123", "when": "above",
                "metric": "total_visitors", "range": "30d", "threshold": 9.5,
                "every": "1h", "shape": "slack", "state": "armed",
                "last_checked_at": now, "last_fired_at": null, "last_value": 0.0,
            }],
            "next": null,
        })
    );
    let refused = shop.broker.send("GET", "/v1/alerts?limit=1", &[], b"");
    assert_eq!(refused.status, 422);
    shop.broker.stop();
}

#[test]
fn without_alerts_the_list_is_empty_and_behind_the_token_as_everything() {
    let mut site = Site::new();
    site.set_env("TOKEN", "hunter2");
    site.configure("[server]\nadmin_token = \"env:TOKEN\"\n");
    let broker = site.start(&["--clock", "manual"]);
    broker.send("GET", "/v1/alerts", &[], b"").problem(401);
    let token = [("authorization", "Bearer hunter2")];
    let answer = broker.send("GET", "/v1/alerts", &token, b"");
    assert_eq!(answer.text(), r#"{"data":[],"next":null}"#);
    broker.stop();
}
