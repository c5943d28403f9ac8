//! What a test sees of an attempt beside its end: the exact request, and what was done to it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::deliver::courier::Courier;
use crate::deliver::recorder::Record;
use crate::delivery::Attempt;
use crate::fault::Fault;
use crate::store::DeliveryView;

/// Members of an attempt that are there only where they were asked for at the start.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Evidence {
    /// What the attempt suffered on purpose; none where there is no plan of faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<Fault>>,
    /// Whether the record of the attempt is still there; none where nothing is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'static str>,
    /// What was sent: `method`, `url`, `headers`, and `body` or `body_base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    /// What came back: `status`, `headers`, `excerpt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
}

impl Evidence {
    /// What is known of an attempt of this delivery.
    pub fn of(courier: &Courier, view: &DeliveryView, attempt: &Attempt) -> Self {
        let key = (view.endpoint.number, view.event.seq, attempt.number);
        let mut evidence = Self {
            faults: courier.faults().map(|faults| faults.log().of(key)),
            ..Self::default()
        };
        if let Some(recorder) = courier.recorder() {
            match recorder.find(key) {
                Some(record) => evidence.show(&record, attempt),
                None => {
                    evidence.record =
                        Some("gone: older records give way to newer ones, and a start has none");
                }
            }
        }
        evidence
    }

    fn show(&mut self, record: &Record, attempt: &Attempt) {
        self.record = Some("kept");
        let sent = &record.request;
        let mut request = json!({
            "method": sent.method,
            "url": sent.url,
            "headers": sent.headers,
        });
        match std::str::from_utf8(&sent.body) {
            Ok(text) => request["body"] = text.into(),
            Err(_) => request["body_base64"] = STANDARD.encode(&sent.body).into(),
        }
        self.request = Some(request);
        self.response = record.answer.as_ref().map(|headers| {
            json!({
                "status": attempt.status,
                "headers": headers,
                "excerpt": attempt.response_excerpt,
            })
        });
    }
}
