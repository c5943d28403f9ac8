//! What is to be sent by a mock: which samples, how many, what is overridden.

use std::str::FromStr;

use crate::sample::{Document, InvalidPath, NoPlace, Path, esputnik, hotjar};
use crate::words::quoted;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// What a message is like.
    pub message: Message,
    /// How many messages.
    pub count: usize,
    /// Makes the samples of this seed from their beginning, instead of the mock's next ones.
    pub seed: Option<u64>,
    /// What is put into each payload or taken from it.
    pub overrides: Overrides,
}

/// What one message is like.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A survey response (HOT-39), as an event of this type, which receivers need not know
    /// (HOT-17).
    Survey(Option<String>, hotjar::Like),
    /// The test message of Hotjar (HOT-58) or Standard Webhooks.
    Test,
    /// One activity of eSputnik.
    Activity(esputnik::Like),
    /// The activities of one message, delivered, read and clicked: three requests (ESP-11).
    Sequence(esputnik::Like),
    /// So many activities in one request (ESP-40).
    Bulk(usize, esputnik::Like),
    /// An event of a shop, of this type, with members that nobody has heard of if so wished.
    Shop(Option<String>, bool),
    /// This payload, with the time of the sending.
    Template(Document),
}

impl Message {
    /// How many requests one message is.
    pub fn requests(&self) -> usize {
        match self {
            Self::Sequence(_) => 3,
            _ => 1,
        }
    }
}

/// What is put into a payload or taken from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Values to be put there, in this order.
    pub set: Vec<(Path, Document)>,
    /// Places to be taken away afterwards.
    pub remove: Vec<Path>,
}

/// An override as it is written on a command line: `data.survey_id=7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment(pub Path, pub Document);

/// A text that assigns nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssignment {
    /// No equals sign.
    #[error("{0} has no =; write for example data.survey_id=7")]
    NoValue(String),
    /// No path.
    #[error(transparent)]
    Path(#[from] InvalidPath),
}

impl FromStr for Assignment {
    type Err = InvalidAssignment;

    fn from_str(text: &str) -> Result<Self, InvalidAssignment> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| InvalidAssignment::NoValue(quoted(text)))?;
        Ok(Self(path.parse()?, value_of(value)))
    }
}

/// The JSON value that `text` is, else `text` itself.
pub fn value_of(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|_| text.into())
}

/// What cannot be sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unsendable {
    /// An override of something that is not there.
    #[error("{member} {path}: {cause}")]
    Override {
        /// `set` or `remove`.
        member: &'static str,
        /// What was to be overridden.
        path: String,
        /// Why it cannot be.
        cause: NoPlace,
    },
    /// A template that is no payload of the vendor.
    #[error("the payload {0}")]
    Template(&'static str),
}

impl Overrides {
    /// Overrides a payload. A path that begins with an index names an element of an array; where
    /// the payload is an array, any other path names a place in each of its elements.
    pub fn apply(&self, payload: &mut Document) -> Result<(), Unsendable> {
        for (path, value) in &self.set {
            each(payload, path, |at, path| path.set(at, value.clone()))
                .map_err(|cause| refused("set", path, cause))?;
        }
        for path in &self.remove {
            each(payload, path, |at, path| path.remove(at))
                .map_err(|cause| refused("remove", path, cause))?;
        }
        Ok(())
    }

    /// The outermost members that are overridden.
    pub fn members(&self) -> impl Iterator<Item = &Path> {
        self.set.iter().map(|(path, _)| path).chain(&self.remove)
    }
}

fn refused(member: &'static str, path: &Path, cause: NoPlace) -> Unsendable {
    Unsendable::Override {
        member,
        path: path.to_string(),
        cause,
    }
}

fn each(
    payload: &mut Document,
    path: &Path,
    mut change: impl FnMut(&mut Document, &Path) -> Result<(), NoPlace>,
) -> Result<(), NoPlace> {
    match payload {
        Document::Array(elements) if !path.begins_with_index() => elements
            .iter_mut()
            .try_for_each(|element| change(element, path)),
        payload => change(payload, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(set: &[&str], remove: &[&str]) -> Overrides {
        let set = set.iter().map(|text| {
            let Assignment(path, value) = text.parse().unwrap();
            (path, value)
        });
        Overrides {
            set: set.collect(),
            remove: remove.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn applied(payload: &str, overrides: &Overrides) -> Result<String, String> {
        let mut document = Document::parse(payload).unwrap();
        let done = overrides.apply(&mut document);
        done.map(|()| document.to_json()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_value_is_json_where_it_can_be_and_else_a_text() {
        for (text, json) in [
            ("a=7", "7"),
            ("a=007", "\"007\""),
            ("a=true", "true"),
            ("a=[1,2]", "[1,2]"),
            ("a=\"7\"", "\"7\""),
            ("a=x=y", "\"x=y\""),
            ("a=", "\"\""),
        ] {
            let Assignment(_, value) = text.parse().unwrap();
            assert_eq!(value.to_json(), json);
        }
        assert_eq!(
            "a.b".parse::<Assignment>().unwrap_err().to_string(),
            "\"a.b\" has no =; write for example data.survey_id=7"
        );
    }

    #[test]
    fn a_path_without_an_index_is_overridden_in_every_element() {
        let payload = r#"[{"a":1,"b":1},{"a":2,"b":2}]"#;
        assert_eq!(
            applied(payload, &overrides(&["a=9", "1.c=x"], &["b"])).unwrap(),
            r#"[{"a":9},{"a":9,"c":"x"}]"#
        );
    }

    #[test]
    fn what_cannot_be_overridden_is_told_with_the_path_and_the_reason() {
        let payload = r#"{"data":{"browser":"Firefox"}}"#;
        assert_eq!(
            applied(payload, &overrides(&[], &["data.browsr"])).unwrap_err(),
            r#"remove "data.browsr": "data.browsr" is not there; did you mean "browser"?"#
        );
        assert_eq!(
            applied(payload, &overrides(&["dta.os=1"], &[])).unwrap_err(),
            r#"set "dta.os": "dta" is not there; did you mean "data"?"#
        );
    }
}
