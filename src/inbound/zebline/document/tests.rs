//! Events as they are sent, and what is wrong with others.

use super::*;
use crate::inbound::zebline::stored::Stored;

const WHOLE: &str = r#"{"userId":"TX1","anonymousId":"a","eventName":"page_view",
    "eventTime":"2024-01-01T00:00:00.000000","eventData":{"Price":1.50,"b":"x"},"extra":[1]}"#;

fn mistakes(json: &str) -> String {
    let problem = Document::read(json.as_bytes(), false).unwrap_err();
    let each: Vec<_> = problem
        .errors
        .into_iter()
        .map(|error| error.detail)
        .collect();
    each.join("; ")
}

#[test]
fn the_user_counts_and_the_anonymous_id_beside_it_is_ignored_zeb_20() {
    let document = Document::read(WHOLE.as_bytes(), false).unwrap();
    assert_eq!((&*document.name, &*document.visitor), ("page_view", "TX1"));
    assert_eq!(document.time.to_string(), "2024-01-01T00:00:00.000Z");
    assert_eq!(document.attributes[0].1.get(), "1.50");
    let wrong = WHOLE.replace("\"anonymousId\":\"a\"", "\"anonymousId\":7");
    assert!(Document::read(wrong.as_bytes(), false).is_ok());
    let anonymous = WHOLE.replace("\"userId\":\"TX1\"", "\"userId\":null");
    let document = Document::read(anonymous.as_bytes(), false).unwrap();
    assert_eq!(document.visitor, "a");
}

#[test]
fn everything_that_is_missing_is_told_at_once_zeb_05() {
    assert_eq!(
        mistakes("{}"),
        "eventName is missing; eventTime is missing; eventData is missing; \
         userId or anonymousId is missing"
    );
}

#[test]
fn names_and_visitors_end_at_their_limits_zeb_06_zeb_18_zeb_19() {
    let with = |from: &str, to: String| WHOLE.replace(from, &to);
    for (member, value, limit) in [("eventName", "page_view", 49), ("userId", "TX1", 100)] {
        let fits = with(value, "é".repeat(limit));
        assert!(Document::read(fits.as_bytes(), false).is_ok(), "{member}");
        for length in [0, limit + 1] {
            let told = mistakes(&with(value, "é".repeat(length)));
            let expected = format!("{member} has {length} characters; give 1 to {limit}");
            assert_eq!(told, expected);
        }
    }
}

#[test]
fn what_is_of_another_type_is_told_with_what_it_should_be() {
    for (from, to, told) in [
        (
            "{\"Price\":1.50,\"b\":\"x\"}",
            "\"x\"",
            "eventData is not a JSON object",
        ),
        (
            "{\"Price\":1.50,\"b\":\"x\"}",
            "[]",
            "eventData is not a JSON object",
        ),
        (
            "\"2024-01-01T00:00:00.000000\"",
            "1704067200",
            "eventTime 1704067200 is not a time such as 2024-01-01T09:30:00+0200",
        ),
        (
            "\"page_view\"",
            "7",
            "eventName is not a text; write it in quotation marks",
        ),
        ("\"extra\"", "\"userId\"", "\"userId\" is given twice"),
    ] {
        assert_eq!(mistakes(&WHOLE.replace(from, to)), told);
    }
    let lenient = WHOLE.replace("\"2024-01-01T00:00:00.000000\"", "1704067200");
    let document = Document::read(lenient.as_bytes(), true).unwrap();
    assert_eq!(document.time.to_string(), "2024-01-01T00:00:00.000Z");
}

#[test]
fn a_unix_time_is_in_whole_seconds_up_to_the_year_9999_a_35() {
    let read = |time: &str| {
        let json = WHOLE.replace("\"2024-01-01T00:00:00.000000\"", time);
        match Document::read(json.as_bytes(), true) {
            Ok(document) => Ok(document.time.to_string()),
            Err(problem) => Err(problem.errors[0].detail.clone()),
        }
    };
    assert_eq!(read("-1").unwrap(), "1969-12-31T23:59:59.000Z");
    assert_eq!(read("253402207200").unwrap(), "9999-12-30T22:00:00.000Z");
    for time in [
        "253402207201",
        "1704067200000",
        "9223372036854775807",
        "1e300",
        "1704067200.5",
    ] {
        let told = read(time).unwrap_err();
        let expected = format!("eventTime {time} is no time in whole seconds");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn what_a_sender_says_was_dropped_is_taken_out() {
    let claimed = WHOLE.replace("\"extra\"", "\"droppedAttributes\"");
    let document = Document::read(claimed.as_bytes(), false).unwrap();
    assert!(document.claims_drops());
    let bytes = document.without(&[]).unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(!text.contains("dropped"), "{text}");
}

#[test]
fn what_is_dropped_is_named_beside_the_rest_which_stays_as_it_was() {
    let document = Document::read(WHOLE.as_bytes(), false).unwrap();
    let bytes = document.without(&[(1, Fault::Twice)]).unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert_eq!(
        text,
        r#"{"userId":"TX1","anonymousId":"a","eventName":"page_view","eventTime":"2024-01-01T00:00:00.000000","eventData":{"Price":1.50},"extra":[1],"droppedAttributes":[{"name":"b","reason":"it is given twice"}]}"#
    );
    let stored = Stored::read(&bytes).unwrap();
    assert_eq!(stored.name, "page_view");
    assert_eq!(
        (stored.attributes.len(), &*stored.dropped[0].name),
        (1, "b")
    );
}
