//! Once, whatever happens to the process.

use crate::shop::{Shop, WEBSITE, table};

#[test]
fn a_killed_broker_tells_nothing_twice_and_misses_nothing_that_came_before() {
    let mut shop = Shop::with(&format!(
        "{}\n{}",
        table("when = \"high-value-visitor\""),
        table("when = \"above\"\nthreshold = 2").replace("\"a\"", "\"b\""),
    ));
    shop.scored("ann", 80.0);
    shop.scored("bob", 81.0);
    shop.scored("eve", 82.0);
    // Never looked at by the process that took them in.
    shop = shop.killed();
    let mut told = vec!["alert.above"];
    told.extend(["alert.high_value_visitor"; 3]);
    let sorted = |shop: &Shop| {
        let mut kinds = shop.kinds();
        kinds.sort();
        kinds
    };
    assert_eq!(sorted(&shop), told);
    for _ in 0..3 {
        shop = shop.killed();
        shop.pass("1h");
        assert_eq!(sorted(&shop), told);
    }
    let alerts = shop.alerts();
    assert_eq!(
        (&alerts[0]["state"], &alerts[1]["state"]),
        (&"armed".into(), &"firing".into())
    );
    assert!(
        alerts
            .iter()
            .all(|alert| alert["last_fired_at"].is_string())
    );
    shop.broker.stop();
}

#[test]
fn a_kill_in_the_midst_of_telling_repeats_no_visitor_and_leaves_none_out() {
    let mut shop = Shop::alert("when = \"high-value-visitor\"");
    for round in 0..8 {
        for number in 0..20 {
            shop.scored(&format!("{round}-{number}"), 100.0);
        }
        shop = shop.killed_while_it_tells("1m", 20 * round);
        let told = shop.told();
        let keys: std::collections::HashSet<_> = told
            .iter()
            .map(|event| event["data"]["visitor"]["id"].to_string())
            .collect();
        assert_eq!(
            (told.len(), keys.len()),
            (20 * (round + 1), 20 * (round + 1))
        );
    }
    shop.broker.stop();
}

#[test]
fn a_condition_that_was_told_before_a_kill_is_cleared_after_it_and_told_again() {
    let rule =
        "when = \"below\"\nmetric = \"live\"\nthreshold = 1\nevery = \"10s\"\nshape = \"slack\"";
    let mut shop = Shop::alert(rule).killed();
    assert_eq!(shop.kinds(), ["alert.below"]);
    shop.visitors(1);
    shop = shop.killed();
    assert_eq!(shop.kinds(), ["alert.below", "alert.cleared"]);
    shop = shop.killed();
    shop.pass("6m");
    assert_eq!(
        shop.kinds(),
        ["alert.below", "alert.cleared", "alert.below"]
    );
    shop.broker.stop();
}

#[test]
fn visits_that_were_told_in_slacks_shape_are_known_again() {
    let mut shop = Shop::alert("when = \"high-value-visitor\"\nshape = \"slack\"");
    shop.scored("ann", 80.0);
    shop.pass("1m");
    for _ in 0..2 {
        shop = shop.killed();
        shop.pass("1m");
        assert_eq!(shop.told().len(), 1);
    }
    shop.broker.stop();
}

#[test]
fn an_alert_that_was_given_another_condition_clears_nothing_and_tells_its_own() {
    let below = "when = \"below\"\nthreshold = 1";
    let Shop { broker, site } = Shop::alert(below);
    broker.stop();
    site.configure(&format!(
        "{}{WEBSITE}",
        table("when = \"above\"\nthreshold = 0")
    ));
    let broker = site.start(&["--clock", "manual"]);
    let shop = Shop { broker, site };
    shop.visitors(1);
    shop.pass("1h");
    assert_eq!(shop.kinds(), ["alert.below", "alert.above"]);
    shop.broker.stop();
}

#[test]
fn a_stop_waits_for_no_alert() {
    let shop = Shop::alert("when = \"above\"\nthreshold = 1\nevery = \"366d\"");
    let start = crate::process::now();
    shop.broker.stop();
    let took = crate::process::now().since(start);
    assert!(took < std::time::Duration::from_secs(60), "{took:?}");
}
