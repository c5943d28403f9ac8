//! Where events come from.

use serde_json::json;

use super::operation::{Operation, Schemas};
use crate::api::sources::Sources;

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::get("/v1/sources", "listSources", "List sources, and what came in through each")
            .describe("All at once, counted since the start: those that senders speak to, and then those that are polled.")
            .answers(200, "Every source.", schemas.of::<Sources>(), json!({
                "data": [{
                    "name": "surveys", "kind": "hotjar", "path": "/in/surveys", "accepted": 3,
                    "duplicates": 1, "refused": { "forged": 1 },
                    "last_refused_at": "2023-11-14T22:13:20.000Z",
                    "last_refusal": "the signature is not that of this body under this key",
                }],
                "next": null, "unknown": 0,
            }))
            .guarded(&[422]),
    ]
}
