//! Requests with signatures and credentials of every kind.

use hyper::header::{HeaderName, HeaderValue};

use super::*;
use crate::vendor::basic_authorization;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const BODY: &[u8] = br#"{"timestamp":1699999999}"#;

fn headers(pairs: &[(&str, String)]) -> HeaderMap {
    let pair = |(name, value): &(&str, String)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn both() -> Checks {
    Checks {
        hotjar_keys: vec![Secret::new("k")],
        standard_secrets: vec![Secret::new("whsec_a2V5")],
        ..Checks::default()
    }
}

fn hotjar_header(body: &[u8]) -> (&'static str, String) {
    let text = hotjar::sign(b"k", body, TextEncoding::Hex).unwrap();
    (hotjar::SIGNATURE_HEADER, text)
}

#[test]
fn hot_34_a_right_signature_is_right_and_a_forged_or_missing_one_is_wrong() {
    let good = headers(&[hotjar_header(BODY)]);
    assert_eq!(both().verdict(&good, BODY, NOW), Verdict::Right("hotjar"));
    assert_eq!(both().verdict(&good, b"{}", NOW).word(), "wrong");
    assert_eq!(both().verdict(&headers(&[]), BODY, NOW).word(), "wrong");
    let nothing = Checks::default();
    assert_eq!(nothing.verdict(&good, BODY, NOW), Verdict::Unchecked);
}

#[test]
fn while_a_key_is_replaced_a_signature_by_either_is_right_and_by_neither_is_wrong() {
    let good = headers(&[hotjar_header(BODY)]);
    let with = |keys: &[&str]| Checks {
        hotjar_keys: keys.iter().map(|key| Secret::new(*key)).collect(),
        ..Checks::default()
    };
    for keys in [&["k"][..], &["new", "k"], &["k", "old"]] {
        let verdict = with(keys).verdict(&good, BODY, NOW);
        assert_eq!(verdict, Verdict::Right("hotjar"), "{keys:?}");
    }
    assert_eq!(
        with(&["new", "old"]).verdict(&good, BODY, NOW).word(),
        "wrong"
    );
    let signature = standard::sign("whsec_b2xk", "m", 1_700_000_000, BODY).unwrap();
    let signed = headers(&[
        (standard::ID_HEADER, "m".to_owned()),
        (standard::TIMESTAMP_HEADER, "1700000000".to_owned()),
        (standard::SIGNATURE_HEADER, signature),
    ]);
    let mut checks = Checks {
        standard_secrets: vec![Secret::new("whsec_bmV3")],
        ..Checks::default()
    };
    assert_eq!(checks.verdict(&signed, BODY, NOW).word(), "wrong");
    checks.standard_secrets.push(Secret::new("whsec_b2xk"));
    assert_eq!(
        checks.verdict(&signed, BODY, NOW),
        Verdict::Right("standard")
    );
}

#[test]
fn a_right_signature_of_one_kind_does_not_excuse_a_forged_one_of_the_other() {
    let signature = standard::sign("whsec_a2V5", "m", 1_700_000_000, BODY).unwrap();
    let mut pairs = vec![
        (standard::ID_HEADER, "m".to_owned()),
        (standard::TIMESTAMP_HEADER, "1700000000".to_owned()),
        (standard::SIGNATURE_HEADER, signature),
    ];
    let verdict = both().verdict(&headers(&pairs), BODY, NOW);
    assert_eq!(verdict, Verdict::Right("standard"));
    pairs.push((hotjar::SIGNATURE_HEADER, "00".repeat(32)));
    assert_eq!(both().verdict(&headers(&pairs), BODY, NOW).word(), "wrong");
}

#[test]
fn hot_35_an_old_timestamp_is_wrong_unless_any_age_will_do() {
    let later = Timestamp::from_millis(1_700_000_400_000);
    let good = headers(&[hotjar_header(BODY)]);
    let strict = both().verdict(&good, BODY, later).text();
    assert!(strict.contains("--any-age"), "{strict}");
    let lenient = Checks {
        any_age: true,
        ..both()
    };
    assert_eq!(lenient.verdict(&good, BODY, later).word(), "right");
}

#[test]
fn a_signature_that_is_almost_right_is_told_its_mistake_and_never_the_key() {
    let of_newline = hotjar::sign(b"k\n", BODY, TextEncoding::Hex).unwrap();
    let wrong = headers(&[(hotjar::SIGNATURE_HEADER, of_newline.clone())]);
    let text = both().verdict(&wrong, BODY, NOW).text();
    assert!(
        text.ends_with(
            "; it is right for the key with a newline at its end; take the key without the \
             white space that a file or a variable has round it"
        ),
        "{text}"
    );
    let signature = standard::sign("whsec_a2V5", "m", 1_700_000_000_000, BODY).unwrap();
    let in_ms = headers(&[
        (standard::ID_HEADER, "m".to_owned()),
        (standard::TIMESTAMP_HEADER, "1700000000".to_owned()),
        (standard::SIGNATURE_HEADER, signature),
    ]);
    let text = both().verdict(&in_ms, BODY, NOW).text();
    assert!(text.contains("it is right for"), "{text}");
    assert!(!text.contains("a2V5"), "{text}");
    // What a stranger can have computed is bounded.
    let long = vec![b'x'; EXPLAINED_MAX_BYTES + 1];
    let of_newline = hotjar::sign(b"k\n", &long, TextEncoding::Hex).unwrap();
    let wrong = headers(&[(hotjar::SIGNATURE_HEADER, of_newline)]);
    let text = both().verdict(&wrong, &long, NOW).text();
    assert!(!text.contains("it is right for"), "{text}");
}

#[test]
fn esp_04_credentials_are_needed_beside_a_right_signature() {
    let checks = Checks {
        basic: Some(BasicAuth {
            user: "u".into(),
            password: Secret::new("p"),
        }),
        ..both()
    };
    let signed = [hotjar_header(BODY)];
    assert_eq!(checks.verdict(&headers(&signed), BODY, NOW).word(), "wrong");
    let [signature] = signed;
    let all = headers(&[signature, ("authorization", basic_authorization("u", "p"))]);
    assert_eq!(checks.verdict(&all, BODY, NOW).word(), "right");
}
