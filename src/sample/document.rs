//! JSON that keeps the order of its members and the digits of its numbers: a payload that somebody
//! overrides one member of stays in everything else what it was.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep arrays and objects may lie in each other; as deep as an event's.
const DEPTH_MAX: usize = 100;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// Its members in their order; one that is given twice is there twice.
    Object(Vec<(String, Document)>),
    /// Its elements.
    Array(Vec<Document>),
    /// A text, number, truth value or null, as it is written in JSON.
    Scalar(String),
}

/// A text that is no JSON value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// Not JSON at all.
    #[error("is not JSON: {0}")]
    Malformed(String),
    /// More levels than are read.
    #[error("is nested more than {DEPTH_MAX} levels deep; send it flatter")]
    TooDeep,
}

impl Document {
    /// Null.
    pub fn null() -> Self {
        Self::Scalar("null".to_owned())
    }

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        let named = members.map(|(name, value)| (name.to_owned(), value));
        Self::Object(named.into())
    }

    /// Reads one JSON value and nothing behind it.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| NotJson::Malformed(error.to_string()))?;
        Self::of(raw, DEPTH_MAX)
    }

    fn of(raw: &RawValue, levels: usize) -> Result<Self, NotJson> {
        let text = raw.get();
        let malformed = |error: serde_json::Error| NotJson::Malformed(error.to_string());
        let below = || levels.checked_sub(1).ok_or(NotJson::TooDeep);
        let mut reader = serde_json::Deserializer::from_str(text);
        match text.as_bytes().first() {
            Some(b'{') => {
                let below = below()?;
                let members = reader.deserialize_map(Members).map_err(malformed)?;
                let each = members.into_iter().map(|(name, raw)| {
                    Self::of(raw, below).map(|value| (name.into_owned(), value))
                });
                Ok(Self::Object(each.collect::<Result<_, _>>()?))
            }
            Some(b'[') => {
                let below = below()?;
                let elements = reader.deserialize_seq(Elements).map_err(malformed)?;
                let each = elements.into_iter().map(|raw| Self::of(raw, below));
                Ok(Self::Array(each.collect::<Result<_, _>>()?))
            }
            _ => Ok(Self::Scalar(text.to_owned())),
        }
    }

    /// The member called `name` of an object. Of one that is there twice, the last, as most readers
    /// take it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                let mut last_first = members.iter().rev();
                let found = last_first.find(|(member, _)| member == name);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The names of an object's members.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, _)| name.as_str())
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Scalar(json) => serde_json::from_str(json).ok(),
            _ => None,
        }
    }

    /// With one member more, at the end; itself if it is no object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// With one member more if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// As JSON on one line, without spaces between values.
    pub fn to_json(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(json) => f.write_str(json),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    element.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{}:{value}", written(name))?;
                }
                f.write_char('}')
            }
        }
    }
}

fn written(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::Scalar(written(text))
    }
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<i64> for Document {
    fn from(number: i64) -> Self {
        Self::Scalar(number.to_string())
    }
}

impl From<bool> for Document {
    fn from(truth: bool) -> Self {
        Self::Scalar(truth.to_string())
    }
}

impl From<Vec<Document>> for Document {
    fn from(elements: Vec<Document>) -> Self {
        Self::Array(elements)
    }
}

/// Null where there is nothing.
impl<T: Into<Document>> From<Option<T>> for Document {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::null, Into::into)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_with_its_order_its_digits_and_its_escapes() {
        for text in [
            r#"{"b":1.50,"a":{"z":[1e400,-0,true,null],"y":"\u00e9\n"},"b":12345678901234567890}"#,
            "[]",
            "{}",
            "\"x\"",
            "7",
        ] {
            assert_eq!(Document::parse(text).unwrap().to_json(), text);
        }
        let spaced = Document::parse(" { \"a\" : [ 1 , 2 ] } ").unwrap();
        assert_eq!(spaced.to_json(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        for text in ["", "{", "nul", "{\"a\":1} 2", "{'a':1}"] {
            let refused = Document::parse(text);
            assert!(matches!(refused, Err(NotJson::Malformed(_))), "{text}");
        }
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Document::parse(&nested(DEPTH_MAX)).is_ok());
        for levels in [DEPTH_MAX + 1, 100_000] {
            assert_eq!(Document::parse(&nested(levels)), Err(NotJson::TooDeep));
        }
    }

    #[test]
    fn of_a_member_given_twice_the_last_one_counts() {
        let document = Document::parse(r#"{"a":1,"a":"x"}"#).unwrap();
        assert_eq!(document.get("a").and_then(Document::text).unwrap(), "x");
        assert_eq!(document.get("b"), None);
    }
}
