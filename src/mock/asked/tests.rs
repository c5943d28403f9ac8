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

/// The enumeration of a member, or of its elements.
fn words(member: &serde_json::Value) -> Vec<&str> {
    let own = member["enum"].as_array();
    let all = own.or(member["items"]["enum"].as_array());
    let all = all.into_iter().flatten();
    all.map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn what_a_mock_takes_is_what_its_document_says() {
    use crate::api::document::{Subject, document_of};
    let document = document_of(Subject::Mock);
    let schema = &document["paths"]["/v1/trigger"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"]["properties"];
    let (mut taken, mut sent) = (std::collections::BTreeSet::new(), Vec::new());
    for vendor in [Profile::Hotjar, Profile::Esputnik, Profile::Standard] {
        for sample in samples(vendor) {
            taken.extend(known(vendor, sample));
            if !sent.contains(sample) {
                sent.push(sample);
            }
        }
    }
    let told: std::collections::BTreeSet<_> = schema.as_object().unwrap().keys().collect();
    assert_eq!(
        told.into_iter()
            .map(|name| &**name)
            .collect::<std::collections::BTreeSet<_>>(),
        taken
    );
    assert_eq!(words(&schema["sample"]), sent);
    assert_eq!(words(&schema["spelling"]), SPELLINGS.map(|(name, _)| name));
    assert_eq!(words(&schema["nulls"]), NULLS.map(|(name, _)| name));
    assert_eq!(words(&schema["origin"]), ORIGINS.map(|(name, _)| name));
    let questions = QuestionType::ALL.map(QuestionType::name);
    assert_eq!(words(&schema["questions"]), questions);
    for (member, most) in [("count", EVENTS_MAX), ("size", EVENTS_MAX)] {
        assert_eq!(schema[member]["maximum"], most);
    }
    let known = |schema: &serde_json::Value| -> Vec<String> {
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let document = document_of(Subject::Mocks);
    let put = &document["paths"]["/mocks/{name}"]["put"]["requestBody"]["content"]["application/json"]
        ["schema"];
    for name in known(put) {
        let json = format!(r#"{{"{name}": null, "sure-to-be-unknown": 1}}"#);
        let told = crate::mock::plan::Plan::read(serde_json::from_str(&json).unwrap()).unwrap_err();
        let unknown = told
            .errors
            .iter()
            .filter(|error| error.detail.starts_with("unknown field"));
        assert_eq!(unknown.count(), 1, "{name}");
    }
}
