//! CloudEvents 1.0 over HTTP, structured and binary.
//!
//! An event is the same as another if `source` and `id` are. Of the attributes, `type`, `subject`,
//! `time` and `datacontenttype` are kept; `source`, `dataschema` and extensions are not.
//!
//! Data that is JSON becomes the event's data. Data that is not goes out byte for byte, under its
//! own media type. An event without data has the data `null`.

mod batch;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::value::RawValue;

pub use self::batch::read_batch;
use super::checks::Checks;
use super::json::{self, Object};
use super::media::Media;
use super::problem::Problem;
use super::read::{Read, status_of};
use crate::endpoint::validate::pointer_part;
use crate::event::Form;
use crate::words::quoted;

const SOURCE_MAX_CHARS: usize = 2048;
const NULL: &[u8] = b"null";

/// The attributes, wherever they stood.
#[derive(Default)]
struct Attributes<'a> {
    specversion: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
}

/// A body with its media type, if it has one of its own, and its form.
type Payload = (Bytes, Option<String>, Form);

/// Whether the request is a CloudEvent in binary mode.
pub fn is_binary(headers: &HeaderMap) -> bool {
    ["ce-specversion", "ce-type", "ce-id"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// Reads an event whose attributes are in the headers.
pub fn read_binary(headers: &HeaderMap, body: &Bytes) -> Result<Read, Problem> {
    let mut checks = Checks::default();
    let mut get = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() {
            checks.add(name, format!("{name} is given twice; keep one of the two"));
        }
        let decoded = decode(value.as_bytes());
        if decoded.is_none() {
            checks.add(
                name,
                format!("{name} is not UTF-8 once it is percent-decoded"),
            );
        }
        decoded.map(Cow::Owned)
    };
    let attributes = Attributes {
        specversion: get("ce-specversion"),
        id: get("ce-id"),
        source: get("ce-source"),
        kind: get("ce-type"),
        subject: get("ce-subject"),
        time: get("ce-time"),
    };
    let media = Media::of(headers)?;
    if let Some(media) = media {
        checks.media("content-type", &media);
    }
    let payload = if body.is_empty() {
        (Bytes::from_static(NULL), None, Form::Data)
    } else if media.is_none_or(|media| media.is_json()) {
        // Without a media type it is JSON, by the specification.
        let value = json::check_value(body)?;
        (body.slice_ref(value.get().as_bytes()), None, Form::Data)
    } else {
        let text = media.map(|media| media.text.to_owned());
        (body.clone(), text, Form::Relayed)
    };
    attributes.into_event(checks, |name| format!("ce-{name}"), Some(payload))
}

/// Reads an event that is one JSON object.
pub fn read_structured(body: &Bytes) -> Result<Read, Problem> {
    let object = Object::parse(body)?;
    let mut checks = Checks::default();
    for (i, (key, _)) in object.0.iter().enumerate() {
        if object.0[..i].iter().any(|(before, _)| before == key) {
            let at = format!("/{}", pointer_part(key));
            checks.add(
                at,
                format!("{} is given twice; keep one of the two", quoted(key)),
            );
        }
    }
    let member = |name: &str| {
        let found = object.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| *value)
    };
    let mut text = |name: &str| checks.text(&format!("/{name}"), member(name));
    let attributes = Attributes {
        specversion: text("specversion"),
        id: text("id"),
        source: text("source"),
        kind: text("type"),
        subject: text("subject"),
        time: text("time"),
    };
    let media = text("datacontenttype");
    if let Some(media) = &media {
        checks.media("/datacontenttype", &Media::parse(media));
    }
    let payload = payload(
        &mut checks,
        body,
        media.as_deref(),
        member("data"),
        member("data_base64").filter(|raw| !json::is_null(raw)),
    );
    attributes.into_event(checks, |name| format!("/{name}"), payload)
}

fn payload(
    checks: &mut Checks,
    body: &Bytes,
    media: Option<&str>,
    data: Option<&RawValue>,
    data_base64: Option<&RawValue>,
) -> Option<Payload> {
    let is_json = media.is_none_or(|media| Media::parse(media).is_json());
    let relayed = |bytes: Bytes| (bytes, media.map(str::to_owned), Form::Relayed);
    match (data, data_base64) {
        (None, None) => Some((Bytes::from_static(NULL), None, Form::Data)),
        (Some(_), Some(_)) => {
            checks.add(
                "/data_base64",
                "data and data_base64 are both given; keep one of the two",
            );
            None
        }
        (Some(data), None) if is_json || json::is_null(data) => {
            Some((body.slice_ref(data.get().as_bytes()), None, Form::Data))
        }
        (Some(data), None) => {
            let text = checks.text("/data", Some(data))?;
            Some(relayed(Bytes::from(text.into_owned())))
        }
        (None, Some(encoded)) => {
            let text = checks.text("/data_base64", Some(encoded))?;
            let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
                checks.add("/data_base64", "data_base64 is not base64 with padding");
                return None;
            };
            let bytes = Bytes::from(bytes);
            if !is_json {
                return Some(relayed(bytes));
            }
            match json::check_value(&bytes) {
                Ok(value) => {
                    let value = bytes.slice_ref(value.get().as_bytes());
                    Some((value, None, Form::Data))
                }
                Err(_) => {
                    checks.add(
                        "/data_base64",
                        "data_base64 does not hold JSON; say in datacontenttype what it holds",
                    );
                    None
                }
            }
        }
    }
}

impl Attributes<'_> {
    fn into_event(
        self,
        mut checks: Checks,
        at: impl Fn(&str) -> String,
        payload: Option<Payload>,
    ) -> Result<Read, Problem> {
        match self.specversion.as_deref() {
            Some("1.0") => {}
            Some(_) => checks.add(
                at("specversion"),
                "specversion is not \"1.0\"; send that one",
            ),
            None => checks.missing(&at("specversion"), "send \"1.0\""),
        }
        for (name, value) in [
            ("id", &self.id),
            ("source", &self.source),
            ("type", &self.kind),
        ] {
            if value.is_none() {
                checks.missing(&at(name), "CloudEvents asks for it");
            }
        }
        if let Some(kind) = &self.kind {
            checks.kind(&at("type"), kind);
        }
        if let Some(id) = &self.id {
            checks.key(&at("id"), id);
        }
        if let Some(source) = &self.source {
            checks.bounded(&at("source"), source, SOURCE_MAX_CHARS);
            checks.no_controls(&at("source"), source);
        }
        if let Some(subject) = &self.subject {
            checks.subject(&at("subject"), subject);
        }
        let time = self.time.as_ref();
        let time = time.and_then(|time| checks.time(&at("time"), time));
        let read = match (self.kind, self.id, self.source, payload) {
            (Some(kind), Some(id), Some(source), Some((body, content_type, form))) => Some(Read {
                kind: (&*kind).into(),
                subject: self.subject.map(Into::into),
                time,
                content_type,
                form,
                status: match form {
                    Form::Data => std::str::from_utf8(&body).ok().and_then(status_of),
                    Form::Relayed => None,
                },
                body,
                // Neither part holds a line break, so no two pairs look the same.
                idempotency_key: Some(format!("{source}\n{id}")),
            }),
            _ => None,
        };
        checks.done(read)
    }
}

/// A header's value as an attribute: quotation marks taken off, then percent-decoded once.
fn decode(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = match value {
        [b'"', inner @ .., b'"'] => {
            let mut unquoted = Vec::with_capacity(inner.len());
            let mut inner = inner.iter();
            while let Some(byte) = inner.next() {
                unquoted.push(if *byte == b'\\' {
                    *inner.next()?
                } else {
                    *byte
                });
            }
            Cow::Owned(unquoted)
        }
        plain => Cow::Borrowed(plain),
    };
    let mut rest: &[u8] = rest.to_mut();
    while let Some((byte, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *byte == b'%');
        let mut one = [0];
        if escape.is_some_and(|digits| hex::decode_to_slice(digits, &mut one).is_ok()) {
            bytes.push(one[0]);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "cloudevents_tests.rs"]
mod tests;
