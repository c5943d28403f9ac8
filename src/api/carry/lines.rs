//! Events as lines of JSON: how they leave one store and come into another. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::event::{Event, Form, NewEvent};
use crate::inbound::checks::Checks;
use crate::inbound::json;
use crate::inbound::media::Media;
use crate::inbound::problem::Problem;

/// What the first line says, and by which version of this form.
pub const HEADER: &str = r#"{"redeliver_export":1}"#;

/// The version that the first line names.
pub const VERSION: u32 = 1;

/// What an imported event's idempotency key begins with; its first id follows, however often it is
/// carried on.
const KEY_PREFIX: &str = "import:";

/// A name that no source has is longer than this.
const SOURCE_MAX: usize = 1024;

/// The first line.
#[derive(Debug, Deserialize)]
pub struct Header {
    /// The version of the lines behind it.
    pub redeliver_export: u32,
}

/// A line. Unknown members are passed over, so that a later version can add some.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    seq: u64,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow, default)]
    received_at: Cow<'a, str>,
    #[serde(borrow)]
    content_type: Cow<'a, str>,
    #[serde(borrow)]
    form: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
}

/// The line of an event, without its end. The body stands in `data` if it is JSON that fits one line
/// byte for byte, and else in `body_base64`.
pub fn write(event: &Event) -> String {
    let content = &event.content;
    let body = std::str::from_utf8(&content.body).ok();
    let fits = |raw: &&RawValue| {
        let text = raw.get();
        text.len() == content.body.len() && text != "null" && !text.contains(['\n', '\r'])
    };
    let is_json = Media::parse(&content.content_type).is_json();
    let raw = body.filter(|_| is_json && json::check_value(&content.body).is_ok());
    let raw = raw.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let data = raw.filter(fits);
    let key = content.idempotency_key.as_deref();
    let first_id = key.and_then(|key| key.strip_prefix(KEY_PREFIX));
    let line = Line {
        id: first_id.map_or_else(|| event.id.to_string().into(), Cow::from),
        seq: event.seq,
        source: (&*content.source).into(),
        kind: (&*content.kind).into(),
        subject: content.subject.as_deref().map(Cow::from),
        time: event.time().to_string().into(),
        received_at: event.received_at.to_string().into(),
        content_type: (&*content.content_type).into(),
        form: match content.form {
            Form::Data => "data".into(),
            Form::Relayed => "relayed".into(),
        },
        status: content.status.as_deref().map(Cow::from),
        data,
        body_base64: data
            .is_none()
            .then(|| STANDARD.encode(&content.body).into()),
    };
    // Texts and numbers alone: there is no value that JSON has no form for.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The event of a line.
///
/// # Errors
/// 422 with every mistake; 400 if the line is no such object at all.
pub fn read(text: &str) -> Result<NewEvent, Problem> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| {
        // Serde's own text may repeat the value.
        let column = error.column();
        Problem::malformed(format!(
            "the line is not an event as `redeliver store export` writes it (at column {column})"
        ))
    })?;
    let mut checks = Checks::default();
    checks.bounded("/id", &line.id, 128);
    checks.bounded("/source", &line.source, SOURCE_MAX);
    checks.no_controls("/source", &line.source);
    checks.kind("/type", &line.kind);
    if let Some(subject) = &line.subject {
        checks.subject("/subject", subject);
    }
    let time: Option<Timestamp> = checks.time("/time", &line.time);
    checks.media("/content_type", &Media::parse(&line.content_type));
    let form = match &*line.form {
        "data" => Form::Data,
        "relayed" => Form::Relayed,
        _ => {
            checks.add("/form", "form is neither \"data\" nor \"relayed\"");
            Form::Relayed
        }
    };
    let body = match (line.data, &line.body_base64) {
        (Some(data), None) => Some(data.get().as_bytes().to_vec()),
        (None, Some(text)) => STANDARD.decode(&**text).ok(),
        _ => None,
    };
    if body.is_none() {
        checks.add(
            "/data",
            "give the body as data or, in base64, as body_base64",
        );
    }
    let body = body.unwrap_or_default();
    if form == Form::Data && json::check_value(&body).is_err() {
        checks.add("/body_base64", "form is \"data\", and the body is not JSON");
    }
    checks.done(Some(NewEvent {
        source: (&*line.source).into(),
        kind: (&*line.kind).into(),
        subject: line.subject.map(Cow::into_owned),
        time,
        content_type: (&*line.content_type).into(),
        form,
        body: body.into(),
        status: line.status.map(|status| Arc::from(&*status)),
        idempotency_key: Some(format!("{KEY_PREFIX}{}", line.id)),
    }))
}
