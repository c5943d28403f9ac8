//! Messages of Contentsquare (Hotjar), after the documented examples.

use serde_json::{Map, Value, json};

use super::{LARGE_BYTES, NON_ASCII, data, long_text, whole};
use crate::check::drill::Identity;
use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::vendor::Profile;

const SURVEY: &str = "survey_response";

/// The fields of a response (HOT-39 to HOT-54). Both spellings stand side by side (A-09), so that a
/// receiver that reads either one finds it; nothing in it is written in two ways by JSON libraries.
fn response(identity: &Identity) -> Value {
    let created = identity.happened_at;
    json!({
        "id": identity.number(),
        "index": index(identity),
        "api_id": format!("response_{}", identity.uuid()),
        "response_url": "https://insights.hotjar.com/link/goes/here",
        "site_id": 42,
        "survey_id": 42,
        "survey_name": "Test survey",
        "survey_url": "https://insights.hotjar.com/link/goes/here",
        "device": "desktop",
        "browser": "Chrome",
        "os": "Windows",
        "country_code": "MT",
        "country_name": "Malta",
        "hotjar_user_id": identity.shared_uuid(),
        "created_str": created.to_string(),
        "created_timestamp": created.as_seconds(),
        "is_complete": true,
        "recording_url": "https://insights.hotjar.com/r?site=14&recording=12345",
        "response_origin_url": "https://www.example.com",
        "window_width": 1280,
        "window_height": 1024,
        "user_attributes": {"test_ua_one": "value"},
        "questions": [question(1, "short-text", &["Fine, thank you"])],
    })
}

fn index(identity: &Identity) -> u64 {
    1_000_000 + identity.number() % 1_000_000
}

fn question(id: u32, kind: &str, answers: &[&str]) -> Value {
    let text = format!("Question {id}");
    let answers = answers.iter();
    let answers = answers.map(|answer| json!({"answer": answer, "comment": null}));
    json!({
        "question_id": id,
        "question_text": text,
        "questiom_text": text,
        "question_type": kind,
        "answers": answers.collect::<Vec<_>>(),
    })
}

/// A response with these members in the place of its own.
fn with(identity: &Identity, members: Value) -> NewEvent {
    let mut response = response(identity);
    if let (Value::Object(all), Value::Object(members)) = (&mut response, members) {
        all.extend(members);
    }
    data(SURVEY, &response)
}

/// An ordinary response.
pub fn survey(identity: &Identity, _: Timestamp) -> NewEvent {
    data(SURVEY, &response(identity))
}

/// HOT-58.
pub fn test_message(_: &Identity, _: Timestamp) -> NewEvent {
    Profile::Hotjar.test_event()
}

/// An event that nobody has heard of (HOT-17, A-06), with data that looks like no other.
pub fn unknown_event(identity: &Identity, _: Timestamp) -> NewEvent {
    let inside = json!({"recording": {"uuid": identity.uuid()}, "pages": ["/", "/pricing"]});
    data("recording_finished", &inside)
}

/// Fields that are not documented, at every level (HOT-37).
pub fn unknown_fields(identity: &Identity, at: Timestamp) -> NewEvent {
    let mut response = response(identity);
    let strange = json!({"nested": [1, null, {"deep": true}]});
    response["a_field_to_come"] = strange.clone();
    response["questions"][0]["a_field_to_come"] = strange.clone();
    response["questions"][0]["answers"][0]["a_field_to_come"] = strange.clone();
    let body = json!({
        "event": SURVEY, "version": 1, "timestamp": at.as_seconds(), "data": response,
        "a_field_to_come": strange,
    });
    whole(SURVEY, body.to_string())
}

/// Every field null but the id (HOT-38).
pub fn nulls(identity: &Identity, _: Timestamp) -> NewEvent {
    with(identity, empty(identity, identity.number().into()))
}

/// A response whose id is null (HOT-38), and nothing else.
pub fn null_id(identity: &Identity, _: Timestamp) -> NewEvent {
    with(identity, json!({"id": null}))
}

/// Every field null (HOT-38).
pub fn all_null(identity: &Identity, _: Timestamp) -> NewEvent {
    with(identity, empty(identity, Value::Null))
}

fn empty(identity: &Identity, id: Value) -> Value {
    let mut members = Map::new();
    if let Value::Object(all) = response(identity) {
        members.extend(all.into_iter().map(|(name, _)| (name, Value::Null)));
    }
    members.insert("id".to_owned(), id);
    members.into()
}

/// `question_text`, as the list of fields has it (A-09).
pub fn question_text(identity: &Identity, _: Timestamp) -> NewEvent {
    without_spelling(identity, "questiom_text")
}

/// `questiom_text`, as the example has it (A-09).
pub fn questiom_text(identity: &Identity, _: Timestamp) -> NewEvent {
    without_spelling(identity, "question_text")
}

fn without_spelling(identity: &Identity, name: &str) -> NewEvent {
    let mut response = response(identity);
    if let Some(question) = response["questions"][0].as_object_mut() {
        question.remove(name);
    }
    data(SURVEY, &response)
}

/// Every type of question (HOT-55, HOT-56), one with several answers and a comment.
pub fn question_types(identity: &Identity, _: Timestamp) -> NewEvent {
    let mut options = question(5, "multiple-option", &["This", "That"]);
    options["answers"][1]["comment"] = "A comment".into();
    let questions = json!([
        question(1, "reaction", &["3"]),
        question(2, "long-text", &["Line one\n\nLine two"]),
        question(3, "short-text", &[""]),
        question(4, "single-option", &["Radio button?"]),
        options,
        question(6, "email", &["someone@example.com"]),
        question(7, "1-5-rating", &["5"]),
        question(8, "1-7-rating", &["7"]),
        question(9, "nps", &["10"]),
        question(10, "unknown", &["?"]),
    ]);
    with(identity, json!({"questions": questions}))
}

/// No question was answered (HOT-57).
pub fn no_questions(identity: &Identity, _: Timestamp) -> NewEvent {
    with(identity, json!({"questions": [], "is_complete": false}))
}

/// Every type that an attribute may have (HOT-53).
pub fn user_attributes(identity: &Identity, _: Timestamp) -> NewEvent {
    let attributes = json!({
        "plan": "pro", "age": 41, "score": 4.5, "is_admin": false,
        "signed_up": "2023-06-07T11:13:05.193076Z",
    });
    with(identity, json!({"user_attributes": attributes}))
}

/// Text beyond ASCII (HOT-04).
pub fn non_ascii(identity: &Identity, _: Timestamp) -> NewEvent {
    let questions = json!([question(1, "long-text", &[NON_ASCII])]);
    with(
        identity,
        json!({"survey_name": NON_ASCII, "questions": questions}),
    )
}

/// A long answer.
pub fn large(identity: &Identity, _: Timestamp) -> NewEvent {
    let questions = json!([question(1, "long-text", &[&long_text(LARGE_BYTES)])]);
    with(identity, json!({"questions": questions}))
}

/// The response that was given an hour before the others: its index is lower (HOT-12, HOT-13).
pub fn earlier(identity: &Identity, _: Timestamp) -> NewEvent {
    with(identity, json!({"index": index(identity) / 2}))
}

/// Valid JSON with spaces, line ends and a newline behind it.
pub fn spaces(identity: &Identity, at: Timestamp) -> NewEvent {
    let body = json!({
        "event": SURVEY, "version": 1, "timestamp": at.as_seconds(), "data": response(identity),
    });
    whole(SURVEY, format!("{body:#}\r\n"))
}

/// Valid JSON with escapes that nobody needs.
pub fn escapes(identity: &Identity, at: Timestamp) -> NewEvent {
    let extra = r#""survey_name":"\u0054est \/ \u00e9","#;
    let response = response(identity).to_string();
    let response = response.replace(r#""survey_name":"Test survey","#, extra);
    whole(SURVEY, body_of(at, &response))
}

/// Valid JSON whose members stand in another order.
pub fn key_order(identity: &Identity, at: Timestamp) -> NewEvent {
    let (seconds, response) = (at.as_seconds(), response(identity));
    let body =
        format!(r#"{{"timestamp":{seconds},"data":{response},"version":1,"event":"{SURVEY}"}}"#);
    whole(SURVEY, body)
}

fn body_of(at: Timestamp, response: &str) -> String {
    let seconds = at.as_seconds();
    format!(r#"{{"event":"{SURVEY}","version":1,"timestamp":{seconds},"data":{response}}}"#)
}
