//! Survey responses: HOT-37 to HOT-58.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::{AT, Type, check_fields, is_uuid, names, value};
use crate::clock::Timestamp;
use crate::sample::Document;
use crate::sample::hotjar::*;

/// HOT-39 to HOT-54.
const RESPONSE: [(&str, Type); 23] = [
    ("id", Value::is_i64),
    ("index", Value::is_i64),
    ("api_id", |v| {
        let text = v.as_str().unwrap_or_default();
        text.strip_prefix("response_")
            .is_some_and(|rest| is_uuid(&rest.into()))
    }),
    ("response_url", Value::is_string),
    ("site_id", Value::is_i64),
    ("survey_id", Value::is_i64),
    ("survey_name", Value::is_string),
    ("survey_url", Value::is_string),
    ("device", |v| {
        ["tablet", "mobile", "desktop"]
            .iter()
            .any(|device| v == device)
    }),
    ("browser", Value::is_string),
    ("os", Value::is_string),
    ("country_code", |v| {
        v.as_str().unwrap_or_default().len() == 2
    }),
    ("country_name", Value::is_string),
    ("hotjar_user_id", is_uuid),
    ("created_str", |v| {
        let text = v.as_str().unwrap_or_default();
        text.len() == "2023-06-07T11:13:05.193076Z".len() && Timestamp::parse(text) == Ok(AT)
    }),
    ("created_timestamp", |v| v == AT.as_seconds()),
    ("is_complete", Value::is_boolean),
    ("recording_url", |v| v.is_string() || v.is_null()),
    ("response_origin_url", Value::is_string),
    ("window_width", Value::is_i64),
    ("window_height", Value::is_i64),
    ("user_attributes", |v| {
        let all = v.as_object();
        all.is_some_and(|all| {
            all.values()
                .all(|v| v.is_string() || v.is_number() || v.is_boolean())
        })
    }),
    ("questions", Value::is_array),
];

const UNKNOWN_OF_RESPONSES: [&str; 4] = ["session_id", "tags", "sentiment", "archived_at"];

fn check_question(question: &Value, like: &Like) {
    let may_be_null = like.nulls == Nulls::Some;
    let mut expected = BTreeSet::from(["question_id", "question_type", "answers"]);
    if like.spelling != Spelling::Example {
        expected.insert("question_text");
    }
    if like.spelling != Spelling::Document {
        expected.insert("questiom_text");
    }
    if like.unknown_fields {
        expected.insert("question_index");
    }
    assert_eq!(names(question), expected);
    for text in ["question_text", "questiom_text"] {
        let is_right = question
            .get(text)
            .is_none_or(|v| v.is_string() || (may_be_null && v.is_null()));
        assert!(is_right, "{question}");
    }
    let known: Type = |v| QuestionType::ALL.iter().any(|kind| v == kind.name());
    check_fields(
        question,
        &[
            ("question_id", Value::is_i64),
            ("question_type", known),
            ("answers", Value::is_array),
        ],
        may_be_null,
    );
    for answer in question["answers"].as_array().into_iter().flatten() {
        let mut expected = BTreeSet::from(["answer", "comment"]);
        if like.unknown_fields {
            expected.insert("answer_id");
        }
        assert_eq!(names(answer), expected);
        let comment: Type = |v| v.is_string() || v.is_null();
        check_fields(
            answer,
            &[("answer", Value::is_string), ("comment", comment)],
            may_be_null,
        );
    }
}

pub(super) fn likes() -> impl Strategy<Value = Like> {
    let spelling = prop_oneof![
        Just(Spelling::Document),
        Just(Spelling::Example),
        Just(Spelling::Both)
    ];
    let nulls = prop_oneof![Just(Nulls::Few), Just(Nulls::Some), Just(Nulls::All)];
    let questions = prop::collection::vec(prop::sample::select(&QuestionType::ALL[..]), 0..4);
    (
        spelling,
        nulls,
        any::<bool>(),
        any::<Option<bool>>(),
        questions,
    )
        .prop_map(
            |(spelling, nulls, unknown_fields, is_complete, questions)| Like {
                spelling,
                nulls,
                unknown_fields,
                is_complete,
                questions,
            },
        )
}

proptest! {
    #[test]
    fn every_survey_response_has_the_documented_fields_and_only_those(seed: u64, like in likes()) {
        let mut survey = Survey::new(seed);
        let mut before = None;
        for _ in 0..3 {
            let data = value(&survey.response(&like, AT));
            let mut expected: BTreeSet<_> = RESPONSE.iter().map(|(name, _)| *name).collect();
            if like.unknown_fields {
                expected.extend(UNKNOWN_OF_RESPONSES);
            }
            prop_assert_eq!(names(&data), expected);
            if like.nulls == Nulls::All {
                prop_assert!(RESPONSE.iter().all(|(name, _)| data[name].is_null()));
                continue;
            }
            check_fields(&data, &RESPONSE, like.nulls == Nulls::Some);
            for question in data["questions"].as_array().into_iter().flatten() {
                check_question(question, &like);
            }
            if like.nulls == Nulls::Few {
                if let Some(wanted) = like.is_complete {
                    prop_assert_eq!(&data["is_complete"], wanted);
                }
                let asked = match like.questions.len() { 0 => 10, some => some };
                let answered = data["questions"].as_array().unwrap().len();
                prop_assert_eq!(data["is_complete"] == true, answered == asked);
                // HOT-13, HOT-39.
                let order = (data["index"].as_i64(), data["id"].as_i64());
                prop_assert!(before < Some(order));
                before = Some(order);
            }
        }
    }
}

#[test]
fn a_complete_response_has_a_question_of_every_type() {
    let like = Like {
        is_complete: Some(true),
        ..Like::default()
    };
    let response = value(&Survey::new(7).response(&like, AT));
    let kinds = response["questions"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds
        .map(|question| question["question_type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, QuestionType::ALL.map(QuestionType::name));
}

#[test]
fn hot_58_the_test_message_is_the_documented_one() {
    let text = include_str!("../../../tests/fixtures/payloads/hotjar_test_message.json");
    let documented: Value = serde_json::from_str(text).unwrap();
    let at = Timestamp::from_millis(473_385_600_000);
    let payload = payload(TEST_MESSAGE, test_message(), at);
    assert_eq!(value(&payload), documented);
}

#[test]
fn the_members_come_in_the_order_of_the_documents_examples() {
    let text = include_str!("../../../tests/fixtures/payloads/hotjar_survey_response.json");
    let example = Document::parse(text).unwrap();
    let response = Survey::new(1).response(&Like::default(), AT);
    let order = |document: &Document| document.names().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(order(&response), order(example.get("data").unwrap()));
    assert!(!response.to_json().is_ascii());
}
