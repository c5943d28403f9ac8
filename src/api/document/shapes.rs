//! Schemas of parameters that several operations have.

use serde_json::{Value, json};

/// Patterns of event types, as a schema.
pub(super) fn patterns() -> Value {
    json!({ "type": "string", "examples": ["order.*,invoice.sent"] })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00Z"] })
}
