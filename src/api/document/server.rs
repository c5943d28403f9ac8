//! The server itself.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::activity::Activity;
use crate::api::health::{DiskFull, Health};
use crate::api::status::Status;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let health = schemas.of::<Health>();
    let not_ready = json!({
        "description": "The disk is full, as JSON; or it has stopped or is stopping, as a problem.",
        "content": {
            "application/json": { "schema": schemas.of::<DiskFull>(), "example": {
                "status": "disk_full",
                "detail": "the disk is full: less than 67108864 bytes are left, so events are refused; deliveries go on; make room, or set [retention]",
            } },
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    vec![
        Operation::get("/healthz", "isAlive", "Whether the process lives")
            .secured_by(&[])
            .answers(200, "It does.", health.clone(), json!({ "status": "ok" })),
        Operation::get("/readyz", "isReady", "Whether events are taken")
            .secured_by(&[])
            .answers(200, "They are.", health, json!({ "status": "ready" }))
            .problems(&[500])
            .answers_with(503, not_ready),
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
        Operation::get("/v1/status", "getStatus", "The broker at a glance")
            .answers(200, "How it is.", schemas.of::<Status>(), json!({
                "version": env!("CARGO_PKG_VERSION"), "started_at": "2023-11-14T22:13:20.000Z",
                "now": "2023-11-14T22:14:20.000Z", "clock": { "kind": "real", "speed": "1x" },
                "store": {
                    "events": 7, "first_seq": 1, "last_seq": 7,
                    "oldest_at": "2023-11-14T22:13:20.000Z", "used_bytes": 1_048_576,
                    "log_bytes": 4096, "live_bytes": 4096, "free_bytes": 1_073_741_824,
                    "reserve_bytes": 67_108_864, "stopped": null,
                    "sources": [{ "name": "visits", "events": 3, "bytes": 2048 }],
                },
                "endpoints": { "active": 1, "paused": 0 },
                "deliveries": {
                    "pending": 0, "waiting": 1, "in_flight": 0, "delivered": 6, "dead": 0,
                    "removed": 0, "next_due_at": "2023-11-14T22:14:50.000Z",
                },
                "streams": { "open": 0, "max": 768 },
            }))
            .guarded(&[422]),
        Operation::get("/v1/activity", "getActivity", "What came in and was delivered over time")
            .describe("Counted since the start, in memory; the newest step is the last.")
            .query("window", "How far back.", json!({ "type": "string", "enum": ["1h", "24h", "7d"], "default": "1h" }))
            .query("endpoint", "Of this endpoint only, by name or id.", json!({ "type": "string" }))
            .query("limit", "Of how many endpoints at most, the busiest last first.", json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 50 }))
            .answers(200, "Counts for each step.", schemas.of::<Activity>(), json!({
                "now": "2023-11-14T22:14:20.000Z", "from": "2023-11-14T21:15:00.000Z",
                "started_at": "2023-11-14T22:13:20.000Z", "step": "1m", "ingested": [0, 7],
                "endpoints": [{
                    "id": "ep_01HF7YAT00000000000G000007", "name": "crm",
                    "delivered": [0, 6], "failed": [0, 1],
                }],
                "more": 0,
            }))
            .guarded(&[]),
        Operation::get("/metrics", "scrape", "Metrics for a Prometheus")
            .answers_with(200, json!({
                "description": "Prometheus text, or OpenMetrics where the request accepts it.",
                "content": {
                    "text/plain": { "schema": { "type": "string" } },
                    "application/openmetrics-text": { "schema": { "type": "string" } },
                },
            }))
            .guarded(&[422]),
    ]
}
