//! Where events are delivered.

use schemars::Schema;
use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use crate::api::answer::objects::Endpoint;
use crate::api::endpoints::actions::{Replayed, Retried, Tested};
use crate::api::request::page::Listed;
use crate::endpoint::EndpointDraft;
use crate::endpoint::url::URL_MAX_BYTES;
use crate::endpoint::validate::CONCURRENCY_MAX;

const ENDPOINT: &str = "Its name, or its id; a removed one's id only.";

pub(super) fn example() -> Value {
    json!({
        "id": "ep_01HF7YAT000000000000000000", "name": "crm", "url": "http://127.0.0.1:9000/hook",
        "policy": "hotjar", "state": "active", "events": ["order.*"], "concurrency": 8,
        "timeout": "10s", "has_key": true, "has_ca": false, "check": "off", "allow_http": true,
        "drop_while_inactive": false, "origin": "api", "created_at": "2023-11-14T22:13:20.000Z",
        "backlog": 1, "oldest_waiting_at": "2023-11-14T22:13:20.000Z",
        "next_attempt_at": "2023-11-14T22:13:50.000Z", "delivered": 16, "dead": 0, "removed": 0,
    })
}

/// An endpoint as it is asked for; `required` members must be there, and not null.
fn draft(schemas: &mut Schemas, description: &str, required: &[&str]) -> Schema {
    let mut schema = schemas.asked::<EndpointDraft>();
    schema.insert("required".to_owned(), json!(required));
    schema.insert("description".to_owned(), description.into());
    for (member, bounds) in [
        ("name", json!({ "minLength": 1, "maxLength": 64 })),
        (
            "url",
            json!({ "format": "uri", "maxLength": URL_MAX_BYTES }),
        ),
        ("events", json!({ "minItems": 1, "maxItems": 100 })),
        (
            "concurrency",
            json!({ "minimum": 1, "maximum": CONCURRENCY_MAX }),
        ),
    ] {
        let member = schema.pointer_mut(&format!("/properties/{member}"));
        if let (Some(Value::Object(member)), Value::Object(bounds)) = (member, bounds) {
            member.extend(bounds);
        }
    }
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        if required.contains(&name.as_str()) {
            member["type"] = "string".into();
        }
    }
    schema
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let about = |operation: Operation| operation.path("endpoint", ENDPOINT, "crm");
    let required = ["name", "url", "policy"];
    let new = draft(schemas, "What a new endpoint is to be.", &required);
    let change = draft(
        schemas,
        "What is to change; null goes back to the default.",
        &[],
    );
    let endpoint = schemas.of::<Endpoint>();
    let action = |path, id, summary: &str, says: &str| {
        about(Operation::post(path, id, summary))
            .describe(says)
            .takes_nothing()
            .answers(200, "The endpoint.", endpoint.clone(), example())
            .guarded(&[404, 409])
            .with_body()
    };
    vec![
        Operation::get("/v1/endpoints", "listEndpoints", "List endpoints")
            .describe("In the order in which they were made.")
            .query("state", "In this state; without it those that are not removed.", json!({ "type": "string", "enum": ["active", "paused", "removed", "all"] }))
            .query("policy", "Under this policy, by name.", json!({ "type": "string" }))
            .in_parts()
            .answers(200, "A part of the endpoints.", schemas.of::<Listed<Endpoint>>(), json!({ "data": [example()], "next": null }))
            .guarded(&[422]),
        Operation::post("/v1/endpoints", "createEndpoint", "Make an endpoint")
            .describe("It receives events from now on. A name that is taken is refused with 409, and `Location` is where the endpoint is that has it. Under eSputnik's policy its receiver must answer a GET (ESP-07).")
            .takes_json(new, json!({ "name": "crm", "url": "http://127.0.0.1:9000/hook", "policy": "hotjar", "events": ["order.*"] }))
            .answers(201, "It is on disk.", endpoint.clone(), example())
            .located(201, "Where the endpoint is.")
            .leads_to(201, "/id", &[("getEndpoint", "endpoint"), ("changeEndpoint", "endpoint"), ("testEndpoint", "endpoint"), ("replayEndpoint", "endpoint"), ("removeEndpoint", "endpoint")])
            .guarded(&[409])
            .with_body(),
        about(Operation::get("/v1/endpoints/{endpoint}", "getEndpoint", "Show an endpoint"))
            .answers(200, "The endpoint.", endpoint.clone(), example())
            .guarded(&[404]),
        about(Operation::new("patch", "/v1/endpoints/{endpoint}", "changeEndpoint", "Change an endpoint"))
            .describe("Refused with 409 where the configuration file states the endpoint: what it says wins. What is given changes; null goes back to the default (RFC 7396). Events that are queued stay queued.")
            .takes(false, json!({ "application/json": {
                "schema": change,
                "example": { "timeout": "5s", "events": null },
            } }))
            .answers(200, "The endpoint as it is now.", endpoint.clone(), example())
            .guarded(&[404, 409])
            .with_body(),
        about(Operation::new("delete", "/v1/endpoints/{endpoint}", "removeEndpoint", "Remove an endpoint"))
            .describe("For good; its history stays. Done twice is done once.")
            .answers_with(204, json!({ "description": "It is removed, on disk." }))
            .guarded(&[404, 409]),
        action("/v1/endpoints/{endpoint}/pause", "pauseEndpoint", "Pause an endpoint", "Events are queued, and none is attempted."),
        action("/v1/endpoints/{endpoint}/resume", "resumeEndpoint", "Resume an endpoint", "What waits starts its schedule anew."),
        about(Operation::post("/v1/endpoints/{endpoint}/test", "testEndpoint", "Send the vendor's test message"))
            .describe("Once, now. It leaves no trace in the log (HOT-58).")
            .takes_nothing()
            .answers(200, "How it fared.", schemas.of::<Tested>(), json!({
                "delivered": true,
                "attempt": {
                    "number": 1, "started_at": "2023-11-14T22:13:20.000Z",
                    "ended_at": "2023-11-14T22:13:20.000Z", "duration_ms": 0, "status": 200,
                    "error": null, "response_excerpt": "",
                },
            }))
            .guarded(&[404, 409])
            .with_body(),
        about(Operation::post("/v1/endpoints/{endpoint}/replay", "replayEndpoint", "Send again from the log"))
            .describe("Answers when all are put back, and is cut short by a restart. For a large range make a task of kind `replay`, which takes the same members, goes on over restarts, and counts `done` in the place of `replayed`. Operational events (`endpoint.*`, `delivery.dead`, `store.*` of the source `redeliver`) that have arrived are left out; a task that names their type sends them.")
            .takes(false, json!({ "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "since": { "type": ["string", "null"], "format": "date-time", "description": "Of events received at this time or later." },
                        "until": { "type": ["string", "null"], "format": "date-time", "description": "Of events received before this time." },
                        "status": { "enum": ["dead", null], "description": "Dead letters only." },
                        "limit": { "type": ["integer", "null"], "minimum": 1, "description": "At most so many, the oldest first." },
                        "dry_run": { "type": ["boolean", "null"], "description": "Only count them." },
                    },
                },
                "example": { "status": "dead", "dry_run": true },
            } }))
            .answers(200, "How many.", schemas.of::<Replayed>(), json!({ "matched": 3, "replayed": 3, "expired": 0, "dry_run": true }))
            .guarded(&[404, 409])
            .with_body(),
        about(Operation::post("/v1/endpoints/{endpoint}/retry", "retryEndpoint", "Attempt all that waits, now"))
            .describe("Everything that waits for a retry is due now, from the start of its schedule; the order and the attempts' numbers are kept. For the end of an outage.")
            .takes_nothing()
            .answers(200, "How many.", schemas.of::<Retried>(), json!({ "retried": 1284 }))
            .guarded(&[404, 409])
            .with_body(),
        about(Operation::post("/v1/endpoints/{endpoint}/rotate-key", "rotateKey", "Replace the signing key"))
            .takes_json(json!({
                "type": "object",
                "required": ["signing_key"],
                "additionalProperties": false,
                "properties": { "signing_key": { "type": "string", "minLength": 1, "writeOnly": true } },
            }), json!({ "signing_key": "new-key" }))
            .answers(200, "The endpoint.", endpoint, example())
            .guarded(&[404, 409])
            .with_body(),
    ]
}
