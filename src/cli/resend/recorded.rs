//! A recorded request, as JSON lines and lists of events have it. Pure, but for reading the file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::har;
use crate::cli::{Failure, output};
use crate::clock::Timestamp;

/// A day of webhooks; more would have to be read piece by piece.
const FILE_MAX_BYTES: u64 = 256 << 20;

/// What belongs to the connection it was recorded on, or is computed anew from the body.
const OF_THE_CONNECTION: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
];

/// A request as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Its method.
    pub(super) method: String,
    /// Its headers with names in lower case, without those of the connection.
    pub(super) headers: Vec<(String, String)>,
    /// Its body.
    pub(super) body: Bytes,
    /// When it was sent, if the recording says.
    pub(super) at: Option<Timestamp>,
}

impl Recorded {
    /// A request with these headers.
    ///
    /// # Errors
    /// What no request can carry, in words.
    pub(super) fn new(
        method: &str,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Bytes,
        at: Option<&str>,
    ) -> Result<Self, String> {
        Method::from_bytes(method.as_bytes())
            .map_err(|_| "its method is none of HTTP".to_owned())?;
        let mut kept = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            // HTTP/2 writes its request line as headers.
            if name.starts_with(':') || OF_THE_CONNECTION.contains(&name.as_str()) {
                continue;
            }
            let fits = HeaderName::try_from(name.as_str()).is_ok()
                && HeaderValue::try_from(value.as_str()).is_ok();
            if !fits {
                // Its value may be a secret.
                return Err(format!(
                    "its header {} cannot be sent",
                    crate::words::quoted(&name)
                ));
            }
            kept.push((name, value));
        }
        if !kept.iter().any(|(name, _)| name == "content-type") {
            kept.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let at = at
            .map(Timestamp::parse)
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            method: method.to_owned(),
            headers: kept,
            body,
            at,
        })
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Puts a header in the place of those that have its name.
    pub(super) fn set_header(&mut self, name: &str, value: String) {
        self.headers.retain(|(given, _)| given != name);
        self.headers.push((name.to_owned(), value));
    }
}

/// Reads a file, or standard input.
pub(super) fn read_file(path: &Path) -> Result<Vec<Recorded>, Failure> {
    let refused = |what: String| Failure::Usage(format!("{}: {what}", path.display()));
    let mut text = String::new();
    let mut read = |from: &mut dyn Read| from.take(FILE_MAX_BYTES + 1).read_to_string(&mut text);
    let done = match path.as_os_str().as_encoded_bytes() {
        b"-" => read(&mut std::io::stdin().lock()),
        _ => std::fs::File::open(path).and_then(|mut file| read(&mut file)),
    };
    done.map_err(|error| refused(format!("cannot be read: {error}")))?;
    if text.len() as u64 > FILE_MAX_BYTES {
        return Err(refused(format!(
            "has more than {FILE_MAX_BYTES} bytes; split it"
        )));
    }
    let (found, left_out) = parse(&text).map_err(refused)?;
    if left_out > 0 {
        output::note(&format!(
            "{left_out} entries without a body to send are left out"
        ));
    }
    Ok(found)
}

/// Requests, and how many entries have none to be sent.
pub(super) type Found = (Vec<Recorded>, usize);

/// Reads whichever form `text` has.
pub(super) fn parse(text: &str) -> Result<Found, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(borrow)]
        log: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<Vec<&'a RawValue>>,
    }
    // JSON lines are no JSON document, unless there is one line.
    match serde_json::from_str::<Whole<'_>>(text) {
        Ok(Whole { log: Some(log), .. }) => har::parse(log),
        Ok(Whole {
            data: Some(events), ..
        }) => {
            let all = events.into_iter().enumerate();
            each(all.map(|(n, event)| (format!("event {}", n + 1), event.get())))
        }
        _ => {
            let lines = text.lines().enumerate();
            let lines = lines.filter(|(_, line)| !line.trim().is_empty());
            each(lines.map(|(n, line)| (format!("line {}", n + 1), line)))
        }
    }
}

fn each<'a>(all: impl Iterator<Item = (String, &'a str)>) -> Result<Found, String> {
    let (mut found, mut left_out) = (Vec::new(), 0);
    for (place, json) in all {
        match one(json).map_err(|error| format!("{place}: {error}"))? {
            Some(recorded) => found.push(recorded),
            None => left_out += 1,
        }
    }
    Ok((found, left_out))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    Map(BTreeMap<String, String>),
    Pairs(Vec<(String, String)>),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    method: Option<String>,
    headers: Option<Headers>,
    body: Option<String>,
    body_base64: Option<String>,
    at: Option<String>,
    // What an event of the log has.
    content_type: Option<String>,
    received_at: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// One request; none if there is no body to send.
fn one(json: &str) -> Result<Option<Recorded>, String> {
    let line: Line<'_> =
        serde_json::from_str(json).map_err(|error| format!("is no recorded request: {error}"))?;
    let body = match (line.body, line.body_base64, line.data) {
        (Some(_), Some(_), _) => return Err("has both body and body_base64; keep one".to_owned()),
        (Some(text), None, _) => Bytes::from(text),
        (None, Some(base64), _) => {
            let bytes = STANDARD.decode(base64);
            bytes
                .map_err(|_| "its body_base64 is not base64".to_owned())?
                .into()
        }
        (None, None, Some(data)) => Bytes::copy_from_slice(data.get().as_bytes()),
        (None, None, None) => return Ok(None),
    };
    let mut headers = match line.headers {
        None => Vec::new(),
        Some(Headers::Map(map)) => map.into_iter().collect(),
        Some(Headers::Pairs(pairs)) => pairs,
        Some(Headers::Named(all)) => all.into_iter().map(|one| (one.name, one.value)).collect(),
    };
    headers.extend(
        line.content_type
            .map(|media| ("content-type".to_owned(), media)),
    );
    let at = line.at.or(line.received_at);
    let method = line.method.as_deref().unwrap_or("POST");
    Recorded::new(method, headers, body, at.as_deref()).map(Some)
}

#[cfg(test)]
mod tests;
