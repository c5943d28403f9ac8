//! Setting and removing what is at a place of a document.

use super::path::index;
use super::{Document, Path};
use crate::words::mend;

/// A place that a document does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// An object has no such member.
    #[error("{at} is not there; {mend}")]
    Missing {
        /// The whole path, up to the member.
        at: String,
        /// What may have been meant.
        mend: String,
    },
    /// An array has no such element.
    #[error("{at} is not there: the array has {len} elements, counted from 0")]
    Beyond {
        /// The whole path, up to the element.
        at: String,
        /// How many there are.
        len: usize,
    },
    /// A text, number, truth value or null has no places inside.
    #[error("{at} is not there: {outer} is neither an object nor an array")]
    Scalar {
        /// The whole path, up to what was looked for.
        at: String,
        /// What it was looked for in.
        outer: String,
    },
}

impl Path {
    /// The object or array that the last part is of, and that part.
    fn holder<'d>(&self, document: &'d mut Document) -> Result<(&'d mut Document, &str), NoPlace> {
        let mut at = document;
        let Some((last, outer)) = self.0.split_last() else {
            // Reading a path gives at least one part.
            return Ok((at, ""));
        };
        for (depth, part) in outer.iter().enumerate() {
            at = self.step(at, depth, part)?;
        }
        Ok((at, last))
    }

    fn step<'d>(
        &self,
        at: &'d mut Document,
        depth: usize,
        part: &str,
    ) -> Result<&'d mut Document, NoPlace> {
        match at {
            Document::Object(members) => match members.iter().rposition(|(name, _)| name == part) {
                Some(index) => Ok(&mut members[index].1),
                None => Err(self.missing(members, depth)),
            },
            Document::Array(elements) => {
                let len = elements.len();
                let found = index(part).and_then(|index| elements.get_mut(index));
                found.ok_or_else(|| self.beyond(depth, len))
            }
            Document::Scalar(_) => Err(self.scalar(depth)),
        }
    }

    /// Puts `value` there: in the place of what is there, as a new member of an object, or as one
    /// element more of an array. What it is put into must be there.
    pub fn set(&self, document: &mut Document, value: Document) -> Result<(), NoPlace> {
        let depth = self.0.len() - 1;
        let (holder, last) = self.holder(document)?;
        match holder {
            Document::Object(members) => {
                match members.iter().rposition(|(name, _)| name == last) {
                    Some(index) => members[index].1 = value,
                    None => members.push((last.to_owned(), value)),
                }
                Ok(())
            }
            Document::Array(elements) => {
                let len = elements.len();
                match index(last) {
                    Some(index) if index < len => elements[index] = value,
                    Some(index) if index == len => elements.push(value),
                    _ => return Err(self.beyond(depth, len)),
                }
                Ok(())
            }
            Document::Scalar(_) => Err(self.scalar(depth)),
        }
    }

    /// Takes away what is there.
    pub fn remove(&self, document: &mut Document) -> Result<(), NoPlace> {
        let depth = self.0.len() - 1;
        let (holder, last) = self.holder(document)?;
        match holder {
            Document::Object(members) => {
                let before = members.len();
                members.retain(|(name, _)| name != last);
                match members.len() < before {
                    true => Ok(()),
                    false => Err(self.missing(members, depth)),
                }
            }
            Document::Array(elements) => {
                let found = index(last).filter(|index| *index < elements.len());
                let found = found.ok_or_else(|| self.beyond(depth, elements.len()))?;
                elements.remove(found);
                Ok(())
            }
            Document::Scalar(_) => Err(self.scalar(depth)),
        }
    }

    fn missing(&self, members: &[(String, Document)], depth: usize) -> NoPlace {
        let names = members.iter().map(|(name, _)| name.as_str());
        let mend = match members.is_empty() {
            true => "the object there is empty".to_owned(),
            false => mend(&self.0[depth], names),
        };
        NoPlace::Missing {
            at: self.shown(depth + 1),
            mend,
        }
    }

    fn beyond(&self, depth: usize, len: usize) -> NoPlace {
        NoPlace::Beyond {
            at: self.shown(depth + 1),
            len,
        }
    }

    fn scalar(&self, depth: usize) -> NoPlace {
        NoPlace::Scalar {
            at: self.shown(depth + 1),
            outer: match depth {
                0 => "the payload".to_owned(),
                _ => self.shown(depth),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::InvalidPath;

    const BEFORE: &str = r#"{"a":1,"list":[{"x":"y"},2],"a.b":3}"#;

    fn set(path: &str, value: &str) -> Result<String, String> {
        let mut document = Document::parse(BEFORE).unwrap();
        let path: Path = path
            .parse()
            .map_err(|error: InvalidPath| error.to_string())?;
        let value = Document::parse(value).unwrap();
        let set = path.set(&mut document, value);
        set.map(|()| document.to_json()).map_err(|e| e.to_string())
    }

    fn remove(path: &str) -> Result<String, String> {
        let mut document = Document::parse(BEFORE).unwrap();
        let path: Path = path
            .parse()
            .map_err(|error: InvalidPath| error.to_string())?;
        let removed = path.remove(&mut document);
        removed
            .map(|()| document.to_json())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn a_place_is_set_and_nothing_else_changes() {
        for (path, value, after) in [
            ("a", "7", r#"{"a":7,"list":[{"x":"y"},2],"a.b":3}"#),
            (
                "list.0.x",
                "null",
                r#"{"a":1,"list":[{"x":null},2],"a.b":3}"#,
            ),
            ("list[1]", "[]", r#"{"a":1,"list":[{"x":"y"},[]],"a.b":3}"#),
            (
                "list[0].z",
                "1",
                r#"{"a":1,"list":[{"x":"y","z":1},2],"a.b":3}"#,
            ),
            ("list.2", "3", r#"{"a":1,"list":[{"x":"y"},2,3],"a.b":3}"#),
            (r"a\.b", "4", r#"{"a":1,"list":[{"x":"y"},2],"a.b":4}"#),
            (
                "new",
                "{}",
                r#"{"a":1,"list":[{"x":"y"},2],"a.b":3,"new":{}}"#,
            ),
        ] {
            assert_eq!(set(path, value).as_deref(), Ok(after));
        }
    }

    #[test]
    fn a_place_is_removed_and_nothing_else_changes() {
        for (path, after) in [
            ("a", r#"{"list":[{"x":"y"},2],"a.b":3}"#),
            ("list.0", r#"{"a":1,"list":[2],"a.b":3}"#),
            ("list.0.x", r#"{"a":1,"list":[{},2],"a.b":3}"#),
        ] {
            assert_eq!(remove(path).as_deref(), Ok(after));
        }
    }

    #[test]
    fn a_place_that_is_not_there_is_told_with_what_may_have_been_meant() {
        for (path, told) in [
            ("lst.0", r#""lst" is not there; did you mean "list"?"#),
            (
                "quite.r",
                r#""quite" is not there; use one of "a", "list", "a.b""#,
            ),
            (
                "a.b",
                r#""a.b" is not there: "a" is neither an object nor an array"#,
            ),
            (
                "list.3",
                r#""list.3" is not there: the array has 2 elements, counted from 0"#,
            ),
            (
                "list.x",
                r#""list.x" is not there: the array has 2 elements, counted from 0"#,
            ),
        ] {
            assert_eq!(set(path, "1").unwrap_err(), told);
        }
        assert_eq!(
            remove("list.0.yyyy").unwrap_err(),
            r#""list.0.yyyy" is not there; use one of "x""#
        );
    }
}
