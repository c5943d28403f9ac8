//! Messages of a sender that keeps to Standard Webhooks.

use serde_json::{Value, json};

use super::{NON_ASCII, data, long_text, whole};
use crate::check::drill::Identity;
use crate::clock::Timestamp;
use crate::event::NewEvent;

const KIND: &str = "invoice.paid";

/// Above this the specification asks senders not to go.
const LARGE_BYTES: usize = 20_000;

fn invoice(identity: &Identity) -> Value {
    json!({"number": identity.number(), "customer": "Example Ltd", "total": 1234})
}

/// An ordinary message.
pub fn invoice_paid(identity: &Identity, _: Timestamp) -> NewEvent {
    data(KIND, &invoice(identity))
}

/// Two such messages differ by nothing but their ids.
pub fn alike(identity: &Identity, _: Timestamp) -> NewEvent {
    let day = json!({"day": identity.shared_uuid()});
    NewEvent {
        time: Some(Timestamp::from_millis(1_700_000_000_000)),
        ..data("report.ready", &day)
    }
}

/// Text beyond ASCII.
pub fn non_ascii(identity: &Identity, _: Timestamp) -> NewEvent {
    let mut invoice = invoice(identity);
    invoice["customer"] = NON_ASCII.into();
    data(KIND, &invoice)
}

/// As large as the specification lets a sender be.
pub fn large(identity: &Identity, _: Timestamp) -> NewEvent {
    let mut invoice = invoice(identity);
    let text = long_text(LARGE_BYTES);
    invoice["remark"] = text[..LARGE_BYTES - 300].into();
    data(KIND, &invoice)
}

/// Valid JSON with spaces, line ends and a newline behind it.
pub fn spaces(identity: &Identity, _: Timestamp) -> NewEvent {
    let time = identity.happened_at.to_string();
    let body = json!({"type": KIND, "timestamp": time, "data": invoice(identity)});
    whole(KIND, format!("{body:#}\r\n"))
}

/// Valid JSON with escapes that nobody needs, and a number with a zero too many.
pub fn escapes(identity: &Identity, _: Timestamp) -> NewEvent {
    let (time, number) = (identity.happened_at, identity.number());
    let data = format!(r#"{{"number":{number},"customer":"\u0045x \/ \u00e9","total":12.50}}"#);
    whole(
        KIND,
        format!(r#"{{"type":"{KIND}","timestamp":"{time}","data":{data}}}"#),
    )
}

/// Valid JSON whose members stand in another order.
pub fn key_order(identity: &Identity, _: Timestamp) -> NewEvent {
    let (time, data) = (identity.happened_at, invoice(identity));
    whole(
        KIND,
        format!(r#"{{"data":{data},"timestamp":"{time}","type":"{KIND}"}}"#),
    )
}
