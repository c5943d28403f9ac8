//! From a payload to an event: wrapped by the profile at each attempt, or, where the body must be
//! just this, relayed byte for byte.

use bytes::Bytes;

use super::wish::Overrides;
use crate::clock::Timestamp;
use crate::event::{Form, NewEvent};
use crate::inbound::media;
use crate::inbound::relay::body::kind;
use crate::sample::{Document, esputnik};
use crate::vendor::{self, Profile};

/// Whose events they are.
const SOURCE: &str = "mock";

/// A payload of Standard Webhooks, as the profile makes it.
pub(super) fn standard(kind: &str, data: Document, at: Timestamp) -> Document {
    Document::object([
        ("type", kind.into()),
        ("timestamp", at.to_string().into()),
        ("data", data),
    ])
}

/// Hotjar renews the timestamp at each attempt (A-03), which a payload must allow: of version 1,
/// with the four members and no others (HOT-06 to HOT-09).
pub(super) fn of_hotjar(payload: &Document, overrides: &Overrides) -> NewEvent {
    let is_first = payload.get("version") == Some(&1.into());
    let members = ["event", "version", "timestamp", "data"];
    wrapped(
        payload,
        "event",
        &members,
        &["event", "data"],
        overrides,
        is_first,
    )
}

/// The event's time stays, and goes into the payload (X-21).
pub(super) fn of_standard(payload: &Document, overrides: &Overrides) -> NewEvent {
    let members = ["type", "timestamp", "data"];
    wrapped(
        payload,
        "type",
        &members,
        &["type", "data"],
        overrides,
        true,
    )
}

/// One activity, or an array of them: the profile makes an array of either (A-19).
pub(super) fn of_esputnik(payload: &Document) -> NewEvent {
    let body = payload.to_json();
    let status = vendor::esputnik::activity_status(body.as_bytes());
    NewEvent {
        status: status.map(Into::into),
        ..event(esputnik::ACTIVITY, Form::Data, body)
    }
}

/// These bytes as they are, as an event of what they say that they are.
pub fn raw(content_type: &str, vendor: Profile, body: Bytes) -> NewEvent {
    let read = Document::parse(&String::from_utf8_lossy(&body)).ok();
    let named = |member| read.as_ref()?.get(member)?.text();
    let (called, status) = match vendor {
        Profile::Hotjar => (kind(named("event").as_deref()), None),
        Profile::Standard => (kind(named("type").as_deref()), None),
        Profile::Esputnik => {
            let status = vendor::esputnik::activity_status(&body);
            (esputnik::ACTIVITY.into(), status)
        }
    };
    NewEvent {
        content_type: content_type.into(),
        status: status.map(Into::into),
        body,
        ..event(&called, Form::Relayed, String::new())
    }
}

fn wrapped(
    payload: &Document,
    name: &str,
    members: &[&str],
    free: &[&str],
    overrides: &Overrides,
    may_be_wrapped: bool,
) -> NewEvent {
    let named = payload.get(name).and_then(Document::text);
    // What no event can be called goes out in the body alone.
    let called = kind(named.as_deref());
    let fits = may_be_wrapped
        && named.as_deref() == Some(&*called)
        && payload.names().count() == members.len()
        && members.iter().all(|member| payload.get(member).is_some());
    let is_free = |member: &str| free.contains(&member);
    let is_touched = overrides.members().any(|path| !is_free(path.first()));
    match payload.get("data") {
        Some(data) if fits && !is_touched => event(&called, Form::Data, data.to_json()),
        _ => event(&called, Form::Relayed, payload.to_json()),
    }
}

fn event(kind: &str, form: Form, body: String) -> NewEvent {
    NewEvent {
        source: SOURCE.into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: media::JSON.into(),
        form,
        body: body.into(),
        status: None,
        idempotency_key: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::wish::Assignment;
    use crate::sample::hotjar;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn made(set: &[&str], remove: &[&str]) -> NewEvent {
        let assigned = set.iter().map(|text| text.parse().unwrap());
        let overrides = Overrides {
            set: assigned
                .map(|Assignment(path, value)| (path, value))
                .collect(),
            remove: remove.iter().map(|path| path.parse().unwrap()).collect(),
        };
        let mut payload = hotjar::payload("survey_response", hotjar::test_message(), AT);
        overrides.apply(&mut payload).unwrap();
        of_hotjar(&payload, &overrides)
    }

    #[test]
    fn a_03_a_payload_is_renewed_at_each_attempt_unless_an_override_fixes_it() {
        for (set, remove, form, kind) in [
            (&[][..], &[][..], Form::Data, "survey_response"),
            (&["data.sample=7"], &[], Form::Data, "survey_response"),
            (&["data=null"], &[], Form::Data, "survey_response"),
            (&["event=recording"], &[], Form::Data, "recording"),
            (&["version=1"], &[], Form::Relayed, "survey_response"),
            (&["version=2"], &[], Form::Relayed, "survey_response"),
            (
                &["timestamp=473385600"],
                &[],
                Form::Relayed,
                "survey_response",
            ),
            (&["extra=1"], &[], Form::Relayed, "survey_response"),
            (&["event=7"], &[], Form::Relayed, "unknown"),
            (&[], &["data"], Form::Relayed, "survey_response"),
            (&[], &["event"], Form::Relayed, "unknown"),
        ] {
            let event = made(set, remove);
            assert_eq!(
                (event.form, &*event.kind),
                (form, kind),
                "{set:?} {remove:?}"
            );
        }
        let fixed = made(&["timestamp=473385600"], &[]);
        assert_eq!(
            fixed.body,
            r#"{"event":"survey_response","version":1,"timestamp":473385600,"data":{"sample":"data"}}"#
        );
        assert_eq!(made(&[], &[]).body, r#"{"sample":"data"}"#);
    }
}
