//! HTTP archives (HAR 1.2), as browsers and proxies export them. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::recorded::{Found, Named, Recorded};

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    #[serde(default)]
    headers: Vec<Named>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
    // No part of the format, but proxies need it for bodies that are no text.
    #[serde(alias = "_encoding")]
    encoding: Option<String>,
}

/// The requests with a body, in the order of their times.
pub(super) fn parse(log: &RawValue) -> Result<Found, String> {
    let log: Log = serde_json::from_str(log.get())
        .map_err(|error| format!("is no HTTP archive: log: {error}"))?;
    let (mut found, mut left_out) = (Vec::new(), 0);
    for (n, entry) in log.entries.into_iter().enumerate() {
        let request = one(entry).map_err(|error| format!("log.entries[{n}]: {error}"))?;
        match request {
            Some(request) => found.push(request),
            None => left_out += 1,
        }
    }
    // Browsers write the entries as answers come. Stable: without times the order stays.
    if found.iter().all(|request| request.at.is_some()) {
        found.sort_by_key(|request| request.at);
    }
    Ok((found, left_out))
}

fn one(entry: Entry) -> Result<Option<Recorded>, String> {
    let request = entry.request;
    let Some(PostData {
        mime_type,
        text: Some(text),
        encoding,
    }) = request.post_data
    else {
        return Ok(None);
    };
    let body: Bytes = match encoding.as_deref() {
        Some("base64") => {
            let bytes = STANDARD.decode(text);
            bytes
                .map_err(|_| "its postData.text is not base64".to_owned())?
                .into()
        }
        None | Some("") => text.into(),
        Some(other) => {
            let other = crate::words::quoted(other);
            return Err(format!(
                "its postData has the encoding {other}; base64 is known"
            ));
        }
    };
    let mut headers: Vec<_> = request
        .headers
        .into_iter()
        .map(|one| (one.name, one.value))
        .collect();
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    headers.extend(
        mime_type
            .filter(|media| !has_type && !media.is_empty())
            .map(|media| ("content-type".to_owned(), media)),
    );
    let at = entry.started_date_time;
    Recorded::new(&request.method, headers, body, at.as_deref()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::recorded::parse;

    #[test]
    fn an_archive_is_read_in_the_order_of_its_times_with_bodies_of_either_kind() {
        let har = r#"{"log":{"version":"1.2","entries":[
            {"startedDateTime":"2026-01-31T09:30:02.000+01:00","request":{"method":"POST","url":"https://x/hook",
             "headers":[{"name":"Content-Type","value":"application/json"},{"name":":authority","value":"x"}],
             "postData":{"mimeType":"text/x","text":"{\"n\":2}"}}},
            {"startedDateTime":"2026-01-31T08:30:01Z","request":{"method":"POST","url":"https://x/hook","headers":[],
             "postData":{"mimeType":"text/plain","text":"/wA=","encoding":"base64"}}},
            {"startedDateTime":"2026-01-31T08:30:00Z","request":{"method":"GET","url":"https://x/","headers":[]}}]}}"#;
        let (found, left_out) = parse(har).unwrap();
        assert_eq!((found.len(), left_out), (2, 1));
        assert_eq!(
            (&found[0].body[..], found[0].header("content-type")),
            (&b"\xff\0"[..], Some("text/plain"))
        );
        assert_eq!(found[1].body, "{\"n\":2}");
        assert_eq!(
            found[1].headers,
            [("content-type".to_owned(), "application/json".to_owned())]
        );
    }

    #[test]
    fn a_broken_archive_is_told_with_its_place() {
        for (entries, told) in [
            ("7", "is no HTTP archive: log: "),
            (
                r#"[{"request":{"method":"POST","postData":{"text":"?","encoding":"base64"}}}]"#,
                "log.entries[0]: its postData.text is not base64",
            ),
            (
                r#"[{"request":{"method":"POST","postData":{"text":"x","encoding":"gzip"}}}]"#,
                "log.entries[0]: its postData has the encoding \"gzip\"",
            ),
        ] {
            let error = parse(&format!(r#"{{"log":{{"entries":{entries}}}}}"#)).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
