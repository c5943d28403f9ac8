//! What a receiver has to refuse, or to live through.

use super::*;
use crate::endpoint::TextEncoding;

fn tampered(
    profile: Profile,
    event: &Event,
    settings: &EndpointSettings,
    tamper: Tamper,
) -> (Outbound, Told) {
    let (outbound, mut told) = profile.tampered(event, settings, at(0), &[tamper]).unwrap();
    (outbound, told.remove(0))
}

fn header<'a>(outbound: &'a Outbound, name: &str) -> &'a str {
    let found = outbound.headers.iter().find(|(given, _)| *given == name);
    found.map_or("", |(_, text)| text)
}

fn hotjar_says(key: &str, outbound: &Outbound) -> Result<(), VerifyError> {
    let signature = header(outbound, hotjar::SIGNATURE_HEADER);
    hotjar::verify(key.as_bytes(), &outbound.body, signature, TextEncoding::Hex)?;
    hotjar::check_age(&outbound.body, at(0))
}

fn standard_says(key: &str, outbound: &Outbound) -> Result<(), VerifyError> {
    let [id, time, signatures] = [
        standard::ID_HEADER,
        standard::TIMESTAMP_HEADER,
        standard::SIGNATURE_HEADER,
    ]
    .map(|name| header(outbound, name));
    standard::verify(key, id, time, signatures, &outbound.body, at(0))
}

#[test]
fn hot_34_a_wrong_digit_and_another_key_are_mismatches_and_nothing_else() {
    let (profile, key) = (Profile::Hotjar, "site-key");
    let (settings, event) = (settings(profile, Some(key)), event("t", Form::Data, ODD));
    let right = profile.request(&event, &settings, at(0)).unwrap();
    assert_eq!(hotjar_says(key, &right), Ok(()));
    for tamper in [Tamper::WrongSignature, Tamper::OtherKey] {
        let (outbound, told) = tampered(profile, &event, &settings, tamper);
        assert!(told.is_ok());
        assert_eq!(outbound.body, right.body);
        assert_eq!(hotjar_says(key, &outbound), Err(VerifyError::Mismatch));
        let [given, wanted] = [&outbound, &right].map(|o| header(o, hotjar::SIGNATURE_HEADER));
        let differing = given.chars().zip(wanted.chars()).filter(|(a, b)| a != b);
        let digits = differing.count();
        assert_eq!(
            digits == 1,
            tamper == Tamper::WrongSignature,
            "{given} {wanted}"
        );
    }
}

#[test]
fn each_of_several_signatures_of_standard_webhooks_is_spoilt() {
    let (profile, key) = (Profile::Standard, "whsec_aHVudGVyMg== whsec_aHVudGVyMw==");
    let (settings, event) = (settings(profile, Some(key)), event("t", Form::Data, ODD));
    let right = profile.request(&event, &settings, at(0)).unwrap();
    assert_eq!(standard_says(key, &right), Ok(()));
    for tamper in [Tamper::WrongSignature, Tamper::OtherKey] {
        let (outbound, told) = tampered(profile, &event, &settings, tamper);
        assert!(told.is_ok());
        assert_eq!(standard_says(key, &outbound), Err(VerifyError::Mismatch));
    }
}

#[test]
fn hot_35_a_moved_timestamp_is_rightly_signed_and_too_old_or_ahead() {
    let (profile, key) = (Profile::Hotjar, "site-key");
    let event = event("t", Form::Data, ODD);
    for mode in [TimestampMode::PerAttempt, TimestampMode::Fixed] {
        let mut settings = settings(profile, Some(key));
        settings.timestamp_mode = mode;
        let moved = |by_ms| tampered(profile, &event, &settings, Tamper::Moved { by_ms });
        let (outbound, told) = moved(-600_000);
        assert_eq!(told.unwrap(), "its timestamp is 600 s in the past");
        let said = hotjar_says(key, &outbound);
        // To the second, as the timestamp is.
        assert!(matches!(said, Err(VerifyError::Stale { age, .. }) if age.as_secs() == 600));
        let (outbound, told) = moved(600_000);
        assert_eq!(told.unwrap(), "its timestamp is 600 s ahead");
        assert_eq!(
            hotjar_says(key, &outbound),
            Ok(()),
            "HOT-35 has no such rule"
        );
        assert!(text(&outbound).contains(r#""timestamp":1700000600,"#));
    }
}

#[test]
fn a_moved_timestamp_of_standard_webhooks_is_in_the_header_and_the_body_stays() {
    let (profile, key) = (Profile::Standard, "whsec_aHVudGVyMg==");
    let settings = settings(profile, Some(key));
    for form in [Form::Data, Form::Relayed] {
        let event = event("t", form, ODD);
        let right = profile.request(&event, &settings, at(0)).unwrap();
        let (stale, _) = tampered(
            profile,
            &event,
            &settings,
            Tamper::Moved { by_ms: -600_000 },
        );
        assert!(matches!(
            standard_says(key, &stale),
            Err(VerifyError::Stale { .. })
        ));
        let (early, _) = tampered(profile, &event, &settings, Tamper::Moved { by_ms: 600_000 });
        assert!(matches!(
            standard_says(key, &early),
            Err(VerifyError::Future { .. })
        ));
        assert_eq!((&stale.body, &early.body), (&right.body, &right.body));
    }
}

#[test]
fn hot_17_an_unknown_type_is_rightly_signed() {
    let (profile, key) = (Profile::Hotjar, "site-key");
    let (settings, event) = (settings(profile, Some(key)), event("t", Form::Data, ODD));
    let (outbound, _) = tampered(profile, &event, &settings, Tamper::UnknownType);
    assert_eq!(hotjar_says(key, &outbound), Ok(()));
    assert!(text(&outbound).starts_with(r#"{"event":"redeliver_unknown_type","version":1"#));
    assert!(text(&outbound).contains(ODD));
}

#[test]
fn esp_22_an_unknown_status_changes_nothing_else_of_the_activities() {
    let profile = Profile::Esputnik;
    let settings = settings(profile, Some("k"));
    let array = r#"[{"a":1.10,"activityStatus" : "READ","b":[]} , {"activityStatus":"SENT"}]"#;
    let (outbound, told) = tampered(
        profile,
        &event("t", Form::Data, array),
        &settings,
        Tamper::UnknownType,
    );
    assert!(told.is_ok());
    assert_eq!(
        text(&outbound),
        r#"[{"a":1.10,"activityStatus" : "redeliver_unknown_type","b":[]} , {"activityStatus":"redeliver_unknown_type"}]"#
    );
    for body in [r#"{"a":1}"#, "[]", "7", "", r#"{"activityStatus":"#] {
        let event = event("t", Form::Data, body);
        let (outbound, told) = tampered(profile, &event, &settings, Tamper::UnknownType);
        assert!(told.is_err());
        assert_eq!(Ok(outbound), profile.request(&event, &settings, at(0)));
    }
}

#[test]
fn what_cannot_be_done_is_told_and_the_request_is_the_right_one() {
    let relayed = event("t", Form::Relayed, ODD);
    let plain = event("t", Form::Data, ODD);
    let back = Tamper::Moved { by_ms: -1 };
    for (profile, key, event, tamper, why) in [
        (
            Profile::Hotjar,
            Some("k"),
            &relayed,
            back,
            "cannot be renewed",
        ),
        (
            Profile::Hotjar,
            Some("k"),
            &relayed,
            Tamper::UnknownType,
            "not ours to change",
        ),
        (
            Profile::Esputnik,
            Some("k"),
            &plain,
            back,
            "no time of sending",
        ),
        (
            Profile::Hotjar,
            None,
            &plain,
            Tamper::WrongSignature,
            "no signing key",
        ),
        (
            Profile::Esputnik,
            None,
            &plain,
            Tamper::OtherKey,
            "no signing key",
        ),
    ] {
        let settings = settings(profile, key);
        let (outbound, told) = tampered(profile, event, &settings, tamper);
        assert!(told.unwrap_err().contains(why), "{tamper:?}");
        assert_eq!(Ok(outbound), profile.request(event, &settings, at(0)));
    }
}

#[test]
fn esp_04_without_a_key_another_key_is_another_password() {
    let profile = Profile::Esputnik;
    let mut settings = settings(profile, None);
    settings.basic_auth = Some(BasicAuth {
        user: "hook".into(),
        password: Secret::new("s3cret"),
    });
    let event = event("t", Form::Data, ODD);
    let (outbound, told) = tampered(profile, &event, &settings, Tamper::OtherKey);
    assert!(told.is_ok());
    let given = header(&outbound, "authorization");
    assert!(given.starts_with("Basic ") && !basic_matches(given, "hook", "s3cret"));
}
