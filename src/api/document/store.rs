//! The log as a whole, for another machine.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::carry::Imported;

const LINES: &str = "application/x-ndjson";

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let lines = json!({ (LINES): { "schema": { "type": "string" } } });
    vec![
        Operation::get("/v1/backup", "backup", "Copy the log as it stands")
            .describe("What `redeliver store backup` reads: frames with checksums, and a closing piece without which it is no backup. It holds endpoints' keys, so a server without an `admin_token` answers 403.")
            .query("store", "Of which store the caller has a part.", json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }))
            .query("events_from", "The first event that the caller does not have.", json!({ "type": "integer", "minimum": 1 }))
            .query("transitions_from", "The first frame of transitions that the caller does not have.", json!({ "type": "integer", "minimum": 1 }))
            .answers_with(200, json!({
                "description": "The copy, as it is made.",
                "content": { "application/vnd.redeliver.backup": { "schema": { "type": "string" } } },
            }))
            .guarded(&[409, 422]),
        Operation::get("/v1/export", "exportEvents", "Events, one a line")
            .describe("The first line names the format, the last says that it is whole.")
            .query("since", "Only events received at or after this moment.", json!({ "type": "string", "format": "date-time" }))
            .query("until", "Only events received before this moment.", json!({ "type": "string", "format": "date-time" }))
            .query("type", "Only events of these types: up to a hundred patterns, with commas between them.", json!({ "type": "string" }))
            .query("source", "Only events of this source.", json!({ "type": "string" }))
            .answers_with(200, json!({ "description": "JSON lines.", "content": lines }))
            .guarded(&[422]),
        Operation::post("/v1/import", "importEvents", "Take lines of an export")
            .describe("Up to a thousand lines, all of them or none. What was imported within the duplicate window is not taken again. Operational events (of the source `redeliver`) are left out, unless `operational` says otherwise: they tell of another store's endpoints.")
            .query("operational", "Whether operational events are taken, too.", json!({ "type": "boolean", "default": false }))
            .takes(true, lines)
            .answers(200, "They are on disk.", schemas.of::<Imported>(), json!({ "imported": 2, "duplicates": 1, "left_out": 0 }))
            .guarded(&[507])
            .with_body(),
    ]
}
