//! What alerts may say, and what holds where they do not.

use std::time::Duration;

use super::parsed;
use crate::config::alert::{Bound, Metric, Period, Rule, Shape};

fn alert(lines: &str) -> crate::config::Alert {
    let text = format!(
        "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]\n\
         [[alert]]\nname = \"a\"\nwebsite = \"w\"\n{lines}"
    );
    parsed(&text).unwrap().alerts.remove(0)
}

#[test]
fn zrt_17_zrt_43_zss_22_an_alert_that_says_little_is_as_the_vendors_own() {
    let visitors = Metric::TotalVisitors(Period::LastDay);
    for (lines, rule, seconds) in [
        (
            "when = \"high-value-visitor\"",
            Rule::HighValueVisitor { threshold: 70.0 },
            60,
        ),
        (
            "when = \"traffic-spike\"",
            Rule::TrafficSpike { factor: 2.0 },
            300,
        ),
        (
            "when = \"above\"\nthreshold = 5",
            Rule::Above(Bound {
                metric: visitors,
                threshold: 5.0,
            }),
            3600,
        ),
        (
            "when = \"below\"\nthreshold = 0.5",
            Rule::Below(Bound {
                metric: visitors,
                threshold: 0.5,
            }),
            3600,
        ),
    ] {
        let alert = alert(lines);
        assert_eq!(alert.rule, rule);
        assert_eq!(alert.every, Duration::from_secs(seconds));
        assert_eq!(
            (alert.shape, &*alert.website, alert.line),
            (Shape::Event, "w", 6)
        );
    }
}

#[test]
fn what_an_alert_says_holds() {
    let alert = alert(
        "when = \"above\"\nmetric = \"total_page_views\"\nrange = \"1y\"\nthreshold = 1_000.5\nevery = \"10s\"\nshape = \"slack\"",
    );
    let metric = Metric::TotalPageViews(Period::Year);
    let threshold = 1000.5;
    assert_eq!(alert.rule, Rule::Above(Bound { metric, threshold }));
    assert_eq!(alert.every, Duration::from_secs(10));
    assert_eq!(alert.shape, Shape::Slack);
}
