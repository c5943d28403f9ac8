//! What goes out under each vendor's contract, byte for byte.

use super::super::standard::{
    ID_HEADER as ID, SIGNATURE_HEADER as SIGNATURE, TIMESTAMP_HEADER as TIME,
};
use super::*;

#[test]
fn hot_06_to_09_the_payload_wraps_the_data_without_touching_its_bytes() {
    let out = Profile::Hotjar
        .request(
            &event("survey_response", Form::Data, ODD),
            &settings(Profile::Hotjar, None),
            at(0),
        )
        .unwrap();
    assert_eq!(
        text(&out),
        format!(r#"{{"event":"survey_response","version":1,"timestamp":1700000000,"data":{ODD}}}"#)
    );
    assert_eq!(
        (&*out.content_type, out.headers.len()),
        ("application/json", 0)
    );
}

#[test]
fn hot_36_each_attempt_carries_a_fresh_timestamp_and_a_signature_that_matches() {
    let settings = settings(Profile::Hotjar, Some("site-key"));
    let event = event("survey_response", Form::Data, ODD);
    for offset in [0, 30, 90, 210, 510, 1110, 2310] {
        let out = Profile::Hotjar
            .request(&event, &settings, at(offset))
            .unwrap();
        let [(name, signature)] = &out.headers[..] else {
            panic!("one header")
        };
        assert_eq!(*name, "com-hotjar-signature");
        hotjar::verify(b"site-key", &out.body, signature, TextEncoding::Hex).unwrap();
        hotjar::check_age(&out.body, at(offset)).unwrap();
        // Only the timestamp moves.
        assert!(text(&out).ends_with(&format!(
            r#""timestamp":{},"data":{ODD}}}"#,
            1_700_000_000 + offset
        )));
    }
}

#[test]
fn a_03_a_fixed_timestamp_is_the_time_of_receipt_and_goes_stale_as_the_vendor_warns() {
    let mut settings = settings(Profile::Hotjar, Some("k"));
    settings.timestamp_mode = TimestampMode::Fixed;
    let event = event("survey_response", Form::Data, "{}");
    let first = Profile::Hotjar.request(&event, &settings, at(0)).unwrap();
    let fifth = Profile::Hotjar.request(&event, &settings, at(510)).unwrap();
    assert_eq!(first, fifth);
    assert!(matches!(
        hotjar::check_age(&fifth.body, at(510)),
        Err(VerifyError::Stale { .. })
    ));
}

#[test]
fn hot_35_a_timestamp_is_rejected_when_it_is_older_than_five_minutes_and_not_before() {
    let body = br#"{"timestamp":1700000000}"#;
    let sent = 1_700_000_000_000;
    let check = |ms| hotjar::check_age(body, Timestamp::from_millis(sent + ms));
    assert_eq!(
        (check(0), check(300_000), check(-900_000)),
        (Ok(()), Ok(()), Ok(()))
    );
    assert!(matches!(check(300_001), Err(VerifyError::Stale { .. })));
    for body in [
        "",
        "[]",
        "{}",
        r#"{"timestamp":"now"}"#,
        r#"{"timestamp":null}"#,
    ] {
        let checked = hotjar::check_age(body.as_bytes(), Timestamp::from_millis(sent));
        assert_eq!(checked, Err(VerifyError::NoTimestamp), "{body}");
    }
}

#[test]
fn esp_40_one_activity_becomes_an_array_and_an_array_stays_as_it_is() {
    let settings = settings(Profile::Esputnik, Some("key"));
    for (data, sent) in [
        (ODD, format!("[{ODD}]")),
        (" [1, 2]\n", " [1, 2]\n".to_owned()),
    ] {
        let event = event("activity", Form::Data, data);
        let first = Profile::Esputnik.request(&event, &settings, at(0)).unwrap();
        assert_eq!(text(&first), sent);
        let [("redeliver-signature", signature)] = &first.headers[..] else {
            panic!("{:?}", first.headers)
        };
        hotjar::verify(b"key", &first.body, signature, TextEncoding::Hex).unwrap();
        // Nothing in it depends on the attempt.
        assert_eq!(
            first,
            Profile::Esputnik
                .request(&event, &settings, at(86_400))
                .unwrap()
        );
    }
}

#[test]
fn esp_06_the_status_is_read_from_an_activity_or_the_first_of_several() {
    let status = |data: &str| esputnik::activity_status(data.as_bytes());
    assert_eq!(
        status(r#"{"a":{"activityStatus":"X"},"activityStatus":"READ"}"#),
        Some("READ".into())
    );
    assert_eq!(
        status(r#" [{"activityStatus":"SENT"},7]"#),
        Some("SENT".into())
    );
    for data in [
        "",
        "[]",
        "{}",
        "[[]]",
        r#"{"activityStatus":3}"#,
        r#"{"activityStatus":"READ""#,
    ] {
        assert_eq!(status(data), None, "{data}");
    }
    let bulk = include_bytes!("../../../tests/fixtures/payloads/esputnik_bulk.json");
    assert_eq!(esputnik::activity_status(bulk), Some("DELIVERED".into()));
}

#[test]
fn x_21_standard_webhooks_keep_id_and_event_time_and_renew_the_attempts_time() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let settings = settings(Profile::Standard, Some(secret));
    let event = event("order.paid", Form::Data, ODD);
    for offset in [0, 5, 86_400] {
        let out = Profile::Standard
            .request(&event, &settings, at(offset))
            .unwrap();
        assert_eq!(
            text(&out),
            format!(
                r#"{{"type":"order.paid","timestamp":"2020-09-13T12:26:40.000Z","data":{ODD}}}"#
            )
        );
        let [(ID, id), (TIME, time), (SIGNATURE, signature)] = &out.headers[..] else {
            panic!("{:?}", out.headers)
        };
        assert_eq!(
            (id, time),
            (&event.id.to_string(), &(1_700_000_000 + offset).to_string())
        );
        standard::verify(secret, id, time, signature, &out.body, at(offset)).unwrap();
    }
}
