//! The log as it grows, and waiting for deliveries.

use serde_json::json;

use super::operation::{Operation, Schemas};
use super::shapes::patterns;
use crate::api::request::statuses::STATUS_NAMES;
use crate::api::stream::{Damaged, Missed, Told};
use crate::api::wait::Found;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    // Named in the text below.
    schemas.of::<Told<'static>>();
    schemas.of::<Missed>();
    schemas.of::<Damaged>();
    vec![
        Operation::get("/v1/stream", "stream", "Follow the log, and how attempts end")
            .describe("Server-sent events without end: `event` with an Event and its position as id; `delivery` with an AttemptEnded; `damaged` with EventsDamaged, and its last position as id, where the log cannot be read; `skipped`, with `from`, `to` and how many `events` between them, where some of what was asked for by position has expired; `missed` with AttemptsMissed. Events are told again from the log, ends of attempts live only: a reader who comes back with `Last-Event-ID` is told first that ends since the event with that id are `missed`, and so is one that was too slow for some. `/v1/deliveries?since=` shows how the deliveries of events that were received since stand; those of earlier events are asked for by id.")
            .query("types", "Also called `type`. Of these types only: names, or prefixes such as `order.*`, with commas between them; 100 at most.", patterns())
            .query("from", "`now`, `start`, or a position in the log.", json!({ "type": "string", "pattern": "^(now|start|[1-9][0-9]*)$", "default": "now" }))
            .query("deliveries", "Whether the ends of attempts are told.", json!({ "type": "string", "enum": ["true", "false"], "default": "true" }))
            .header("Last-Event-ID", "The position of the last event that was had: goes on behind it, and counts more than `from`.", json!({ "type": "string", "pattern": "^[0-9]+$" }))
            .answers_with(200, json!({
                "description": "Events, until the reader leaves.",
                "content": { "text/event-stream": { "schema": { "type": "string" } } },
            }))
            .guarded(&[422]),
        Operation::get("/v1/wait", "wait", "Wait for deliveries")
            .describe("Made for tests: answers as soon as there are `count` such deliveries. The time is the machine's own, whatever the broker's clock is.")
            .query("endpoint", "To this endpoint, by name or id.", json!({ "type": "string" }))
            .query("type", "Of events of these types.", patterns())
            .query("event", "Of this event, by id or position.", json!({ "type": "string" }))
            .some_of("status", "In one of these states; without it in all but `filtered`.", &STATUS_NAMES)
            .query("count", "How many.", json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 1 }))
            .query("timeout", "For how long, such as `30s`; five minutes at most.", json!({ "type": "string", "default": "10s" }))
            .answers(200, "There they are.", schemas.of::<Found>(), json!({ "data": [super::deliveries::example()], "count": 1 }))
            .guarded(&[410])
            .answers_with(408, json!({
                "description": "Not in time; what was seen instead.",
                "content": { "application/problem+json": {
                    "schema": { "allOf": [
                        { "$ref": "#/components/schemas/Problem" },
                        {
                            "type": "object",
                            "required": ["seen", "nearest"],
                            "properties": {
                                "seen": {
                                    "type": "object",
                                    "required": ["matching", "by_status", "newest_only"],
                                    "properties": {
                                        "matching": { "type": "integer", "minimum": 0 },
                                        "by_status": { "type": "object", "additionalProperties": { "type": "integer" } },
                                        "newest_only": { "type": "boolean", "description": "Whether only the newest were counted." },
                                    },
                                },
                                "nearest": { "type": "array", "items": { "$ref": "#/components/schemas/Delivery" } },
                            },
                        },
                    ] },
                } },
            })),
    ]
}
