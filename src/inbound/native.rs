//! The native form of an event: `{"type", "data", "id"?, "subject"?, "time"?}`.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::checks::Checks;
use super::json::Object;
use super::problem::Problem;
use super::read::{Read, status_of};
use crate::endpoint::validate::pointer_part;
use crate::event::Form;
use crate::words::{mend, quoted};

const MEMBERS: [&str; 5] = ["type", "data", "id", "subject", "time"];

/// Reads an event. `data` stays the bytes that it was, members given twice inside it included.
pub fn read(body: &Bytes) -> Result<Read, Problem> {
    let object = Object::parse(body)?;
    let mut checks = Checks::default();
    let mut found: [Option<&RawValue>; MEMBERS.len()] = [None; MEMBERS.len()];
    for (key, value) in &object.0 {
        let at = || format!("/{}", pointer_part(key));
        match MEMBERS.iter().position(|member| member == key) {
            Some(i) if found[i].is_some() => checks.add(
                at(),
                format!("{} is given twice; keep one of the two", quoted(key)),
            ),
            Some(i) => found[i] = Some(value),
            None => checks.add(
                at(),
                format!("unknown field {}; {}", quoted(key), mend(key, MEMBERS)),
            ),
        }
    }
    let [kind, data, id, subject, time] = found;
    let kind = checks.text("/type", kind);
    match &kind {
        Some(kind) => checks.own_kind("/type", kind),
        None if found[0].is_none_or(super::json::is_null) => {
            checks.missing("/type", "say what happened, for example \"order.paid\"");
        }
        None => {}
    }
    if data.is_none() {
        checks.missing("/data", "give any JSON value; null if there is none");
    }
    let id = checks.text("/id", id);
    if let Some(id) = &id {
        checks.key("/id", id);
    }
    let subject = checks.text("/subject", subject);
    if let Some(subject) = &subject {
        checks.subject("/subject", subject);
    }
    let time = checks.text("/time", time);
    let time = time.and_then(|time| checks.time("/time", &time));
    let read = kind.zip(data).map(|(kind, data)| Read {
        kind: (&*kind).into(),
        subject: subject.map(Into::into),
        time,
        content_type: None,
        form: Form::Data,
        status: status_of(data.get()),
        body: body.slice_ref(data.get().as_bytes()),
        idempotency_key: id.map(Into::into),
    });
    checks.done(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Read, Problem> {
        super::read(&Bytes::copy_from_slice(json.as_bytes()))
    }

    #[test]
    fn data_stays_the_bytes_that_it_was() {
        let data = r#"{ "b":1.50 ,"a":"\u00e9","b":2e400}"#;
        let event = read(&format!(r#"{{"type":"t","data": {data} }}"#)).unwrap();
        assert_eq!(event.body, data);
        assert_eq!(read(r#"{"type":"t","data":null}"#).unwrap().body, "null");
    }

    #[test]
    fn the_activity_status_is_found_in_data() {
        let event = read(r#"{"type":"t","data":{"activityStatus":"READ"}}"#).unwrap();
        assert_eq!(event.status.as_deref(), Some("READ"));
        assert_eq!(read(r#"{"type":"t","data":1}"#).unwrap().status, None);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let long = "x".repeat(1025);
        let problem = read(&format!(
            r#"{{"type":"a\u0007b","id":7,"id":"x","subject":"{long}","time":"now","subjct":1}}"#
        ))
        .unwrap_err();
        let errors: Vec<_> = problem
            .errors
            .iter()
            .map(|error| (error.at.as_str(), error.detail.as_str()))
            .collect();
        assert_eq!(
            errors,
            [
                ("/id", "\"id\" is given twice; keep one of the two"),
                (
                    "/subjct",
                    "unknown field \"subjct\"; did you mean \"subject\"?"
                ),
                ("/type", "type has a control character; take it out"),
                (
                    "/data",
                    "data is missing; give any JSON value; null if there is none"
                ),
                ("/id", "id is not a text; write it in quotation marks"),
                ("/subject", "subject has 1025 characters; give 1 to 1024"),
                (
                    "/time",
                    "`now` is not an RFC 3339 time such as 2026-01-31T09:30:00Z"
                ),
            ]
        );
    }

    #[test]
    fn a_type_is_one_that_a_filter_can_name() {
        let places = |kind: &str| {
            let read = read(&format!(r#"{{"type":"{kind}","data":1}}"#));
            read.err().map(|problem| problem.errors[0].at.clone())
        };
        for kind in ["a,b", "order.*", "*", " ", " a", "a\u{a0}"] {
            assert_eq!(places(kind).as_deref(), Some("/type"), "{kind:?}");
        }
        for kind in ["order.paid", "Order paid", "a/b:c-d_e", "é"] {
            assert_eq!(places(kind), None, "{kind:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters_up_to_their_bounds() {
        let with = |kind: &str| read(&format!(r#"{{"type":"{kind}","data":1}}"#));
        assert!(with(&"é".repeat(255)).is_ok());
        assert!(with(&"é".repeat(256)).is_err());
        assert!(with("").is_err());
    }
}
