//! Both shapes of a body, and what is no body at all.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::event::{Form, NewEvent};
use crate::id::EventId;

fn event(kind: &str, subject: Option<&str>, body: &str) -> Event {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Event {
        id: EventId::new(at, 1, 0),
        seq: 1,
        received_at: at,
        content: NewEvent {
            source: Arc::from("api"),
            kind: Arc::from(kind),
            subject: subject.map(str::to_owned),
            time: None,
            content_type: Arc::from("application/json"),
            form: Form::Data,
            body: Bytes::copy_from_slice(body.as_bytes()),
            status: None,
            idempotency_key: None,
        },
    }
}

fn page(event: &Event) -> Page<'_> {
    match Facts::of(event).what {
        What::View(page) => *page,
        other => panic!("{other:?}"),
    }
}

fn who(event: &Event) -> Option<(String, bool)> {
    let who = Facts::of(event).who?;
    Some((who.name.into_owned(), who.known))
}

#[test]
fn the_attributes_of_a_native_event_are_its_body_and_its_visitor_the_subject() {
    let event = event(
        PAGE_VIEW,
        Some("ann"),
        r#" {"page_url": "/a\u00e9", "value_score": 85, "country_code": "CZ", "device": null, "os": {}, "browser": " "}"#,
    );
    let page = page(&event);
    assert_eq!(page.url.as_deref(), Some("/aé"));
    assert_eq!(page.score, Some(85.0));
    assert_eq!(page.country.as_deref(), Some("CZ"));
    assert_eq!((page.device, page.system, page.browser), (None, None, None));
    assert_eq!(who(&event), Some(("ann".into(), true)));
}

#[test]
fn the_attributes_of_a_zebline_document_are_its_event_data_and_its_visitor_its_own() {
    let document = |ids: &str| {
        let body = format!(
            r#"{{{ids}"eventName":"page_view","eventTime":"2020-01-01T00:00:00Z","eventData":{{"page_url":"/in"}},"page_url":"/out"}}"#
        );
        event(PAGE_VIEW, Some("subject"), &body)
    };
    let known = document(r#""userId":"u","anonymousId":"a","#);
    assert_eq!(page(&known).url.as_deref(), Some("/in"));
    assert_eq!(Facts::of(&known).at, known.received_at);
    assert_eq!(who(&known), Some(("u".into(), true)));
    let anonymous = document(r#""userId":null,"anonymousId":"a","#);
    assert_eq!(who(&anonymous), Some(("a".into(), false)));
    assert_eq!(who(&document("")), Some(("subject".into(), true)));
}

#[test]
fn a_body_that_has_a_user_but_no_event_data_is_a_native_one() {
    let body = r#"{"userId":"u","eventName":"page_view","eventData":[],"page_url":"/out"}"#;
    let event = event(PAGE_VIEW, None, body);
    assert_eq!(page(&event).url.as_deref(), Some("/out"));
    assert_eq!(who(&event), None);
}

#[test]
fn what_is_no_object_says_nothing_and_counts_all_the_same() {
    for body in ["", "null", "[\"/a\",\"/b\"]", "{", "\u{0}", "{\"page_url\""] {
        let event = event(PAGE_VIEW, None, body);
        assert_eq!(page(&event), Page::default(), "{body}");
    }
}

#[test]
fn an_error_has_a_message_and_a_type_and_anything_else_is_activity() {
    let error = event(
        ERROR,
        None,
        r#"{"message":"x is undefined","type":"TypeError"}"#,
    );
    let What::Failure { message, kind } = Facts::of(&error).what else {
        panic!("no error");
    };
    assert_eq!(message.as_deref(), Some("x is undefined"));
    assert_eq!(kind.as_deref(), Some("TypeError"));
    let click = event("click", Some("ann"), "{}");
    assert_eq!(Facts::of(&click).what, What::Activity);
}

#[test]
fn a_long_text_is_cut_between_two_characters() {
    let long = "é".repeat(TEXT_MAX_BYTES);
    let event = event(PAGE_VIEW, None, &format!(r#"{{"page_url":"a{long}"}}"#));
    assert_eq!(page(&event).url.unwrap().len(), TEXT_MAX_BYTES - 1);
}

proptest! {
    #[test]
    fn whatever_stands_in_a_body_is_read_without_a_panic(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        value in "[\"\\\\u0-9a-fA-F{}\\[\\],:. ]{0,40}",
    ) {
        for kind in [PAGE_VIEW, ERROR, "click"] {
            let text = format!(r#"{{"eventName":{value},"eventData":{{"page_url":{value}}},"value_score":{value},"message":{value}}}"#);
            let mut made = event(kind, Some(&value), &text);
            Facts::of(&made);
            made.content.body = Bytes::from(body.clone());
            Facts::of(&made);
        }
    }
}
