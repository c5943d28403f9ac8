//! Reads a draft from a JSON object, everything that is wrong at once.
//!
//! Serde's own messages stop at the first mistake and repeat the value, which may be a key.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::EndpointDraft;
use super::validate::{FieldError, Findings, pointer_part};
use crate::words::{mend, quoted};

/// The members of a JSON object, each as it was written.
pub type Members = BTreeMap<String, Box<RawValue>>;

impl EndpointDraft {
    /// Reads the members of a request's JSON object. Ask [`build`](super::draft::build) or
    /// [`apply`](super::draft::apply) whether what they say is right.
    pub fn from_members(members: &Members) -> Result<Self, Vec<FieldError>> {
        Self::checked(members, Ok)
    }

    /// What `check` makes of the members, or everything that is wrong with them, in form and by its
    /// rules. What has been found wrong in form is for the rules as if it were not there, so what
    /// they say of it does not count.
    pub fn checked<T>(
        members: &Members,
        check: impl FnOnce(Self) -> Result<T, Vec<FieldError>>,
    ) -> Result<T, Vec<FieldError>> {
        let (draft, mut found) = Self::read(members);
        match check(draft) {
            Ok(checked) if found.is_empty() => Ok(checked),
            Ok(_) => Err(found),
            Err(more) => {
                let is_new = |error: &FieldError| found.iter().all(|it| it.at != error.at);
                let more: Vec<_> = more.into_iter().filter(is_new).collect();
                found.extend(more);
                Err(found)
            }
        }
    }

    /// As far as the members have the right form, with what is wrong with the others.
    fn read(members: &Members) -> (Self, Vec<FieldError>) {
        let mut found = Findings::default();
        let mut draft = Self::default();
        for (key, value) in members {
            let at = format!("/{}", pointer_part(key));
            if !Self::KEYS.contains(&key.as_str()) {
                let mend = match key.as_str() {
                    "state" => "POST to its /pause or /resume".to_owned(),
                    _ => mend(key, Self::KEYS.iter().copied()),
                };
                found.add(at, format!("unknown field {}; {mend}", quoted(key)));
                continue;
            }
            let one: Result<Self, _> = serde_json::to_string(&BTreeMap::from([(key, value)]))
                .and_then(|json| serde_json::from_str(&json));
            match one {
                Ok(one) => draft = draft.overlaid_with(one),
                Err(_) => found.add(at, format!("{key} is not {}", wanted(key))),
            }
        }
        (draft, found.0)
    }
}

/// What a field takes, in words.
fn wanted(key: &str) -> &'static str {
    match key {
        "events" => "an array of texts; write for example [\"order.*\"]",
        "concurrency" => "a whole number; write for example 8",
        "timeout" => "a text with a unit; write for example \"10s\"",
        "basic_auth" => "an object with two texts; write {\"user\": \"…\", \"password\": \"…\"}",
        "headers" => "an object of texts; write for example {\"X-Team\": \"a\"}",
        "key_encoding" => "an encoding of keys; write \"utf8\", \"hex\" or \"base64\"",
        "signature_encoding" => "an encoding of signatures; write \"hex\" or \"base64\"",
        "timestamp_mode" => "a mode; write \"per_attempt\" or \"fixed\"",
        "allow_http" | "drop_while_inactive" => "a truth value; write true or false",
        "check" => "a check; write \"off\", \"2xx\", \"200\" or \"lt400\"",
        _ => "a text; write it in quotation marks",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Field;

    fn read(json: &str) -> Result<EndpointDraft, Vec<FieldError>> {
        EndpointDraft::from_members(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn members_become_a_draft_with_null_told_from_absent_and_headers_in_order() {
        let draft =
            read(r#"{"name": "a", "timeout": null, "headers": {"X-B": "1", "X-A": "2"}}"#).unwrap();
        assert_eq!(draft.name, Field::Set("a".into()));
        assert_eq!(draft.timeout, Field::Clear);
        assert_eq!(draft.url, Field::Absent);
        let headers = draft.headers.value().unwrap();
        assert_eq!(headers.0[0].0, "X-B");
    }

    #[test]
    fn every_wrong_member_is_named_and_no_value_is_shown() {
        let errors = read(
            r#"{"polcy": "hunter2", "a/b": 1, "signing_key": ["hunter2"], "basic_auth": "u:hunter2",
                "concurrency": -1, "headers": {"X": 1}, "check": "hunter2", "events": "hunter2"}"#,
        )
        .unwrap_err();
        let errors: Vec<_> = errors
            .iter()
            .map(|error| (error.at.as_str(), error.detail.as_str()))
            .collect();
        assert_eq!(
            errors[1..],
            [
                (
                    "/basic_auth",
                    "basic_auth is not an object with two texts; write {\"user\": \"…\", \"password\": \"…\"}"
                ),
                (
                    "/check",
                    "check is not a check; write \"off\", \"2xx\", \"200\" or \"lt400\""
                ),
                (
                    "/concurrency",
                    "concurrency is not a whole number; write for example 8"
                ),
                (
                    "/events",
                    "events is not an array of texts; write for example [\"order.*\"]"
                ),
                (
                    "/headers",
                    "headers is not an object of texts; write for example {\"X-Team\": \"a\"}"
                ),
                (
                    "/polcy",
                    "unknown field \"polcy\"; did you mean \"policy\"?"
                ),
                (
                    "/signing_key",
                    "signing_key is not a text; write it in quotation marks"
                ),
            ]
        );
        assert_eq!(errors[0].0, "/a~1b");
    }
}
