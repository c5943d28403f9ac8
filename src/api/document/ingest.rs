//! Events come in.

use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use crate::inbound::events::Accepted;
use crate::inbound::read::EVENTS_MAX;

fn native() -> Value {
    json!({
        "type": "object",
        "required": ["type", "data"],
        "additionalProperties": false,
        "properties": {
            "type": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,*]+$", "description": "What happened. One that filters can name: without a comma, a star, or a blank at either end." },
            "data": { "description": "Any JSON value; its bytes are kept as they are." },
            "id": { "type": ["string", "null"], "minLength": 1, "maxLength": 255, "description": "Makes the event idempotent for the window; `Idempotency-Key` counts more." },
            "subject": { "type": ["string", "null"], "minLength": 1, "maxLength": 1024, "description": "What it is about." },
            "time": { "type": ["string", "null"], "format": "date-time", "description": "When it happened." },
        },
    })
}

fn cloudevent() -> Value {
    json!({
        "type": "object",
        "description": "A CloudEvent 1.0.",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "const": "1.0" },
            "data": { "description": "Any JSON value." },
            "id": { "type": "string", "minLength": 1 },
            "source": { "type": "string", "minLength": 1 },
            "type": { "type": "string", "minLength": 1, "maxLength": 255 },
            "subject": { "type": ["string", "null"], "minLength": 1, "maxLength": 1024 },
            "time": { "type": ["string", "null"], "format": "date-time" },
            "datacontenttype": { "type": ["string", "null"] },
        },
    })
}

fn accepted() -> Value {
    json!({ "id": "evt_01HF7YAT00000000000G04HMAS", "seq": 1, "duplicate": false })
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let one = schemas.of::<Accepted>();
    let many = json!({
        "type": "object",
        "required": ["events"],
        "properties": { "events": { "type": "array", "items": one } },
    });
    let checked = json!({
        "type": "object",
        "required": ["status"],
        "properties": { "status": { "const": "ok" } },
    });
    let schemes = [
        "hotjarSignature",
        "standardSignature",
        "sourceToken",
        "sourceLogin",
        "",
    ];
    vec![
        Operation::post("/v1/events", "createEvent", "Put an event in")
            .describe("Answered when it is on disk. A CloudEvent may come in binary mode too: with `ce-` headers and any body. A batch of them is taken whole or not at all, and `Idempotency-Key` does not count for it. Of a CloudEvent's attributes `type`, `subject`, `time` and `datacontenttype` are kept; `source` and `id` make it idempotent together, as the `key` that lists know it by; `dataschema` and extensions are not kept.")
            .header("Idempotency-Key", "The same key within the window gives the first event, and no second delivery.", json!({ "type": "string", "minLength": 1, "maxLength": 255 }))
            .takes(true, json!({
                "application/json": { "schema": native(), "example": { "type": "order.paid", "data": { "order": 17 }, "id": "order-17" } },
                "application/cloudevents+json": { "schema": cloudevent(), "example": { "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "data": { "order": 17 } } },
                "application/cloudevents-batch+json": { "schema": { "type": "array", "description": format!("At most {EVENTS_MAX}; more are refused with 413."), "items": cloudevent() }, "example": [{ "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid" }] },
            }))
            .answers(202, "It is on disk; of a batch all are, in `events`.", json!({ "anyOf": [one.clone(), many.clone()] }), accepted())
            .leads_to(202, "/id", &[("getEvent", "event"), ("listEventDeliveries", "event")])
            .guarded(&[507])
            .with_body(),
        Operation::get("/in/{source}", "checkSource", "Check that a source's address works")
            .describe("What eSputnik asks when the webhook is saved (ESP-07). Other kinds take no GET.")
            .path("source", "The source's name.", "surveys")
            .secured_by(&schemes)
            .answers(200, "It works.", checked, json!({ "status": "ok" }))
            .problems(&[401, 403, 404, 405, 503]),
        Operation::post("/in/{source}", "relay", "Take a vendor's webhook in")
            .describe("The body is believed by what the source's vendor signs or shows, kept byte for byte, and answered once it is on disk. A body that is a list, under eSputnik with `split` and for batches of CloudEvents, is answered with a list.")
            .path("source", "The source's name.", "surveys")
            .query("type", "For sources of kind `raw`: the event's type.", json!({ "type": "string" }))
            .header("redeliver-event-type", "For sources of kind `raw`: the event's type, which counts more than `type`.", json!({ "type": "string", "maxLength": 255 }))
            .secured_by(&schemes)
            .takes(false, json!({ "*/*": { "schema": {} } }))
            .answers(200, "It is on disk.", json!({ "anyOf": [one, many] }), accepted())
            .problems(&[401, 403, 404, 405, 500, 503, 507])
            .with_body(),
    ]
}
