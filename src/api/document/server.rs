//! The server itself.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::health::Health;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let health = schemas.of::<Health>();
    vec![
        Operation::get("/healthz", "isAlive", "Whether the process lives")
            .secured_by(&[])
            .answers(200, "It does.", health.clone(), json!({ "status": "ok" })),
        Operation::get("/readyz", "isReady", "Whether events are taken")
            .secured_by(&[])
            .answers(200, "They are.", health, json!({ "status": "ready" }))
            .problems(&[500, 503]),
        Operation::get("/openapi.json", "getDocument", "This document")
            .secured_by(&[])
            .header("If-None-Match", "The `ETag` of an earlier answer.", json!({ "type": "string" }))
            .answers_with(200, json!({
                "description": "OpenAPI 3.1.",
                "headers": { "ETag": { "description": "Changes with the document.", "schema": { "type": "string" } } },
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "required": ["openapi", "info", "paths"],
                    "properties": {
                        "openapi": { "type": "string" },
                        "info": { "type": "object" },
                        "paths": { "type": "object" },
                    },
                } } },
            }))
            .answers_with(304, json!({ "description": "It is the one that is known." }))
            .problems(&[422]),
    ]
}
