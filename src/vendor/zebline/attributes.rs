//! Attributes: what `eventData` may hold (ZEB-07…ZEB-15).

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::time;

/// The longest name of an attribute, in characters (ZEB-08, A-30).
pub const NAME_MAX_CHARS: usize = 50;

/// The longest text in an attribute, in characters (ZEB-09).
pub const TEXT_MAX_CHARS: usize = 1000;

/// The most attributes of one type in one event (ZEB-13).
pub const PER_TYPE_MAX: usize = 25;

/// The type of an attribute (ZEB-10).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A text in a form of `eventTime`.
    Date,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl AttributeType {
    /// The type of a JSON value; null has none.
    pub fn of(value: &RawValue) -> Option<Self> {
        Some(match value.get().as_bytes().first()? {
            b'n' => return None,
            b't' | b'f' => Self::Boolean,
            b'[' => Self::Array,
            b'{' => Self::Object,
            b'"' => match serde_json::from_str::<String>(value.get()) {
                Ok(text) if time::parse(&text).is_ok() => Self::Date,
                _ => Self::String,
            },
            _ => Self::Number,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an attribute does not reach the dashboard, or in strict mode fails its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// ZEB-08.
    #[error("its name has more than {NAME_MAX_CHARS} characters")]
    NameTooLong,
    /// ZEB-09.
    #[error("its text has more than {TEXT_MAX_CHARS} characters")]
    TextTooLong,
    /// ZEB-13.
    #[error("there are more than {PER_TYPE_MAX} attributes of type {0}")]
    TooMany(AttributeType),
    /// ZEB-10: null is of no type.
    #[error("null is of no type")]
    NoType,
    /// ZEB-14, ZEB-15.
    #[error("it is of type {is}, and was first received as {was}")]
    TypeChanged {
        /// What fixed it.
        was: AttributeType,
        /// What it is now.
        is: AttributeType,
    },
    /// Nobody could tell which of the two counts.
    #[error("it is given twice")]
    Twice,
    /// ZEB-11, A-31: looked at in strict mode only.
    #[error("its values are of more than one type")]
    Mixed,
}

/// Judges attributes in the order in which they were sent; `known` tells the type that the first
/// value of an attribute has fixed. An attribute that is dropped does not count against its type.
pub fn judge<'a>(
    attributes: impl IntoIterator<Item = (&'a str, &'a RawValue)>,
    known: impl Fn(&str) -> Option<AttributeType>,
    strict: bool,
) -> Vec<Result<AttributeType, Fault>> {
    let mut of_type: BTreeMap<AttributeType, usize> = BTreeMap::new();
    let mut names = std::collections::HashSet::new();
    let judge = |(name, value): (&'a str, &'a RawValue)| {
        let is = AttributeType::of(value).ok_or(Fault::NoType)?;
        if !names.insert(name) {
            return Err(Fault::Twice);
        }
        if name.chars().count() > NAME_MAX_CHARS {
            return Err(Fault::NameTooLong);
        }
        if is == AttributeType::String && is_too_long(value) {
            return Err(Fault::TextTooLong);
        }
        if let Some(was) = known(name).filter(|was| *was != is) {
            return Err(Fault::TypeChanged { was, is });
        }
        if strict && is == AttributeType::Object && is_mixed(value) {
            return Err(Fault::Mixed);
        }
        let count = of_type.entry(is).or_default();
        if *count == PER_TYPE_MAX {
            return Err(Fault::TooMany(is));
        }
        *count += 1;
        Ok(is)
    };
    attributes.into_iter().map(judge).collect()
}

/// Whether a name keeps to the vendor's convention: words in lower case, joined by underscores
/// (ZEB-12). Their own example does not.
pub fn is_conventional(name: &str) -> bool {
    let is_word = |word: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !word.is_empty() && word.bytes().all(fits)
    };
    name.split('_').all(is_word)
}

fn is_too_long(value: &RawValue) -> bool {
    // Between its quotes no character takes less than a byte.
    value.get().len() - 2 > TEXT_MAX_CHARS
        && serde_json::from_str::<String>(value.get())
            .is_ok_and(|text| text.chars().count() > TEXT_MAX_CHARS)
}

fn is_mixed(object: &RawValue) -> bool {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(object.get()).unwrap_or_default();
    let mut types = members.values().map(|value| AttributeType::of(value));
    let first = types.next();
    first.is_some_and(|first| types.any(|other| other != first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    fn judged(all: &[(&str, &str)], strict: bool) -> Vec<Result<AttributeType, Fault>> {
        let all: Vec<_> = all.iter().map(|(name, json)| (*name, raw(json))).collect();
        let attributes = all.iter().map(|(name, value)| (*name, &**value));
        let known = |name: &str| (name == "price").then_some(AttributeType::Number);
        judge(attributes, known, strict)
    }

    #[test]
    fn the_six_types_are_told_apart_zeb_10() {
        let types = judged(
            &[
                ("a", "\"x\""),
                ("b", "-1.5e3"),
                ("c", "false"),
                ("d", "\"2024-01-01T00:00:00+0330\""),
                ("e", "[1]"),
                ("f", "{\"x\":1}"),
                ("g", "null"),
            ],
            false,
        );
        use AttributeType::{Array, Boolean, Date, Number, Object, String};
        let six = [String, Number, Boolean, Date, Array, Object].map(Ok);
        assert_eq!(types[..6], six);
        assert_eq!(types[6], Err(Fault::NoType));
    }

    #[test]
    fn names_end_at_50_characters_and_texts_at_1000_zeb_08_zeb_09() {
        let (fits, too_long) = ("é".repeat(50), "é".repeat(51));
        let [text, long_text] = [1000, 1001].map(|n| format!("\"{}\"", "é".repeat(n)));
        let all = [(&*fits, &*text), (&*too_long, "1"), ("long", &*long_text)];
        let expected = [
            Ok(AttributeType::String),
            Err(Fault::NameTooLong),
            Err(Fault::TextTooLong),
        ];
        assert_eq!(judged(&all, false), expected);
        // An escape is one character, whatever it takes to write it.
        let escaped = format!("\"{}\"", "\\u00e9".repeat(1000));
        assert!(judged(&[("a", &escaped)], false)[0].is_ok());
    }

    #[test]
    fn the_26th_of_a_type_is_dropped_and_25_of_another_are_not_zeb_13() {
        let names: Vec<String> = (0..51).map(|n| format!("n{n}")).collect();
        let value = |n: usize| if n < 26 { "\"x\"" } else { "1" };
        let all = names.iter().enumerate();
        let all: Vec<_> = all.map(|(n, name)| (name.as_str(), value(n))).collect();
        let judged = judged(&all, false);
        let dropped: Vec<_> = (0..51).filter(|n| judged[*n].is_err()).collect();
        assert_eq!(dropped, [25]);
        assert_eq!(judged[25], Err(Fault::TooMany(AttributeType::String)));
    }

    #[test]
    fn names_differ_by_case_and_one_given_twice_counts_once_zeb_07() {
        let judged = judged(&[("Price", "\"x\""), ("price", "1"), ("price", "2")], false);
        let (is, twice) = (AttributeType::String, Err(Fault::Twice));
        assert_eq!(judged, [Ok(is), Ok(AttributeType::Number), twice]);
    }

    #[test]
    fn a_type_that_changes_is_dropped_and_told_zeb_15() {
        let (was, is) = (AttributeType::Number, AttributeType::String);
        let fault = Fault::TypeChanged { was, is };
        assert_eq!(judged(&[("price", "\"1\"")], false), [Err(fault)]);
        let told = "it is of type string, and was first received as number";
        assert_eq!(fault.to_string(), told);
    }

    #[test]
    fn an_object_of_several_types_is_a_fault_in_strict_mode_only_a_31() {
        let mixed = [("a", "{\"x\":1,\"y\":\"2\"}"), ("b", "{\"x\":1,\"y\":2}")];
        assert!(judged(&mixed, false).iter().all(Result::is_ok));
        let strict = judged(&mixed, true);
        assert_eq!(strict, [Err(Fault::Mixed), Ok(AttributeType::Object)]);
    }

    #[test]
    fn the_convention_is_lower_case_words_joined_by_underscores_zeb_12() {
        for (name, conventional) in [
            ("product_id", true),
            ("sku2", true),
            ("Product ID", false),
            ("Category", false),
            ("a__b", false),
        ] {
            assert_eq!(is_conventional(name), conventional, "{name}");
        }
    }
}
