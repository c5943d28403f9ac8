//! CloudEvents: structured, binary, and in batches.

use super::source::{Given, Intake};
use crate::inbound::cloudevents;
use crate::inbound::events::idempotency_key;
use crate::inbound::media::{self, Media};
use crate::inbound::problem::Problem;
use crate::inbound::read::Read;
use crate::words::quoted;

/// Reads a request. An `Idempotency-Key` counts more than the event's own id; for a batch, where it
/// could not tell one event from another, it does not count.
pub fn read(given: &Given<'_>) -> Result<Intake, Problem> {
    let media = Media::of(given.headers)?;
    let read = match media {
        Some(media) if media.is(media::CLOUDEVENTS) => {
            return Ok(Intake::List(cloudevents::read_batch(given.body)?));
        }
        Some(media) if media.is(media::CLOUDEVENT) => cloudevents::read_structured(given.body),
        _ if cloudevents::is_binary(given.headers) => {
            cloudevents::read_binary(given.headers, given.body)
        }
        _ => {
            let given = media.map_or("", |media| media.text);
            return Err(Problem::unsupported(format!(
                "the Content-Type {} without ce- headers is no CloudEvent; send \
                 application/cloudevents+json or application/cloudevents-batch+json, in UTF-8, or \
                 ce- headers",
                quoted(given)
            )));
        }
    }?;
    let key = idempotency_key(given.headers)?;
    Ok(Read {
        idempotency_key: key.or(read.idempotency_key),
        ..read
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::super::access::Access;
    use super::super::body::EVENTS_MAX;
    use super::super::source::Kind;
    use super::super::source::tests::{list, one, read, refused};
    use super::*;

    fn event(id: usize) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"t","data":{{"a": {id}}}}}"#
        )
    }

    fn take(
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Intake, super::super::refusal::Refusal> {
        read(
            &Kind::Cloudevents(Access::default()),
            headers,
            body.as_bytes(),
        )
    }

    const BATCH: [(&str, &str); 1] = [("content-type", media::CLOUDEVENTS)];

    #[test]
    fn one_event_in_either_mode_or_in_a_batch_is_the_same_event() {
        let structured = one(take(&[("content-type", media::CLOUDEVENT)], &event(7)));
        let ce = [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "7"),
            ("ce-source", "/s"),
            ("ce-type", "t"),
        ];
        let binary = one(take(&ce, r#"{"a": 7}"#));
        let both = list(take(&BATCH, &format!("[{}, {}]", event(7), event(8))));
        for same in [&binary, &both[0]] {
            assert_eq!(same.body, structured.body);
            assert_eq!(same.idempotency_key, structured.idempotency_key);
        }
        assert_eq!(both[1].body, r#"{"a": 8}"#);
        assert_ne!(both[1].idempotency_key, structured.idempotency_key);
        let keyed = [ce.as_slice(), &[("idempotency-key", "k")]].concat();
        let keyed = one(take(&keyed, r#"{"a": 7}"#));
        assert_eq!(keyed.idempotency_key.as_deref(), Some("k"));
    }

    #[test]
    fn a_batch_is_taken_whole_or_not_at_all_and_tells_which_event_is_wrong() {
        assert!(list(take(&BATCH, "[]")).is_empty());
        let wrong = take(&BATCH, &format!("[{},{{}}]", event(1))).unwrap_err();
        assert_eq!(wrong.problem.status.as_u16(), 422);
        assert!(
            wrong
                .problem
                .errors
                .iter()
                .any(|error| error.at == "/1/type")
        );
        assert_eq!(refused(take(&BATCH, "[1]")), (422, "invalid"));
        assert_eq!(refused(take(&BATCH, &event(1))), (422, "invalid"));
        assert_eq!(refused(take(&BATCH, "{")), (400, "malformed"));
        let many: Vec<_> = (0..=EVENTS_MAX).map(event).collect();
        let of = |count: usize| take(&BATCH, &format!("[{}]", many[..count].join(",")));
        assert_eq!(list(of(EVENTS_MAX)).len(), EVENTS_MAX);
        assert_eq!(refused(of(EVENTS_MAX + 1)), (413, "too_large"));
    }

    #[test]
    fn what_is_no_cloudevent_is_not_taken() {
        let json = [("content-type", "application/json")];
        assert_eq!(refused(take(&json, &event(1))), (415, "unsupported"));
        assert_eq!(refused(take(&[], &event(1))), (415, "unsupported"));
    }
}
