//! What a trigger's body may say.

use super::*;

fn asked(vendor: Profile, json: &str) -> Result<Wish, Vec<String>> {
    let members: Members = serde_json::from_str(json).unwrap();
    read(vendor, members).map_err(|problem| {
        let errors = problem.errors.into_iter();
        errors
            .map(|error| format!("{}: {}", error.at, error.detail))
            .collect()
    })
}

#[test]
fn without_anything_a_vendors_usual_sample_is_sent_once() {
    for (vendor, message) in [
        (
            Profile::Hotjar,
            Message::Survey(None, hotjar::Like::default()),
        ),
        (
            Profile::Esputnik,
            Message::Activity(esputnik::Like::default()),
        ),
        (Profile::Standard, Message::Shop(None, false)),
    ] {
        let wish = asked(vendor, "{}").unwrap();
        assert_eq!((wish.message, wish.count), (message, 1));
    }
}

#[test]
fn what_is_asked_for_is_what_is_meant() {
    let json = r#"{"sample": "bulk", "size": 20, "media": "viber", "status": "read", "count": 3,
        "seed": 7, "set": {"contactId": 9007199254740993}, "remove": ["statusData"]}"#;
    let wish = asked(Profile::Esputnik, json).unwrap();
    let like = esputnik::Like {
        status: Some(Status::Read),
        media: Some(Media::Viber),
        ..esputnik::Like::default()
    };
    assert_eq!(wish.message, Message::Bulk(20, like));
    assert_eq!((wish.count, wish.seed), (3, Some(7)));
    assert_eq!(wish.overrides.set[0].1.to_json(), "9007199254740993");
}

#[test]
fn every_mistake_is_told_at_its_member() {
    for (vendor, json, told) in [
        (
            Profile::Hotjar,
            r#"{"sample":"test"}"#,
            "/sample: sample \"test\" is not known; use one of \"survey_response\", \"test_message\"",
        ),
        (
            Profile::Hotjar,
            r#"{"sample":"test_message","nulls":"all"}"#,
            "/nulls: unknown field \"nulls\"; use one of \"sample\", \"payload\", \"count\", \"seed\", \"set\", \"remove\"",
        ),
        (
            Profile::Hotjar,
            r#"{"questions":["npz"]}"#,
            "/questions: question type \"npz\" is not known; did you mean \"nps\"?",
        ),
        (
            Profile::Esputnik,
            r#"{"status":"SENT","media":"email"}"#,
            "/status: SENT occurs with \"Mobile Push\" only, not with \"email\" (ESP-23)",
        ),
        (
            Profile::Esputnik,
            r#"{"count":0}"#,
            "/count: count is not from 1 to 1000; ask more than once",
        ),
        (
            Profile::Esputnik,
            r#"{"sample":"sequence","count":334}"#,
            "/count: count is not from 1 to 333; ask more than once",
        ),
        (
            Profile::Standard,
            r#"{"set":{"a..b":1}}"#,
            "/set: \"a..b\" is not a path such as data.survey_id or data.questions.0.answers",
        ),
        (
            Profile::Standard,
            r#"{"payload":{},"sample":"event"}"#,
            "/sample: sample and payload are two different things; keep one",
        ),
    ] {
        assert_eq!(asked(vendor, json).unwrap_err(), [told]);
    }
}
