//! A JSON object, read once, its members kept as they were written.
//!
//! Serde's derived readers stop at the first mistake; here every member is at hand, so that all
//! mistakes are told at once, and a payload's own bytes stay what they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::problem::Problem;

/// How deep arrays and objects may lie in each other. Serde's own bound does not hold for what is
/// kept raw, and those who read our answers and requests have theirs: Ruby stops at 100, serde at
/// 128, and a list of events puts two levels round each.
pub const DEPTH_MAX: usize = 100;

/// The most members of an object: an event has five, a CloudEvent its extensions beside them, an
/// endpoint seventeen. A million would cost a thousand times more work than sending them.
const MEMBERS_MAX: usize = 256;

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object in their order, twice given ones twice.
#[derive(Debug)]
pub struct Object<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads one object and nothing behind it: 400 with line and column if it is not JSON, 422 if
    /// it is another value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let text = check_text(bytes)?;
        let object: Self = serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => Problem::field("", "the body is JSON, but not an object; send {…}"),
            _ => malformed(&error),
        })?;
        if object.0.len() > MEMBERS_MAX {
            let detail = format!("the object has more than {MEMBERS_MAX} members; send fewer");
            return Err(Problem::field("", detail));
        }
        Ok(object)
    }
}

/// Reads one JSON value, whatever it is.
pub fn check_value(bytes: &[u8]) -> Result<&RawValue, Problem> {
    serde_json::from_str(check_text(bytes)?).map_err(|error| malformed(&error))
}

/// Calls `take` with each element of an array in turn, or with the value itself if it is none. They
/// are not collected: a list of digits would take eight times its length.
pub fn each<'a>(bytes: &'a [u8], take: &mut dyn FnMut(&'a RawValue)) -> Result<(), Problem> {
    struct Elements<'f, 'a>(&'f mut dyn FnMut(&'a RawValue));
    impl<'de> Visitor<'de> for Elements<'_, 'de> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
            while let Some(element) = elements.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }
    let text = check_text(bytes)?;
    if !text.trim_ascii_start().starts_with('[') {
        take(check_value(bytes)?);
        return Ok(());
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Elements(take));
    read.and_then(|()| reader.end())
        .map_err(|error| malformed(&error))
}

/// The text of a JSON string, or none if `raw` is another value.
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
}

/// Whether `raw` is null.
pub fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

fn check_text(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::malformed(format!(
            "the body is not UTF-8: the byte at offset {} cannot stand there",
            error.valid_up_to()
        ))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(Problem::malformed("the body is empty; send JSON"));
    }
    if is_too_deep(bytes) {
        return Err(Problem::malformed(format!(
            "the JSON is nested more than {DEPTH_MAX} levels deep; flatten it"
        )));
    }
    Ok(text)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let cause = error.to_string();
    // Serde puts the place at the end of its text.
    let cause = cause
        .rsplit_once(" at line ")
        .map_or("", |(cause, _)| cause);
    Problem::malformed(format!(
        "the body is not JSON: {cause} at line {}, column {}",
        error.line(),
        error.column()
    ))
}

fn is_too_deep(bytes: &[u8]) -> bool {
    // Told without following texts and escapes, for nearly all that comes.
    let opened = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{'));
    if opened.count() <= DEPTH_MAX {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while members.len() <= MEMBERS_MAX {
                    let Some((Text(key), value)) = map.next_entry()? else {
                        return Ok(Object(members));
                    };
                    members.push((key, value));
                }
                // Too many already; is the rest JSON at all?
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_own_bytes() {
        let object = Object::parse(br#" {"b": 1.0e0 , "a":[ ], "b":null} "#).unwrap();
        let members: Vec<_> = object.0.iter().map(|(k, v)| (&**k, v.get())).collect();
        assert_eq!(members, [("b", "1.0e0"), ("a", "[ ]"), ("b", "null")]);
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place_and_what_is_no_object_without_its_value() {
        let detail = |bytes: &[u8]| {
            let problem = Object::parse(bytes).unwrap_err();
            (problem.status.as_u16(), problem.detail)
        };
        assert_eq!(
            detail(b"{\"a\":\n 1,}"),
            (
                400,
                "the body is not JSON: trailing comma at line 2, column 4".into()
            )
        );
        assert_eq!(detail(b" \n"), (400, "the body is empty; send JSON".into()));
        assert_eq!(detail(b"{} {}").0, 400);
        assert_eq!(detail(b"{\"a\":\"\xff\"}").0, 400);
        assert_eq!(
            detail(b"\"hunter2\""),
            (422, "the body is JSON, but not an object; send {…}".into())
        );
    }

    #[test]
    fn members_are_counted_and_more_than_any_form_has_are_refused() {
        let object = |count: usize| {
            let members: Vec<_> = (0..count).map(|i| format!("\"{i}\":[]")).collect();
            format!("{{{}}}", members.join(","))
        };
        let parse = |json: &str| Object::parse(json.as_bytes()).map(|object| object.0.len());
        assert_eq!(parse(&object(MEMBERS_MAX)), Ok(MEMBERS_MAX));
        for count in [MEMBERS_MAX + 1, 10 * MEMBERS_MAX] {
            let problem = parse(&object(count)).unwrap_err();
            assert_eq!(problem.status.as_u16(), 422);
            assert!(problem.detail.contains("256 members"), "{}", problem.detail);
            let broken = parse(&object(count).replace("]}", "]"));
            assert_eq!(broken.unwrap_err().status.as_u16(), 400);
        }
    }

    #[test]
    fn elements_come_in_their_order_and_their_own_bytes_and_a_value_by_itself_is_one() {
        let elements = |json: &'static str| {
            let mut found = Vec::new();
            each(json.as_bytes(), &mut |element| found.push(element.get())).map(|()| found)
        };
        assert_eq!(
            elements(" [1.0 ,{\"a\": [ ]}] "),
            Ok(vec!["1.0", "{\"a\": [ ]}"])
        );
        assert_eq!(elements("[]"), Ok(vec![]));
        assert_eq!(elements(" {\"a\":1} "), Ok(vec!["{\"a\":1}"]));
        for broken in ["", "[", "[1,]", "[1] 2", "{\"a\":1", "[{]"] {
            assert_eq!(
                elements(broken).unwrap_err().status.as_u16(),
                400,
                "{broken}"
            );
        }
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_texts_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check_value(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(check_value(nested(DEPTH_MAX + 1).as_bytes()).is_err());
        let flat = format!("[\"\\\"{}\"]", "[".repeat(1000));
        assert!(check_value(flat.as_bytes()).is_ok());
    }
}
