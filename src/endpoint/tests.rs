//! Filters, checks and drafts of endpoints.

use super::*;
use crate::event::Form;
use crate::policy::{KeyForm, On410, Policies, Policy, Schedule, Success};

fn event(kind: &str, status: Option<&str>) -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: Default::default(),
        status: status.map(Into::into),
        idempotency_key: None,
    }
}

fn filter(on: FilterOn, patterns: &[&str]) -> Filter {
    Filter {
        on,
        patterns: patterns.iter().map(|p| (*p).to_owned()).collect(),
    }
}

#[test]
fn a_filter_matches_exact_names_prefixes_and_the_star() {
    let orders = filter(FilterOn::Kind, &["order.*", "refund"]);
    assert!(orders.matches(&event("order.paid", None)));
    assert!(orders.matches(&event("refund", None)));
    assert!(!orders.matches(&event("orders", None)));
    assert!(!orders.matches(&event("refund.late", None)));
    assert!(filter(FilterOn::Kind, &["*"]).matches(&event("anything", None)));
    assert!(!filter(FilterOn::Kind, &[]).matches(&event("anything", None)));
}

#[test]
fn esp_06_a_deselected_status_is_not_sent() {
    let read = filter(FilterOn::Status, &["READ", "CLICKED"]);
    assert!(read.matches(&event("activity", Some("READ"))));
    assert!(!read.matches(&event("activity", Some("DELIVERED"))));
    assert!(!read.matches(&event("READ", Some("DELIVERED"))));
}

#[test]
fn an_event_without_a_status_is_matched_by_its_type_where_statuses_are_looked_at() {
    let alerts = filter(FilterOn::Status, &["alert.*", "order.paid", "READ"]);
    assert!(alerts.matches(&event("alert.above", None)));
    assert!(alerts.matches(&event("order.paid", None)));
    assert!(!alerts.matches(&event("order.shipped", None)));
    assert!(!alerts.matches(&event("order.paid", Some("DELIVERED"))));
}

/// A policy under which everything is allowed.
pub(crate) fn policy(name: &str) -> Policy {
    Policy {
        name: name.into(),
        order: Order::Independent,
        success: Success::Any2xx,
        schedule: Schedule::Table(vec![Duration::from_secs(30)]),
        give_up_after: Some(2),
        on_410: On410::Remove,
        timeout: Duration::from_secs(10),
        jitter: 0.0,
        honours_retry_after: false,
        requires_tls: false,
        filter_on: FilterOn::Kind,
        key_form: KeyForm::Text,
        check: Check::Off,
    }
}

/// Small stand-ins for what vendors ask for.
pub(crate) fn policies() -> Policies {
    let mut policies = Policies::default();
    policies.insert(Policy {
        requires_tls: true,
        ..policy("hotjar")
    });
    policies.insert(Policy {
        order: Order::InOrder,
        filter_on: FilterOn::Status,
        check: Check::Any2xx,
        give_up_after: None,
        ..policy("esputnik")
    });
    policies.insert(Policy {
        key_form: KeyForm::StandardSecret,
        ..policy("standard")
    });
    policies
}

fn draft(json: &str) -> EndpointDraft {
    serde_json::from_str(json).unwrap()
}

fn errors(json: &str) -> Vec<(String, String)> {
    draft::build(draft(json), &policies())
        .unwrap_err()
        .into_iter()
        .map(|error| (error.at, error.detail))
        .collect()
}

const MINIMAL: &str = r#"{"name": "crm", "url": "https://h/x", "policy": "esputnik"}"#;

#[test]
fn what_is_left_out_comes_from_the_policy() {
    let settings = draft::build(draft(MINIMAL), &policies()).unwrap();
    assert_eq!(settings.order, Order::InOrder);
    assert_eq!(settings.concurrency, 1);
    assert_eq!(settings.filter, Filter::all(FilterOn::Status));
    assert_eq!((settings.timeout, settings.check), (None, Check::Any2xx));
    assert_eq!(settings.key_encoding, TextEncoding::Utf8);
    assert_eq!(settings.signature_encoding, TextEncoding::Hex);
    assert_eq!(settings.origin, Origin::Api);
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let found = errors(
        r#"{"name": "ep_1", "url": "ftp://h/", "policy": "espytnik", "events": ["a*b"],
            "concurrency": 0, "timeout": "10", "basic_auth": {"user": "a:b", "password": "x\ny"},
            "headers": {"Content-Type": "a", "a/b": "c", "X-Ok": "é", "x-ok": "d"},
            "signing_key": "xyz", "key_encoding": "hex", "signature_encoding": "utf8",
            "ca_pem": "nothing"}"#,
    );
    let expected = [
        (
            "/name",
            r#"name "ep_1" could be taken for an id or a path; choose another"#,
        ),
        (
            "/policy",
            r#"policy "espytnik" is not known; did you mean "esputnik"?"#,
        ),
        ("/url", r#"url has the scheme "ftp"; use https or http"#),
        (
            "/events/0",
            r#"event "a*b" has a star in a place where none can stand; use "*", a prefix such as "order.*" or an exact type"#,
        ),
        (
            "/concurrency",
            "concurrency 0 is not within 1 to 512; choose another",
        ),
        (
            "/timeout",
            r#"timeout "10" has no unit; write for example "10s""#,
        ),
        (
            "/basic_auth/user",
            "user has a colon, which HTTP Basic cannot carry; choose another login",
        ),
        (
            "/basic_auth/password",
            "password has a control character, perhaps a line break; take it out",
        ),
        (
            "/headers/Content-Type",
            r#"header "Content-Type" is set by redeliver itself; take it out"#,
        ),
        (
            "/headers/a~1b",
            r#"header name "a/b" is not a valid HTTP header name; use letters, digits and dashes"#,
        ),
        (
            "/headers/X-Ok",
            r#"the value of header "X-Ok" has characters that no header can carry; use plain ASCII without line breaks, and no space at either end"#,
        ),
        (
            "/headers/x-ok",
            r#"header "x-ok" is given twice; keep one of the two"#,
        ),
        (
            "/signing_key",
            "signing_key is not hex, which key_encoding says; mend the key, or leave key_encoding out to use the text as it is",
        ),
        (
            "/signature_encoding",
            r#"signature_encoding "utf8" is for keys only; use "hex" or "base64""#,
        ),
        (
            "/ca_pem",
            "the CA bundle holds no certificate; give PEM text with -----BEGIN CERTIFICATE-----",
        ),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|(a, d)| (a.as_str(), d.as_str()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(errors("{}").len(), 3);
}

#[test]
fn an_unknown_field_is_refused() {
    let error = serde_json::from_str::<EndpointDraft>(r#"{"polcy": "x"}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `polcy`"));
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_null_goes_back_to_the_default() {
    let json = r#"{"name": "crm", "url": "https://h/x", "policy": "standard", "timeout": "1m30s",
        "concurrency": 3, "headers": {"X-B": "1", "X-A": "2"}, "signing_key": "whsec_AAAA"}"#;
    let before = draft::build(draft(json), &policies()).unwrap();
    assert_eq!(before.headers[0].0, "X-B", "headers stay in order");
    let same = draft::apply(EndpointDraft::default(), &before, &policies()).unwrap();
    assert_eq!(same, before);
    let after = draft::apply(
        draft(r#"{"timeout": null, "signing_key": null, "policy": "esputnik"}"#),
        &before,
        &policies(),
    )
    .unwrap();
    assert_eq!((after.timeout, after.signing_key), (None, None));
    assert_eq!((after.order, after.concurrency), (Order::InOrder, 1));
    assert_eq!(after.check, Check::Any2xx);
    assert_eq!(after.headers, before.headers);
    let nameless = draft::apply(draft(r#"{"name": null}"#), &before, &policies());
    assert_eq!(nameless.unwrap_err()[0].at, "/name");
}

#[test]
fn an_order_is_not_kept_by_several_attempts_at_once() {
    let json = MINIMAL.replace('}', r#", "concurrency": 2}"#);
    assert_eq!(
        errors(&json)[0].1,
        r#"concurrency 2 cannot keep an order; leave it out, or choose a policy whose order is "independent""#
    );
}

#[test]
fn neither_a_draft_nor_settings_print_a_key_or_what_may_hold_one() {
    let draft = draft(
        r#"{"name": "crm", "url": "https://h:8/hunter2?token=hunter2", "policy": "hotjar",
            "signing_key": "hunter2", "basic_auth": {"user": "u", "password": "hunter2"},
            "headers": {"X-Key": "hunter2"}}"#,
    );
    let settings = draft::build(draft.clone(), &policies()).unwrap();
    for (shown, word) in [
        (format!("{draft:?}"), "signing_key"),
        (format!("{settings:?}"), "X-Key"),
        (format!("{settings:?}"), "https://h:8/"),
    ] {
        assert!(
            shown.contains(word) && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

/// An active endpoint, for tests of what looks at endpoints.
pub(crate) fn endpoint(number: u32) -> std::sync::Arc<Endpoint> {
    let created_at = Timestamp::from_millis(1_700_000_000_000);
    std::sync::Arc::new(Endpoint {
        number,
        id: EndpointId::new(created_at, 1, number),
        revision: 1,
        settings: EndpointSettings {
            name: format!("e{number}"),
            url: "https://a.example/".to_owned(),
            policy: "standard".to_owned(),
            order: Order::Independent,
            filter: Filter::all(FilterOn::Kind),
            concurrency: 1,
            timeout: None,
            basic_auth: None,
            headers: Vec::new(),
            signing_key: None,
            key_encoding: TextEncoding::Utf8,
            signature_encoding: TextEncoding::Hex,
            timestamp_mode: TimestampMode::PerAttempt,
            allow_http: false,
            drop_while_inactive: false,
            ca_pem: None,
            check: Check::Off,
            origin: Origin::Api,
            rotation: None,
        },
        state: EndpointState::Active,
        state_reason: None,
        created_at,
        from_seq: 1,
        until_seq: None,
    })
}
