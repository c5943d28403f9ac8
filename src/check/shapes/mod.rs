//! The messages that are sent: small, whole, and of ids that are theirs alone. Pure.

pub mod esputnik;
pub mod hotjar;
pub mod standard;

use serde_json::Value;

use crate::event::{Form, NewEvent};

/// A text in four scripts, with what a careless copy breaks.
const NON_ASCII: &str = "žluťoučký kůň, 喜歡這個網站, שלום, naïve \u{1F40E} „quoted“";

/// A payload of this size is above what web frameworks take unasked (Express: 100 KiB).
const LARGE_BYTES: usize = 256 * 1024;

fn content(kind: &str, form: Form, body: String) -> NewEvent {
    NewEvent {
        source: "check".into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form,
        body: body.into(),
        status: None,
        idempotency_key: None,
    }
}

/// What becomes the `data` of the vendor's payload.
fn data(kind: &str, data: &Value) -> NewEvent {
    content(kind, Form::Data, data.to_string())
}

/// A whole body, byte for byte.
fn whole(kind: &str, body: String) -> NewEvent {
    content(kind, Form::Relayed, body)
}

/// Readable text of so many bytes.
fn long_text(bytes: usize) -> String {
    "All work and no play. ".repeat(bytes / 22 + 1)
}
