//! Zebline's API, as its own clients call it; and what became of its requests.

use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use crate::api::request::page::Listed;
use crate::api::zebline::Track;
use crate::inbound::zebline::types::Attribute;

/// An error in the vendor's words (ZEB-32).
fn refused(description: &str, message: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": {
            "schema": {
                "type": "object",
                "required": ["response"],
                "properties": { "response": {
                    "type": "object",
                    "required": ["status", "message"],
                    "properties": { "status": { "const": "error" }, "message": { "type": "string" } },
                } },
            },
            "example": { "response": { "status": "error", "message": message } },
        } },
    })
}

fn event() -> Value {
    json!({
        "type": "object",
        "required": ["eventName", "eventTime", "eventData"],
        "anyOf": [{ "required": ["userId"] }, { "required": ["anonymousId"] }],
        "properties": {
            "eventName": { "type": "string", "minLength": 1, "maxLength": 49, "description": "ZEB-06." },
            "eventTime": { "type": "string", "description": "RFC 3339 with an offset, to the second (ZEB-22)." },
            "userId": { "type": ["string", "null"], "minLength": 1, "maxLength": 100, "description": "ZEB-18." },
            "anonymousId": { "description": "A text of 1 to 100 characters (ZEB-19); where there is a `userId`, nobody looks at it (ZEB-20)." },
            "eventData": { "type": "object", "description": "Attributes (ZEB-09…)." },
        },
    })
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let queued = json!({
        "type": "object",
        "required": ["response"],
        "properties": { "response": {
            "type": "object",
            "required": ["status", "trackID"],
            "properties": { "status": { "const": "queued" }, "trackID": { "type": "string" } },
        } },
    });
    let done = json!({ "response": { "status": "queued", "trackID": "018bcfe5-6800-7000-8000-000000000001" } });
    let mut operation = Operation::post(
        "/v1/accounts/{license}/events",
        "createZeblineEvent",
        "Put an event in, by Zebline's API",
    )
    .describe("Answered when it is on disk. The source's `success_status` is 201 unless it says 200 (ZEB-29).")
    .path("license", "The license code of the source.", "LICENSE_CODE")
    .header("x-request-id", "Hexadecimal digits: the same within the window lead to no second event (ZEB-25); what is none counts for nothing (A-37).", json!({ "type": "string" }))
    .secured_by(&["zeblineToken"])
    .takes_json(event(), json!({
        "userId": "u-17", "eventName": "Added To Cart", "eventTime": "2026-01-31T09:30:00+0000",
        "eventData": { "Product Name": "Shoes", "Price": 49.5 },
    }))
    .answers(200, "It is on disk.", queued.clone(), done.clone())
    .answers(201, "It is on disk.", queued, done)
    .leads_to(201, "/response/trackID", &[("getTrack", "track")]);
    for (status, description, message) in [
        (
            400,
            "The license, the resource or the body is not right (ZEB-33).",
            "Invalid resource or parameters: eventName is missing",
        ),
        (
            401,
            "No key, or nobody's (ZEB-35).",
            "Invalid authentication or unauthorized access",
        ),
        (404, "No such path (ZEB-36).", "Invalid URL"),
        (
            405,
            "Another method than POST.",
            "Invalid resource or parameters",
        ),
        (
            408,
            "The body did not come in time.",
            "the body did not arrive within 30 s",
        ),
        (
            413,
            "The body is too large.",
            "the body is larger than 1048576 bytes",
        ),
        (415, "The body is compressed.", "the body is compressed"),
        (
            429,
            "Too many requests in this minute (A-33).",
            "Rate limit exceeded",
        ),
        (500, "The fault is the server's.", "the store took no event"),
        (503, "No room; nothing was taken.", "the queue is full"),
        (
            507,
            "The disk is nearly full; nothing was taken.",
            "the disk is nearly full",
        ),
    ] {
        operation = operation.answers_with(status, refused(description, message));
    }
    vec![
        operation,
        Operation::get("/v1/track/{track}", "getTrack", "Show what became of a request to Zebline's API")
            .path("track", "Its `trackID`.", "018bcfe5-6800-7000-8000-000000000001")
            .answers(200, "Where it is on its way.", schemas.of::<Track<'static>>(), json!({
                "trackID": "018bcfe5-6800-7000-8000-000000000001", "status": "processed",
                "event": super::events::example(), "deliveries": [],
            }))
            .guarded(&[404]),
        Operation::get("/v1/attributes", "listAttributes", "List the attributes of Zebline's events")
            .describe("By source, event and name: the type that the first value fixed, and what was dropped since.")
            .query("source", "Of this source, by name. It need not be configured any more; of one that never was there are none.", json!({ "type": "string" }))
            .query("event", "Of events of this type.", json!({ "type": "string" }))
            .in_parts()
            .answers(200, "A part of the attributes.", schemas.of::<Listed<Attribute>>(), json!({
                "data": [{
                    "source": "shop", "event": "Added To Cart", "name": "Price", "type": "number",
                    "since": "2026-01-31T09:30:00.000Z", "dropped": 0, "last_dropped_at": null,
                    "last_reason": null, "conventional": true,
                }],
                "next": null,
            }))
            .guarded(&[422]),
    ]
}
