//! Places in a document, as people name them: `data.questions.0.question_text`.

use std::fmt;
use std::str::FromStr;

use crate::words::quoted;

/// A place in a document: names of members and indexes of elements, from the outside in.
///
/// Written with dots, `data.questions.0.id`, or with brackets round indexes, `data.questions[0].id`.
/// A backslash takes the next character as it is: `data.user_attributes.a\.b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub(super) Vec<String>);

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a path such as data.survey_id or data.questions.0.answers")]
pub struct InvalidPath(String);

impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let invalid = || InvalidPath(quoted(text));
        let (mut parts, mut part, mut closed) = (Vec::new(), String::new(), false);
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '\\' => part.push(rest.next().ok_or_else(invalid)?),
                '.' | '[' => {
                    // Between two parts there is one; only an index may be the first thing.
                    let begins = c == '[' && parts.is_empty();
                    match part.is_empty() {
                        true if !closed && !begins => return Err(invalid()),
                        true => {}
                        false => parts.push(std::mem::take(&mut part)),
                    }
                    closed = c == '[';
                    if closed {
                        let (inside, behind) = rest.as_str().split_once(']').ok_or_else(invalid)?;
                        index(inside).ok_or_else(invalid)?;
                        parts.push(inside.to_owned());
                        rest = behind.chars();
                    }
                }
                // Behind a bracket comes another part or the end.
                _ if closed => return Err(invalid()),
                c => part.push(c),
            }
        }
        match (part.is_empty(), closed) {
            (true, false) => return Err(invalid()),
            (true, true) => {}
            (false, _) => parts.push(part),
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(self.0.len()))
    }
}

impl Path {
    /// The outermost name or index.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether the outermost part is an index.
    pub fn begins_with_index(&self) -> bool {
        index(self.first()).is_some()
    }

    /// Its first parts as text, quoted.
    pub(super) fn shown(&self, count: usize) -> String {
        let parts = self.0.iter().take(count);
        let escaped = parts.map(|part| part.replace('\\', "\\\\").replace('.', "\\."));
        quoted(&escaped.collect::<Vec<_>>().join("."))
    }
}

/// Digits and nothing else: `+1` would be read as a number too.
pub(super) fn index(part: &str) -> Option<usize> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| part.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_place_is_refused() {
        for text in [
            "", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[0]b", "a\\", "[-1]", "a[0", "[", "a[0].",
        ] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
        for text in ["a", "a.b", "a[0]", "[0]", "a[0].b", "a[0][1]", "0.a"] {
            assert!(text.parse::<Path>().is_ok(), "{text}");
        }
    }
}
