//! Alerts, and faults on demand.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::alerts::Alerts;
use crate::api::faults::Shown;
use crate::api::request::page::Listed;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::get("/v1/alerts", "listAlerts", "List alerts, and how each stands")
            .describe("All at once, in the configuration's order.")
            .answers(200, "Every alert.", schemas.of::<Alerts>(), json!({
                "data": [{
                    "name": "quiet", "website": "ws_abc123", "when": "below", "metric": "total_visitors",
                    "range": "24h", "threshold": 10.0, "every": "5m", "shape": "event",
                    "state": "armed", "last_checked_at": "2023-11-14T22:10:00.000Z",
                    "last_fired_at": null, "last_value": 42.0,
                }],
                "next": null,
            }))
            .guarded(&[422]),
        Operation::get("/v1/faults", "listFaults", "List faults that were done on purpose")
            .describe("Newest first; none where the server has no plan of faults.")
            .in_parts()
            .answers(200, "A part of the faults.", schemas.of::<Listed<Shown>>(), json!({
                "data": [{
                    "delivery_id": "dlv_01HF7YAT000000000004000000",
                    "event_id": "evt_01HF7YAT00000000000G04HMAS", "attempt": 1,
                    "fault": "duplicate", "at": "2023-11-14T22:13:20.000Z", "done": true,
                    "detail": "the same request was sent again",
                }],
                "next": null,
            }))
            .guarded(&[422]),
    ]
}
