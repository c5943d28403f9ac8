//! The words of every event, to the byte.

use std::time::Duration;

use super::*;
use crate::alerts::rule;
use crate::vendor::zenovay::bodies::Score;

const NOW: Timestamp = Timestamp::from_millis(1_770_465_600_000);

const SITE: &str =
    r#""alert":"a","website":{"id":"ws_abc123","domain":"example.com","name":"Example Website"}"#;

fn alert(rule: Rule, shape: Shape) -> Alert {
    Alert {
        name: "a".to_owned(),
        website: "ws_abc123".to_owned(),
        rule,
        every: Duration::from_secs(60),
        shape,
        line: 1,
    }
}

fn website() -> Website {
    Website {
        id: "ws_abc123".to_owned(),
        tracking_code: "ZV_X".to_owned(),
        domain: "example.com".to_owned(),
        name: "Example Website".to_owned(),
        sources: Vec::new(),
        api_keys: Vec::new(),
        requests_per_minute: None,
        initial_snapshot: false,
        line: 1,
    }
}

fn visitor(city: &str) -> Visitor {
    Visitor {
        id: "00000000-0000-8000-8000-00000000002a".to_owned(),
        country_code: Some("CZ".to_owned()),
        country_name: None,
        city: Some(city.to_owned()),
        device_type: None,
        browser: None,
        os: None,
        value_score: Some(Score(85.5)),
        visited_at: NOW,
        landing_page: Some("/pricing".to_owned()),
        referrer: None,
        had_interaction: true,
    }
}

fn body(event: &NewEvent) -> &str {
    std::str::from_utf8(&event.body).unwrap()
}

fn told(rule: Rule, shape: Shape, tell: impl Fn(&Notice<'_>) -> NewEvent) -> NewEvent {
    let (alert, website) = (alert(rule, shape), website());
    tell(&Notice {
        alert: &alert,
        website: &website,
        now: NOW,
    })
}

#[test]
fn zrt_40_a_visitor_is_told_as_the_list_of_visitors_has_him() {
    let rule = Rule::HighValueVisitor { threshold: 70.0 };
    let event = told(rule, Shape::Event, |notice| {
        notice.visitor(&visitor("Brno"), 70.0)
    });
    assert_eq!(
        body(&event),
        format!(
            r#"{{{SITE},"fired_at":"2026-02-07T12:00:00.000Z","visitor":{{"id":"00000000-0000-8000-8000-00000000002a","country_code":"CZ","country_name":null,"city":"Brno","device_type":null,"browser":null,"os":null,"value_score":85.5,"visited_at":"2026-02-07T12:00:00.000Z","landing_page":"/pricing","referrer":null,"had_interaction":true}},"threshold":70,"text":"High-value visitor on Example Website: value score 85.5, from Brno, CZ, landed on /pricing"}}"#
        )
    );
    assert_eq!(
        (&*event.source, &*event.kind, event.subject.as_deref()),
        ("alerts", "alert.high_value_visitor", Some("a"))
    );
    assert_eq!((event.form, event.time), (Form::Data, Some(NOW)));
    let key = "a:00000000-0000-8000-8000-00000000002a:1770465600000";
    assert_eq!(event.idempotency_key.as_deref(), Some(key));
}

#[test]
fn zrt_17_a_spike_is_told_with_its_baseline_and_taken_back() {
    let rule = Rule::TrafficSpike { factor: 2.0 };
    let finding = rule::spike(11, &[5, 5, 11], 2.0);
    let event = told(rule, Shape::Event, |n| n.fires(&finding, "a:0".into()));
    assert_eq!(
        body(&event),
        format!(
            r#"{{{SITE},"fired_at":"2026-02-07T12:00:00.000Z","current":11,"baseline":5,"factor":2,"text":"Traffic spike on Example Website: 11 visitors in the last 24 hours, more than 2 times the usual 5 a day"}}"#
        )
    );
    assert_eq!(&*event.kind, "alert.traffic_spike");
    let finding = rule::spike(4, &[5, 5, 4], 2.0);
    let since = NOW.moved(-1000);
    let event = told(rule, Shape::Event, |notice| {
        notice.clears(&finding, since, "a:1".into())
    });
    assert_eq!(
        body(&event),
        format!(
            r#"{{{SITE},"condition":"alert.traffic_spike","fired_at":"2026-02-07T11:59:59.000Z","cleared_at":"2026-02-07T12:00:00.000Z","current":4,"baseline":5,"factor":2,"text":"The traffic spike on Example Website is over: 4 visitors in the last 24 hours, usually 5 a day"}}"#
        )
    );
    assert_eq!(&*event.kind, "alert.cleared");
}

#[test]
fn zss_22_a_figure_is_told_with_its_bound() {
    for (metric, side, told_data, text) in [
        (
            Metric::TotalPageViews(Period::Week),
            Side::Above,
            r#""metric":"total_page_views","range":"7d","value":11,"threshold":10.5"#,
            "Example Website: 11 page views in the last 7 days, above 10.5",
        ),
        (
            Metric::Live,
            Side::Below,
            r#""metric":"live","value":11,"threshold":10.5"#,
            "Example Website: 11 live visitors, below 10.5",
        ),
    ] {
        let bound = Bound {
            metric,
            threshold: 10.5,
        };
        let rule = match side {
            Side::Above => Rule::Above(bound),
            Side::Below => Rule::Below(bound),
        };
        let finding = Finding::Figure {
            bound,
            value: 11,
            side,
        };
        let event = told(rule, Shape::Event, |n| n.fires(&finding, "a:0".into()));
        assert_eq!(
            body(&event),
            format!(
                r#"{{{SITE},"fired_at":"2026-02-07T12:00:00.000Z",{told_data},"text":"{text}"}}"#
            )
        );
        assert_eq!(&*event.kind, kind(rule));
        let event = told(rule, Shape::Slack, |notice| {
            notice.clears(&finding, NOW, "a:0".into())
        });
        let text = text.replace(", ", ", no longer ");
        assert_eq!(body(&event), format!(r#"{{"text":"{text}"}}"#));
    }
}

#[test]
fn zrt_44_slack_is_told_one_text_in_which_a_visitor_commands_nothing() {
    let rule = Rule::HighValueVisitor { threshold: 70.0 };
    let city = format!("<!channel>\n&\u{202e}\"{}", "x".repeat(100));
    let event = told(rule, Shape::Slack, |notice| {
        notice.visitor(&visitor(&city), 70.0)
    });
    assert_eq!(
        body(&event),
        format!(
            r#"{{"text":"High-value visitor on Example Website: value score 85.5, from &lt;!channel&gt; &amp; \"{}…, CZ, landed on /pricing"}}"#,
            "x".repeat(66)
        )
    );
    assert_eq!(event.form, Form::Relayed);
    assert_eq!(&*event.content_type, "application/json");
}
