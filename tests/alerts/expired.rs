//! What was told is known although the events that told it have expired.

use crate::shop::{Shop, table};

#[test]
fn a_condition_that_was_told_before_its_event_expired_is_cleared_and_told_again_when_it_is() {
    let rule = "when = \"below\"\nmetric = \"live\"\nthreshold = 1\nevery = \"10s\"";
    let mut shop = Shop::with(&format!("[retention]\nmax_age = \"1h\"\n{}", table(rule)));
    shop.visitors(1);
    shop.pass("10s");
    shop.pass("6m");
    assert_eq!(
        shop.kinds(),
        ["alert.below", "alert.cleared", "alert.below"]
    );
    shop.pass("2h");
    assert_eq!(shop.kinds(), Vec::<String>::new(), "they have expired");
    shop = shop.killed();
    shop.pass("1m");
    assert_eq!(shop.kinds(), Vec::<String>::new(), "it holds as before");
    shop.visitors(1);
    shop.pass("10s");
    assert_eq!(shop.kinds(), ["alert.cleared"]);
    shop.pass("6m");
    assert_eq!(shop.kinds(), ["alert.cleared", "alert.below"]);
    shop.broker.stop();
}
