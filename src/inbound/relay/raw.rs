//! Any body of any media type.

use url::form_urlencoded;

use super::body::{media, relayed};
use super::source::{Given, Intake};
use crate::inbound::checks::Checks;
use crate::inbound::events::idempotency_key;
use crate::inbound::problem::Problem;
use crate::inbound::read::Read;

/// The header that says an event's type; it counts more than `?type=`.
pub const TYPE_HEADER: &str = "redeliver-event-type";
/// The parameter that says an event's type, for senders that cannot set a header. Others are the
/// sender's own business.
pub const TYPE_PARAMETER: &str = "type";

/// Reads a request; its bytes stay as they came.
pub fn read(given: &Given<'_>) -> Result<Intake, Problem> {
    let media = media(given.headers)?;
    let kind = kind(given)?;
    let key = idempotency_key(given.headers)?;
    Ok(Read {
        idempotency_key: key,
        ..relayed(
            (&*kind).into(),
            media.map(|media| media.text.to_owned()),
            given.body,
        )
    }
    .into())
}

/// The event's type: as the sender says, else the source's name.
fn kind(given: &Given<'_>) -> Result<String, Problem> {
    let mut checks = Checks::default();
    let mut in_header = given.headers.get_all(TYPE_HEADER).iter();
    let query = form_urlencoded::parse(given.query.unwrap_or_default().as_bytes());
    let mut in_query = query.filter(|(name, _)| name == TYPE_PARAMETER);
    let (at, kind, another) = if let Some(value) = in_header.next() {
        let kind = std::str::from_utf8(value.as_bytes()).ok();
        let kind = kind.map(str::to_owned);
        (TYPE_HEADER, kind, in_header.next().is_some())
    } else if let Some((_, value)) = in_query.next() {
        let another = in_query.next().is_some();
        ("?type", Some(value.into_owned()), another)
    } else {
        return Ok(given.source.to_owned());
    };
    if another {
        checks.add(at, format!("{at} is given twice; keep one of the two"));
    }
    match &kind {
        Some(kind) => checks.kind(at, kind),
        None => checks.add(at, format!("{at} is not UTF-8")),
    }
    checks.done(kind)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::clock::Timestamp;
    use crate::event::Form;

    fn take(
        query: Option<&str>,
        headers: &[(&'static str, &'static str)],
        body: &'static [u8],
    ) -> Result<Read, Problem> {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let headers: HeaderMap = headers.collect();
        let intake = read(&Given {
            source: "shop",
            query,
            headers: &headers,
            body: &Bytes::from_static(body),
            now: Timestamp::from_millis(0),
        })?;
        match intake {
            Intake::One(read) => Ok(*read),
            Intake::List(_) => panic!("one body is one event"),
        }
    }

    #[test]
    fn any_body_is_kept_with_its_media_type() {
        for (body, media) in [
            (&b""[..], "text/plain"),
            (b"\x00\xff\r\n", "image/png"),
            (b"{ \"a\":1}", "application/json; charset=latin1"),
        ] {
            let event = take(None, &[("content-type", media)], body).unwrap();
            assert_eq!((&event.body[..], event.form), (body, Form::Relayed));
            assert_eq!(event.content_type.as_deref(), Some(media));
        }
        assert_eq!(take(None, &[], b"a").unwrap().content_type, None);
        let unsound = take(None, &[("content-type", "nonsense")], b"a");
        assert_eq!(unsound.unwrap_err().status.as_u16(), 415);
    }

    #[test]
    fn the_header_says_the_type_then_the_query_and_then_the_sources_name() {
        let of =
            |query, headers: &[_]| take(query, headers, b"a").map(|read| read.kind.to_string());
        let header = [(TYPE_HEADER, "a.b")];
        assert_eq!(of(Some("type=c%20d"), &header), Ok("a.b".into()));
        assert_eq!(of(Some("x=1&type=c%20d"), &[]), Ok("c d".into()));
        assert_eq!(of(Some("x=1"), &[]), Ok("shop".into()));
        assert_eq!(of(None, &[]), Ok("shop".into()));
        for (query, headers) in [
            (Some("type="), &[][..]),
            (Some("type=a&type=b"), &[]),
            (Some("type=%00"), &[]),
            (None, &[(TYPE_HEADER, "a"), (TYPE_HEADER, "b")]),
            (None, &[(TYPE_HEADER, "")]),
        ] {
            let status = of(query, headers).unwrap_err().status.as_u16();
            assert_eq!(status, 422, "{query:?} {headers:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_honoured_and_checked() {
        let key =
            |key| take(None, &[("idempotency-key", key)], b"a").map(|read| read.idempotency_key);
        assert_eq!(key("k"), Ok(Some("k".into())));
        assert_eq!(key("").unwrap_err().status.as_u16(), 422);
        assert_eq!(take(None, &[], b"a").unwrap().idempotency_key, None);
    }
}
