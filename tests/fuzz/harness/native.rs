//! The native form of an event: accepted or refused as its rules say, told again from the members
//! alone; the data's bytes stay what they were.

use bytes::Bytes;
use redeliver::clock::Timestamp;
use redeliver::inbound::json::{DEPTH_MAX, Object};
use redeliver::inbound::native;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::attributes;

/// The body of a request.
pub fn run(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let members = agrees_about_json(&body);
    let read = native::read(&body);
    let accepts = members.as_ref().is_some_and(|members| accepts(members));
    assert_eq!(read.is_ok(), accepts, "{read:?}");
    match (read, members) {
        (Ok(read), Some(members)) => {
            attributes::are_in_order(&read);
            let member = |name: &str| {
                let found = members.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| *value)
            };
            let text = |name: &str| member(name).and_then(as_text);
            assert_eq!(
                Some(read.body.as_ref()),
                member("data").map(|raw| raw.get().as_bytes())
            );
            let within = body.as_ptr_range();
            assert!(within.contains(&read.body.as_ptr()), "the bytes are shared");
            assert_eq!(Some(&*read.kind), text("type").as_deref());
            assert_eq!(read.idempotency_key, text("id"));
            assert_eq!(read.subject, text("subject"));
            assert_eq!(
                read.time,
                text("time").map(|t| Timestamp::parse(&t).unwrap())
            );
        }
        (Err(problem), _) => attributes::is_told(&problem),
        (Ok(_), None) => unreachable!("it is no JSON"),
    }
}

/// What is JSON for another reader is JSON here. That one refuses more: numbers that no double
/// holds, halves of surrogate pairs.
fn agrees_about_json(body: &Bytes) -> Option<Vec<(String, &RawValue)>> {
    let object = Object::parse(body);
    match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(map) => {
            if let Ok(object) = &object {
                let keys: std::collections::BTreeSet<_> =
                    object.0.iter().map(|(key, _)| key.to_string()).collect();
                assert!(keys.iter().eq(map.keys()), "{keys:?}");
            } else {
                let brackets = body.iter().filter(|b| matches!(b, b'[' | b'{')).count();
                let commas = body.iter().filter(|b| **b == b',').count();
                assert!(brackets > DEPTH_MAX || commas >= 256, "{object:?}");
            }
        }
        Err(error) => {
            // `serde_json` stops at a depth of its own, and where a text is no text.
            let syntax = error.is_syntax() || error.is_eof();
            let lenient = [
                "number out of range",
                "recursion limit",
                "surrogate",
                "hex escape",
            ];
            let told = error.to_string();
            if object.is_ok() {
                assert!(
                    !syntax || lenient.iter().any(|l| told.contains(l)),
                    "{told}"
                );
            }
        }
    }
    let object = object.ok()?;
    let members = object.0.into_iter();
    Some(members.map(|(key, raw)| (key.into_owned(), raw)).collect())
}

fn as_text(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<Option<String>>(raw.get()).unwrap()
}

fn accepts(members: &[(String, &RawValue)]) -> bool {
    let known = ["type", "data", "id", "subject", "time"];
    let once = |name: &str| members.iter().filter(|(key, _)| key == name).count() <= 1;
    let fits = |name: &str, rule: &dyn Fn(&str) -> bool| {
        members
            .iter()
            .filter(|(key, raw)| key == name && raw.get() != "null")
            .all(|(_, raw)| serde_json::from_str::<String>(raw.get()).is_ok_and(|t| rule(&t)))
    };
    let short = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    let plain = |text: &str| !text.chars().any(char::is_control);
    let nameable = |text: &str| !text.contains([',', '*']) && text.trim() == text;
    let given = |name: &str| members.iter().any(|(key, _)| key == name);
    let is_null = |name: &str| {
        members
            .iter()
            .any(|(k, raw)| k == name && raw.get() == "null")
    };
    members.iter().all(|(key, _)| known.contains(&key.as_str()))
        && known.iter().all(|name| once(name))
        && given("type")
        && !is_null("type")
        && given("data")
        && fits("type", &|text| {
            short(text, 255) && plain(text) && nameable(text)
        })
        && fits("id", &|text| short(text, 255) && plain(text))
        && fits("subject", &|text| short(text, 1024))
        && fits("time", &|text| Timestamp::parse(text).is_ok())
}
