//! Requests of eSputnik: lists of activities, with HTTP Basic at most.

use bytes::Bytes;

use super::access::Access;
use super::body::{EVENTS_MAX, json, kind, relayed, too_many};
use super::source::{Given, Intake};
use crate::event::Form;
use crate::inbound::json::each;
use crate::inbound::problem::Problem;
use crate::inbound::read::Read;
use crate::vendor::Fingerprint;
use crate::vendor::esputnik::Activity;

/// What a source of eSputnik is told.
#[derive(Clone, Debug, Default)]
pub struct Esputnik {
    /// What senders must show (ESP-04).
    pub access: Access,
    /// Whether each activity becomes an event of its own. Else a request stays one event, its bytes
    /// as they came.
    pub split: bool,
}

impl Esputnik {
    /// Reads a list of activities, or one by itself. An empty list is no event: nothing happened,
    /// and a refusal would hold up all that comes behind it (ESP-16).
    pub fn read(&self, given: &Given<'_>) -> Result<Intake, Problem> {
        let content_type = json(given.headers)?;
        match self.split {
            true => Ok(Intake::List(apart(given.body)?)),
            false => Ok(whole(given.body)?.map_or(Intake::List(Vec::new()), |read| {
                Read {
                    content_type: Some(content_type),
                    ..read
                }
                .into()
            })),
        }
    }
}

/// Calls `take` with each activity, up to `max` of them, and its own bytes; says how many there are.
fn activities<'a>(
    body: &'a [u8],
    max: usize,
    take: &mut dyn FnMut(Activity, &'a str),
) -> Result<usize, Problem> {
    let (mut count, mut stranger) = (0_usize, None);
    each(body, &mut |element| {
        if count < max {
            match Activity::read(element.get().as_bytes()) {
                Some(activity) => take(activity, element.get()),
                None => stranger = stranger.or(Some(count)),
            }
        }
        count += 1;
    })?;
    match stranger {
        Some(index) => Err(Problem::field(
            format!("/{index}"),
            "the activity is not an object in which each member stands once",
        )),
        None => Ok(count),
    }
}

/// One event, known by all of its activities together; by none where one has no id.
fn whole(body: &Bytes) -> Result<Option<Read>, Problem> {
    let mut fingerprint = Fingerprint::default();
    let mut first = None;
    let mut all_known = true;
    activities(body, usize::MAX, &mut |activity, _| {
        all_known &= activity.identify(&mut fingerprint);
        first.get_or_insert(activity.status);
    })?;
    Ok(first.map(|status| Read {
        status: status.as_deref().map(Into::into),
        idempotency_key: all_known.then(|| fingerprint.finish()),
        ..relayed(kind(status.as_deref()), None, body)
    }))
}

/// Each activity by itself, its bytes as they came.
fn apart(body: &Bytes) -> Result<Vec<Read>, Problem> {
    let mut found = Vec::new();
    let count = activities(body, EVENTS_MAX, &mut |activity, json| {
        let status = activity.status.as_deref();
        found.push(Read {
            form: Form::Data,
            status: status.map(Into::into),
            idempotency_key: activity.repeat_key(),
            ..relayed(kind(status), None, &body.slice_ref(json.as_bytes()))
        });
    })?;
    match count > EVENTS_MAX {
        true => Err(too_many()),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::source::Kind;
    use super::super::source::tests::{list, one, read, refused};
    use super::*;

    const BULK: &[u8] = include_bytes!("../../../tests/fixtures/payloads/esputnik_bulk.json");

    fn take(split: bool, body: &[u8]) -> Result<Intake, super::super::refusal::Refusal> {
        let esputnik = Esputnik {
            split,
            ..Esputnik::default()
        };
        read(&Kind::Esputnik(esputnik), &[], body)
    }

    #[test]
    fn esp_40_a_list_kept_whole_is_one_event_with_its_bytes_and_the_first_status() {
        let event = one(take(false, BULK));
        assert_eq!((&event.body[..], event.form), (BULK, Form::Relayed));
        assert_eq!(
            (&*event.kind, event.status.as_deref()),
            ("DELIVERED", Some("DELIVERED"))
        );
        assert_eq!(event.content_type.as_deref(), Some("application/json"));
        let again = one(take(false, BULK)).idempotency_key;
        assert!(again.is_some());
        assert_eq!(event.idempotency_key, again);
    }

    #[test]
    fn esp_40_a_list_taken_apart_is_its_activities_with_their_own_bytes() {
        let events = list(take(true, BULK));
        let bodies: Vec<&[u8]> = events.iter().map(|event| &event.body[..]).collect();
        let mut expected = Vec::new();
        each(BULK, &mut |element| expected.push(element.get().as_bytes())).unwrap();
        assert_eq!(bodies, expected);
        assert_eq!(events.len(), 4);
        for event in &events {
            assert_eq!(event.form, Form::Data);
            assert_eq!(event.status.as_deref(), Some(&*event.kind));
        }
        let alone = list(take(true, bodies[0]));
        assert_eq!(alone.len(), 1);
        assert_eq!(alone[0].idempotency_key, events[0].idempotency_key);
    }

    #[test]
    fn esp_39_activities_that_share_an_iid_are_told_apart_by_status_and_time() {
        let events = list(take(true, BULK));
        let mut keys: Vec<_> = events.iter().map(|event| &event.idempotency_key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4);
        assert!(keys.iter().all(|key| key.is_some()));
        let key = |activity: serde_json::Value| {
            let events = list(take(true, activity.to_string().as_bytes()));
            events[0].idempotency_key.clone()
        };
        let first = key(json!({"iid": "a", "activityStatus": "READ", "activityDateTime": "t"}));
        for other in [
            json!({"iid": "b", "activityStatus": "READ", "activityDateTime": "t"}),
            json!({"iid": "a", "activityStatus": "SPAM", "activityDateTime": "t"}),
            json!({"iid": "a", "activityStatus": "READ", "activityDateTime": "u"}),
            json!({"iid": "a"}),
        ] {
            assert_ne!(first, key(other));
        }
        assert_eq!(key(json!({"activityStatus": "READ"})), None);
        assert_eq!(key(json!({"iid": null, "activityStatus": "READ"})), None);
    }

    #[test]
    fn a_list_in_which_one_activity_has_no_iid_is_recognised_by_nothing() {
        let some = br#"[{"iid":"a","activityStatus":"READ"},{"activityStatus":"READ"}]"#;
        assert_eq!(one(take(false, some)).idempotency_key, None);
        let keys = list(take(true, some));
        assert!(keys[0].idempotency_key.is_some() && keys[1].idempotency_key.is_none());
    }

    #[test]
    fn an_empty_list_is_no_event_and_an_activity_without_a_status_is_unknown() {
        for split in [true, false] {
            assert!(list(take(split, b" [ ] ")).is_empty());
        }
        let event = one(take(false, b"{}"));
        assert_eq!((&*event.kind, event.status), ("unknown", None));
    }

    #[test]
    fn what_is_no_list_of_objects_is_refused_as_a_whole_and_so_is_one_that_is_too_long() {
        for split in [true, false] {
            for body in ["", "[", "[{}", "[{},]", "[{}] []"] {
                assert_eq!(
                    refused(take(split, body.as_bytes())),
                    (400, "malformed"),
                    "{body}"
                );
            }
            for body in [
                "1",
                "[1]",
                "[{},[\"READ\"]]",
                "\"a\"",
                r#"{"iid":1,"iid":2}"#,
            ] {
                assert_eq!(
                    refused(take(split, body.as_bytes())),
                    (422, "invalid"),
                    "{body}"
                );
            }
        }
        let of = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(
            list(take(true, of(EVENTS_MAX).as_bytes())).len(),
            EVENTS_MAX
        );
        let long = of(EVENTS_MAX + 1);
        assert_eq!(refused(take(true, long.as_bytes())), (413, "too_large"));
        assert!(take(false, long.as_bytes()).is_ok());
    }
}
