//! The broker's clock.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::clock::Shown;
use crate::deliver::advance::Advanced;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::get("/v1/clock", "getClock", "Show the clock")
            .answers(200, "What time it is.", schemas.of::<Shown>(), json!({ "now": "2023-11-14T22:13:20.000Z", "kind": "manual" }))
            .guarded(&[422]),
        Operation::post("/v1/clock/advance", "advanceClock", "Move a manual clock")
            .describe("Answers when everything that was due by then has happened; 409 where the clock is not a manual one. By `0s` it answers when what is due now has happened.\n\nA receiver that hangs holds it up for `patience` of real time, and then only by its own timeout on the broker's clock, so that its schedule stays what it is. In the same advance its next attempt is waited for a quarter of that, then a ninth, a sixteenth and so on: in all less than twice `patience`, however many attempts there are. One that answers is waited for a quarter again. The next advance waits for it anew, but not for an attempt that hung already, unless its `patience` is longer.")
            .takes_json(json!({
                "type": "object",
                "required": ["by"],
                "additionalProperties": false,
                "properties": {
                    "by": { "type": "string", "description": "How far, such as `38m30s`." },
                    "patience": { "type": ["string", "null"], "description": "How long a receiver that hangs is waited for, by the machine's own clock; a minute at most.", "default": "1s" },
                },
            }), json!({ "by": "38m30s" }))
            .answers(200, "Where the clock is now.", schemas.of::<Advanced>(), json!({ "now": "2023-11-14T22:51:50.000Z", "in_flight": 0 }))
            .guarded(&[409])
            .with_body(),
    ]
}
