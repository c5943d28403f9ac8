//! Media types.

use hyper::HeaderMap;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};

use super::problem::Problem;
use crate::words::quoted;

/// JSON.
pub const JSON: &str = "application/json";
/// One CloudEvent as JSON.
pub const CLOUDEVENT: &str = "application/cloudevents+json";
/// An array of them.
pub const CLOUDEVENTS: &str = "application/cloudevents-batch+json";
/// Bytes of which nothing is known.
pub const BINARY: &str = "application/octet-stream";

/// What goes out beside a body that is passed on.
const TEXT_MAX_BYTES: usize = 256;

/// A `Content-Type` in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// All of it.
    pub text: &'a str,
    /// Type and subtype, without parameters; compare without regard to case.
    pub essence: &'a str,
    /// The `charset` parameter.
    pub charset: Option<&'a str>,
}

impl<'a> Media<'a> {
    /// Takes a media type apart.
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| value.trim().trim_matches('"'))
        });
        Self {
            text: text.trim(),
            essence,
            charset,
        }
    }

    /// The request's media type; none if it does not say. A type that is given twice is as unclear
    /// as one that is no text: who reads on might read it as another.
    pub fn of(headers: &'a HeaderMap) -> Result<Option<Self>, Problem> {
        let mut given = headers.get_all(CONTENT_TYPE).iter();
        let Some(value) = given.next() else {
            return Ok(None);
        };
        if given.next().is_some() {
            return Err(Problem::unsupported(
                "Content-Type is given twice; keep one of the two",
            ));
        }
        match value.to_str() {
            Ok(text) => Ok(Some(Self::parse(text))),
            Err(_) => Err(Problem::unsupported(
                "the Content-Type is not ASCII text; send for example application/json",
            )),
        }
    }

    /// Whether a header can carry it and its reader can tell the type from the parameters.
    pub fn is_sound(&self) -> bool {
        let is_token = |part: &str| {
            let symbol = |b: u8| b"!#$%&'*+-.^_`|~".contains(&b);
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || symbol(b))
        };
        let (class, subtype) = self.essence.split_once('/').unwrap_or_default();
        is_token(class)
            && is_token(subtype)
            && self.text.len() <= TEXT_MAX_BYTES
            && self.text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    }

    /// Whether it is `essence`, with a charset that is UTF-8 or not given.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence) && self.is_utf8()
    }

    /// Whether its content is JSON: `application/json`, `text/json` or `…+json`.
    pub fn is_json(&self) -> bool {
        let (class, subtype) = self.essence.split_once('/').unwrap_or_default();
        let suffix = subtype.rsplit_once('+').map_or("", |(_, suffix)| suffix);
        let json = |part: &str| part.eq_ignore_ascii_case("json");
        let bare = class.eq_ignore_ascii_case("application") || class.eq_ignore_ascii_case("text");
        self.is_utf8() && ((bare && json(subtype)) || json(suffix))
    }

    fn is_utf8(&self) -> bool {
        self.charset
            .is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }
}

/// Refuses a body that is packed: nothing here unpacks one, and a body that is passed on would go out
/// without a word of how to.
pub fn check_unpacked(headers: &HeaderMap) -> Result<(), Problem> {
    let codings = headers.get_all(CONTENT_ENCODING);
    let packed = codings
        .iter()
        .find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    match packed {
        None => Ok(()),
        Some(coding) => Err(Problem::unsupported(format!(
            "the Content-Encoding {} is not accepted; send the body as it is",
            quoted(&String::from_utf8_lossy(coding.as_bytes()))
        ))
        .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_a_header_cannot_carry_or_that_says_nothing_is_unsound() {
        for (text, sound) in [
            ("text/plain", true),
            (" text/plain ; charset=latin1 ", true),
            ("application/vnd.shop+json; v=\"1\"", true),
            ("text/plain\r\nx-evil: 1", false),
            ("text/plain; a=\r\nx-evil: 1", false),
            ("text/plain; a=\u{0}", false),
            ("text/plain; a=\u{e9}", false),
            ("text/", false),
            ("/plain", false),
            ("text", false),
            ("te xt/plain", false),
            ("", false),
        ] {
            assert_eq!(Media::parse(text).is_sound(), sound, "{text:?}");
        }
        assert!(!Media::parse(&format!("a/{}", "b".repeat(255))).is_sound());
    }

    #[test]
    fn json_is_known_by_its_essence_or_suffix_and_only_in_utf_8() {
        for (text, json) in [
            ("application/json", true),
            ("Application/JSON ; charset=\"UTF-8\"", true),
            ("application/vnd.shop+json; v=1", true),
            ("text/json", true),
            ("application/json; charset=latin1", false),
            ("application/jsonx", false),
            ("image/json", false),
            ("json", false),
            ("", false),
        ] {
            assert_eq!(Media::parse(text).is_json(), json, "{text}");
        }
    }
}
