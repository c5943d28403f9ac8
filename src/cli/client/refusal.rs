//! What a server says where it does not do what it is asked.

use serde_json::Value;

use super::Failure;
use crate::cli::output::clean;

/// A server's no.
#[derive(Debug)]
pub struct Refusal {
    /// What it comes to.
    pub failure: Failure,
    /// The problem as the server tells it (RFC 9457); null if it tells none.
    pub problem: Value,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let problem = Value::Null;
        Self { failure, problem }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

/// The lines of an RFC 9457 problem, if the text is one.
pub(super) fn problem(text: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(text).ok()?;
    let member = |object: &Value, key: &str| object.get(key)?.as_str().map(clean);
    let errors = problem["errors"].as_array().map_or(&[][..], |all| all);
    if let [error] = errors
        && let (Some(at), Some(detail)) = (member(error, "at"), member(error, "detail"))
        && member(&problem, "detail").as_ref() == Some(&detail)
    {
        let separator = if at.is_empty() { "" } else { ": " };
        return Some(format!("{at}{separator}{detail}"));
    }
    let mut lines = match (member(&problem, "title"), member(&problem, "detail")) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(line), None) | (None, Some(line)) => line,
        (None, None) => return None,
    };
    for error in errors {
        let at = member(error, "at").unwrap_or_default();
        let detail = member(error, "detail").unwrap_or_default();
        lines.push_str(&format!("\n{at}: {detail}"));
    }
    Some(lines)
}
