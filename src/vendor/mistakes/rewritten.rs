//! A JSON body as a program writes it that has parsed it first.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Number;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing between, text as it is: JavaScript, Ruby.
    Compact,
    /// Spaces behind commas and colons, ASCII only: Python.
    Spaced,
    /// As `Spaced`, with the members sorted.
    SpacedSorted,
    /// As `Spaced`, with text as it is.
    SpacedText,
    /// As `Compact`, ASCII only: Python with separators.
    CompactAscii,
    /// As `Compact`, with the members sorted: Go, and Java with sorted maps.
    CompactSorted,
    /// As `CompactAscii`, with the members sorted.
    CompactAsciiSorted,
    /// As `CompactAscii`, with `\/`: PHP.
    Slashes,
    /// In lines, two spaces further in each.
    Lines,
}

impl Style {
    /// Every style, the most frequent first.
    pub(super) const ALL: [Self; 9] = [
        Self::Compact,
        Self::Spaced,
        Self::SpacedSorted,
        Self::SpacedText,
        Self::CompactAscii,
        Self::CompactSorted,
        Self::CompactAsciiSorted,
        Self::Slashes,
        Self::Lines,
    ];

    /// As in "written again as …".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Compact => "JavaScript's JSON.stringify does",
            Self::Spaced => "Python's json.dumps does",
            Self::SpacedSorted => "Python's json.dumps does with sort_keys",
            Self::SpacedText => "Python's json.dumps does with ensure_ascii=False",
            Self::CompactAscii => "Python's json.dumps does with separators=(\",\", \":\")",
            Self::CompactSorted => "Go's json.Marshal does, with its members sorted",
            Self::CompactAsciiSorted => "Python's json.dumps does with separators and sort_keys",
            Self::Slashes => "PHP's json_encode does",
            Self::Lines => "with line ends and two spaces",
        }
    }
}

/// `body` in this style; none where it is no JSON.
pub(super) fn rewritten(body: &[u8], style: Style) -> Option<Vec<u8>> {
    let mut tree: Tree = serde_json::from_slice(body).ok()?;
    if matches!(
        style,
        Style::SpacedSorted | Style::CompactSorted | Style::CompactAsciiSorted
    ) {
        tree.sort();
    }
    match style {
        Style::Compact | Style::CompactSorted => written(&tree, CompactFormatter),
        Style::Lines => written(&tree, PrettyFormatter::new()),
        Style::Spaced | Style::SpacedSorted => written(&tree, Spelled::new(true, true, false)),
        Style::SpacedText => written(&tree, Spelled::new(true, false, false)),
        Style::CompactAscii | Style::CompactAsciiSorted => {
            written(&tree, Spelled::new(false, true, false))
        }
        Style::Slashes => written(&tree, Spelled::new(false, true, true)),
    }
}

fn written(tree: &Tree, formatter: impl Formatter) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    tree.serialize(&mut serializer).ok()?;
    Some(bytes)
}

/// A JSON value whose members keep their order, as other languages' parsers leave them.
enum Tree {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn sort(&mut self) {
        match self {
            Self::Array(elements) => elements.iter_mut().for_each(Self::sort),
            Self::Object(members) => {
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                members.iter_mut().for_each(|(_, value)| value.sort());
            }
            _ => {}
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Truth(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(elements) => {
                let mut array = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    array.serialize_element(element)?;
                }
                array.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        // JSON has no number that is not finite.
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

/// One line, with spaces, escapes beyond ASCII, and escaped slashes or without them.
struct Spelled {
    spaces: bool,
    ascii: bool,
    slashes: bool,
}

impl Spelled {
    fn new(spaces: bool, ascii: bool, slashes: bool) -> Self {
        Self {
            spaces,
            ascii,
            slashes,
        }
    }

    fn separate<W: ?Sized + Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        match (first, self.spaces) {
            (true, _) => Ok(()),
            (false, true) => writer.write_all(b", "),
            (false, false) => writer.write_all(b","),
        }
    }
}

impl Formatter for Spelled {
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.spaces { b": " } else { b":" })
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            match c {
                '/' if self.slashes => writer.write_all(b"\\/")?,
                c if self.ascii && !c.is_ascii() => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
                c => writer.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_again_as_each_language_does_it() {
        let body = "{ \"b\":\"\u{17e}/\u{1F40E}\",\r\n\"a\":[1,2.50,null,{}],\"c\":\"\\u0045\\n\"}";
        for (style, expected) in [
            (
                Style::Compact,
                "{\"b\":\"\u{17e}/\u{1F40E}\",\"a\":[1,2.5,null,{}],\"c\":\"E\\n\"}",
            ),
            (
                Style::Spaced,
                r#"{"b": "\u017e/\ud83d\udc0e", "a": [1, 2.5, null, {}], "c": "E\n"}"#,
            ),
            (
                Style::SpacedSorted,
                r#"{"a": [1, 2.5, null, {}], "b": "\u017e/\ud83d\udc0e", "c": "E\n"}"#,
            ),
            (
                Style::Slashes,
                r#"{"b":"\u017e\/\ud83d\udc0e","a":[1,2.5,null,{}],"c":"E\n"}"#,
            ),
        ] {
            let written = rewritten(body.as_bytes(), style).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
        assert_eq!(rewritten(b"no JSON", Style::Compact), None);
    }
}
