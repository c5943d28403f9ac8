//! Relay intake: what a source makes of any body. Nothing is read that is not signed; what is read
//! is the sender's bytes, has a type and a key within their bounds, and is recognised again.

use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding;
use redeliver::event::Form;
use redeliver::inbound::read::Read;
use redeliver::inbound::relay::access::Access;
use redeliver::inbound::relay::body::EVENTS_MAX;
use redeliver::inbound::relay::esputnik::Esputnik;
use redeliver::inbound::relay::hotjar::Hotjar;
use redeliver::inbound::relay::refusal::Refusal;
use redeliver::inbound::relay::source::{Given, Intake, Kind};
use redeliver::inbound::relay::standard::Standard;
use redeliver::secret::Secret;
use redeliver::vendor::{hotjar, standard};
use serde_json::Value;

use super::attributes;

const KEY: &str = "fuzz-key";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: i64 = 1_700_000_000;
const FIVE_MINUTES: u64 = 300;

/// The first byte chooses the kind; the rest is the body.
pub fn run(input: &[u8]) {
    let Some((how, body)) = input.split_first() else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    match how % 5 {
        0 => of_hotjar(&body),
        1 => of_esputnik(&body),
        2 => of_standard(&body),
        3 => of_cloudevents(&body),
        _ => of_anybody(&body),
    }
}

fn read(kind: &Kind, headers: &[(&'static str, &str)], body: &Bytes) -> Result<Intake, Refusal> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect();
    kind.admit(&headers)?;
    kind.read(&Given {
        source: "fuzz",
        query: None,
        headers: &headers,
        body,
        now: Timestamp::from_millis(NOW * 1000),
    })
}

/// The events of an intake, each in order; none for one that is refused in words.
fn events(intake: Result<Intake, Refusal>) -> Option<Vec<Read>> {
    let events = match intake {
        Ok(Intake::One(read)) => vec![*read],
        Ok(Intake::List(reads)) => reads,
        Err(refusal) => {
            attributes::is_told(&refusal.problem);
            return None;
        }
    };
    assert!(events.len() <= EVENTS_MAX);
    for event in &events {
        let count = event.kind.chars().count();
        assert!((1..=255).contains(&count), "{event:?}");
        assert!(!event.kind.chars().any(char::is_control), "{event:?}");
        if event.form == Form::Data {
            attributes::are_in_order(event);
        }
    }
    Some(events)
}

/// The event of a body that is kept whole.
fn whole(intake: Result<Intake, Refusal>, body: &Bytes) -> Option<Read> {
    let event = events(intake)?.pop()?;
    assert_eq!((&event.body, event.form), (body, Form::Relayed));
    Some(event)
}

fn of_hotjar(body: &Bytes) {
    let source = |seconds: Option<u64>| {
        Kind::Hotjar(Hotjar {
            key: Secret::new(KEY),
            previous_keys: Vec::new(),
            key_encoding: TextEncoding::Utf8,
            signature_encoding: TextEncoding::Hex,
            max_age: seconds.map(Duration::from_secs),
        })
    };
    let signed = |key: &str| hotjar::sign(key.as_bytes(), body, TextEncoding::Hex).unwrap();
    for forged in [signed("another"), String::new(), "0".repeat(64)] {
        let refusal = read(&source(None), &[(hotjar::SIGNATURE_HEADER, &forged)], body);
        assert_eq!(refusal.unwrap_err().problem.status.as_u16(), 401);
    }
    let headers = [(hotjar::SIGNATURE_HEADER, &*signed(KEY))];
    let event = whole(read(&source(None), &headers, body), body);
    let timely = whole(read(&source(Some(FIVE_MINUTES)), &headers, body), body);
    let Some(event) = event else {
        return assert!(timely.is_none());
    };
    if let Some(time) = event.time {
        assert!((1..=NOW + 86_400).contains(&time.as_seconds()), "{event:?}");
    }
    // Another reader of the same text agrees, as far as it can hold the numbers.
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let near = |seconds: i64| seconds.abs_diff(NOW) <= FIVE_MINUTES;
    let made = value["timestamp"].as_i64();
    assert_eq!(timely.is_some(), made.is_some_and(near), "{value}");
    let name = value["event"].as_str().unwrap_or_default();
    assert!(*event.kind == *name || &*event.kind == "unknown");
    let id = &value["data"]["id"];
    if value["data"].is_object() && !id.is_number() && !id.is_string() {
        // Among members that stand twice the last one counts here, and none there.
        assert_eq!(event.idempotency_key, None, "{value}");
    }
}

fn of_esputnik(body: &Bytes) {
    let source = |split| {
        Kind::Esputnik(Esputnik {
            access: Access::default(),
            split,
        })
    };
    let kept = read(&source(false), &[], body);
    let is_empty = matches!(&kept, Ok(Intake::List(_)));
    let is_taken = kept.is_ok();
    let kept = whole(kept, body);
    let apart = events(read(&source(true), &[], body));
    let Some(apart) = apart else {
        // Only what is too long is taken whole and not apart.
        return assert!(!is_taken || body.len() > EVENTS_MAX);
    };
    assert!(is_taken);
    assert_eq!(is_empty, apart.is_empty());
    for activity in &apart {
        let text = std::str::from_utf8(&activity.body).unwrap();
        assert!(std::str::from_utf8(body).unwrap().contains(text));
        assert_eq!(activity.form, Form::Data);
    }
    if let Some(kept) = kept {
        let first = &apart[0];
        assert_eq!((&kept.kind, &kept.status), (&first.kind, &first.status));
        let all_known = apart.iter().all(|event| event.idempotency_key.is_some());
        assert_eq!(kept.idempotency_key.is_some(), all_known);
    }
}

fn of_standard(body: &Bytes) {
    let source = Kind::Standard(Standard {
        secret: Secret::new(SECRET),
        max_age: Some(Duration::from_secs(FIVE_MINUTES)),
    });
    let signature = standard::sign(SECRET, "msg_1", NOW, body).unwrap();
    let now = NOW.to_string();
    let mut headers = [
        (standard::ID_HEADER, "msg_1"),
        (standard::TIMESTAMP_HEADER, &*now),
        (standard::SIGNATURE_HEADER, &*signature),
    ];
    let event = whole(read(&source, &headers, body), body).expect("any body is taken");
    assert_eq!(event.idempotency_key.as_deref(), Some("msg_1"));
    headers[0].1 = "msg_2";
    let forged = read(&source, &headers, body).unwrap_err();
    assert_eq!(forged.problem.status.as_u16(), 401);
}

fn of_cloudevents(body: &Bytes) {
    let source = Kind::Cloudevents(Access::default());
    let alone = [(CONTENT_TYPE.as_str(), "")];
    assert!(read(&source, &alone, body).is_err());
    for media in [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ] {
        let found = read(&source, &[("content-type", media)], body);
        for event in events(found).unwrap_or_default() {
            attributes::are_in_order(&event);
            assert!(event.idempotency_key.is_some());
        }
    }
    // One in a batch is the one that it is alone.
    let list = Bytes::from([b"[", &body[..], b"]"].concat());
    let single = read(
        &source,
        &[("content-type", "application/cloudevents+json")],
        body,
    );
    let batch = [("content-type", "application/cloudevents-batch+json")];
    if let Some(single) = events(single)
        && let Some(of_batch) = events(read(&source, &batch, &list))
    {
        assert_eq!(of_batch.len(), 1);
        assert_eq!(of_batch[0].body, single[0].body);
        assert_eq!(of_batch[0].idempotency_key, single[0].idempotency_key);
    }
}

fn of_anybody(body: &Bytes) {
    let source = Kind::Raw(Access::default());
    let event = whole(read(&source, &[], body), body).expect("any body is taken");
    assert_eq!((&*event.kind, event.idempotency_key), ("fuzz", None));
}
