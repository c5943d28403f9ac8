//! Media types.

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

/// JSON.
pub const JSON: &str = "application/json";
/// One CloudEvent as JSON.
pub const CLOUDEVENT: &str = "application/cloudevents+json";
/// Bytes of which nothing is known.
pub const BINARY: &str = "application/octet-stream";

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

    /// The request's media type; none if it does not say, or in bytes that are no text.
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        Some(Self::parse(text))
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

#[cfg(test)]
mod tests {
    use super::*;

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
