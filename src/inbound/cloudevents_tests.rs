//! CloudEvents in both modes, and what is refused.

use hyper::header::HeaderName;

use super::*;

fn structured(json: &str) -> Result<Read, Problem> {
    read_structured(&Bytes::copy_from_slice(json.as_bytes()))
}

fn binary(headers: &[(&'static str, &str)], body: &'static str) -> Result<Read, Problem> {
    let headers = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            value.parse().expect("a header"),
        )
    });
    read_binary(&headers.collect(), &Bytes::from_static(body.as_bytes()))
}

const CE: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/shop"),
    ("ce-type", "order.paid"),
];

fn with(more: (&'static str, &'static str)) -> Vec<(&'static str, &'static str)> {
    CE.into_iter().chain([more]).collect()
}

#[test]
fn both_modes_give_the_same_event() {
    let one = structured(
        r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid",
            "extension":true,"data":{"a":1.0}}"#,
    )
    .unwrap();
    let other = binary(&with(("content-type", "application/json")), r#"{"a":1.0}"#).unwrap();
    assert_eq!(one.body, r#"{"a":1.0}"#);
    assert_eq!(one.idempotency_key.as_deref(), Some("/shop\n1"));
    assert_eq!(
        (one.kind, one.body, one.idempotency_key, one.form),
        (other.kind, other.body, other.idempotency_key, other.form)
    );
}

#[test]
fn data_that_is_not_json_keeps_its_bytes_and_its_media_type() {
    let plain = Some("text/plain".to_owned());
    let head =
        r#""specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/plain""#;
    for event in [
        structured(&format!(r#"{{{head},"data":"h\u00e9"}}"#)).unwrap(),
        structured(&format!(r#"{{{head},"data_base64":"aMOp"}}"#)).unwrap(),
        binary(&with(("content-type", "text/plain")), "hé").unwrap(),
    ] {
        assert_eq!(
            (event.form, &event.content_type, &*event.body),
            (Form::Relayed, &plain, "hé".as_bytes())
        );
    }
}

#[test]
fn no_data_is_null() {
    let event = binary(&CE, "").unwrap();
    assert_eq!((event.form, &*event.body), (Form::Data, NULL));
}

#[test]
fn header_values_are_unquoted_and_percent_decoded() {
    let event = binary(&with(("ce-subject", "\"Euro%20%E2%82%AC \\\"%zz\"")), "").unwrap();
    assert_eq!(event.subject.as_deref(), Some("Euro € \"%zz"));
}

#[test]
fn every_attribute_that_is_missing_or_wrong_is_told_at_once() {
    let places = |problem: Problem| -> Vec<String> {
        problem.errors.into_iter().map(|error| error.at).collect()
    };
    let problem = structured(
        r#"{"specversion":"0.3","type":"","time":"x","data":1,"data_base64":"AA==","type":"t"}"#,
    );
    assert_eq!(
        places(problem.unwrap_err()),
        [
            "/type",
            "/data_base64",
            "/specversion",
            "/id",
            "/source",
            "/type",
            "/time"
        ]
    );
    let problem = binary(&[("ce-id", "1%0A2")], "");
    assert_eq!(
        places(problem.unwrap_err()),
        ["ce-specversion", "ce-source", "ce-type", "ce-id"]
    );
}

#[test]
fn binary_data_that_claims_to_be_json_and_is_not_is_malformed() {
    let problem = binary(&with(("content-type", "application/json")), "{").unwrap_err();
    assert_eq!(problem.status.as_u16(), 400);
}
