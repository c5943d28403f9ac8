//! What is new, and what is known again.

use super::*;
use crate::event::{Form, NewEvent};
use crate::id::EventId;

fn data(new: &[New]) -> Vec<&str> {
    let each = new
        .iter()
        .map(|new| std::str::from_utf8(&new.data).unwrap());
    each.collect()
}

fn keep(memory: &mut Memory, new: Vec<New>) -> Vec<Event> {
    let events = new.iter().map(|new| Event {
        id: EventId::new(Timestamp::from_millis(0), 0, 0),
        seq: 0,
        received_at: Timestamp::from_millis(0),
        content: NewEvent {
            source: "z".into(),
            kind: new.kind.into(),
            subject: new.subject.clone(),
            time: new.time,
            content_type: "application/json".into(),
            form: Form::Data,
            body: new.data.clone(),
            status: None,
            idempotency_key: new.key.clone(),
        },
    });
    let events = events.collect();
    new.into_iter().for_each(|new| memory.remember(new.mark));
    events
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

const VISIT: &str = r#"{ "id":"v1","visited_at":"2026-02-07T10:30:00.000Z", "value_score":85}"#;

fn groups(text: &str) -> Vec<u8> {
    format!(r#"{{"success":true,"data":{{"error_groups":[{text}]}}}}"#).into_bytes()
}

#[test]
fn zrt_25_a_live_count_is_new_when_it_changes_and_tells_what_it_was() {
    let mut memory = Memory::default();
    let first = memory.live(3);
    assert_eq!(data(&first), [r#"{"visitors":3,"previous":null}"#]);
    assert_eq!(
        data(&memory.live(3)),
        data(&first),
        "not kept, so it comes again"
    );
    keep(&mut memory, first);
    assert_eq!(data(&memory.live(3)), [""; 0]);
    assert_eq!(data(&memory.live(0)), [r#"{"visitors":0,"previous":3}"#]);
}

#[test]
fn zrt_40_a_visit_is_new_once_and_another_visit_of_the_same_visitor_is_another() {
    let mut memory = Memory::default();
    let item = raw(VISIT);
    let visit = polled::visit(&item).unwrap();
    let new = memory.visit(&visit).unwrap();
    assert_eq!(&*new.data, VISIT.as_bytes(), "the bytes are unchanged");
    assert_eq!(new.subject.as_deref(), Some("v1"));
    assert_eq!(new.time.unwrap().to_string(), "2026-02-07T10:30:00.000Z");
    assert_eq!(
        new.key.as_deref(),
        Some("visitor:v1:2026-02-07T10:30:00.000Z")
    );
    memory.remember(new.mark);
    assert!(memory.visit(&visit).is_none());
    let later = raw(&VISIT.replace("10:30", "11:30"));
    assert!(memory.visit(&polled::visit(&later).unwrap()).is_some());
}

#[test]
fn an_id_of_any_length_has_a_key_that_fits_and_no_subject_that_does_not() {
    let item = raw(&format!(r#"{{"id":"{}"}}"#, "x".repeat(5000)));
    let new = Memory::default()
        .visit(&polled::visit(&item).unwrap())
        .unwrap();
    assert_eq!((new.subject, new.time), (None, None));
    assert!(new.key.unwrap().len() < KEY_MAX_CHARS);
}

#[test]
fn zrt_28_a_group_is_new_when_its_count_or_status_changes_even_back() {
    let mut memory = Memory::default();
    let told = |memory: &mut Memory, text: &str| {
        let body = groups(text);
        let new = memory.groups(&polled::groups(&body).unwrap());
        let told: Vec<_> = data(&new).into_iter().map(str::to_owned).collect();
        keep(memory, new);
        told
    };
    let (one, other) = (
        r#"{"id":"a","occurrence_count":1,"status":"open"}"#,
        r#"{"id":"b","occurrence_count":5}"#,
    );
    assert_eq!(
        told(&mut memory, &format!("{one},{other},{one}")),
        [one, other]
    );
    assert_eq!(told(&mut memory, &format!("{one},{other}")), [""; 0]);
    let solved = one.replace("open", "resolved");
    assert_eq!(told(&mut memory, &solved), [solved.as_str()]);
    assert_eq!(told(&mut memory, one), [one]);
    assert_eq!(
        told(&mut memory, &one.replace("1,", r#"1,"message":"m","#)),
        [""; 0]
    );
}

#[test]
fn what_is_in_the_log_is_known_again_the_newest_of_each() {
    let mut memory = Memory::default();
    let item = raw(VISIT);
    let visit = polled::visit(&item).unwrap();
    let (old, summary) = (
        raw(r#"{"total_visitors":1}"#),
        raw(r#"{"total_visitors":2}"#),
    );
    let mut log = Vec::new();
    for new in [
        memory.live(1),
        memory.summary(&old),
        vec![memory.visit(&visit).unwrap()],
    ] {
        log.extend(keep(&mut memory, new));
    }
    let body = groups(r#"{"id":"a","occurrence_count":1}"#);
    let now = groups(r#"{"id":"a","occurrence_count":2}"#);
    for body in [&body, &now] {
        let new = memory.groups(&polled::groups(body).unwrap());
        log.extend(keep(&mut memory, new));
    }
    for new in [memory.live(2), memory.summary(&summary)] {
        log.extend(keep(&mut memory, new));
    }
    let mut again = Memory::default();
    assert!(Resource::ALL.iter().all(|resource| !again.has(*resource)));
    log.iter().rev().for_each(|event| again.recall(event));
    assert!(Resource::ALL.iter().all(|resource| again.has(*resource)));
    assert_eq!(data(&again.live(2)), [""; 0]);
    assert_eq!(
        data(&again.summary(&raw(r#"{ "total_visitors": 2 }"#))),
        [""; 0]
    );
    assert_eq!(data(&again.summary(&old)), [old.get()]);
    assert!(again.visit(&visit).is_none());
    assert_eq!(data(&again.groups(&polled::groups(&now).unwrap())), [""; 0]);
    assert_eq!(again.groups(&polled::groups(&body).unwrap()).len(), 1);
}
