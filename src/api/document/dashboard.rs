//! What the dashboard reads beside everything else.

use serde_json::json;

use super::endpoints::example as endpoint;
use super::operation::{Operation, Schemas};
use crate::api::overview::Overview;
use crate::api::request::page::Listed;
use crate::api::zenovay::websites::Website;

const HEALTHS: [&str; 7] = [
    "failing",
    "paused",
    "dead_letters",
    "retrying",
    "busy",
    "well",
    "removed",
];

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut row = endpoint();
    row["health"] = "well".into();
    row["last_failure"] = json!(null);
    vec![
        Operation::get(
            "/v1/overview",
            "getEndpointsOverview",
            "All endpoints at a glance, the worst first",
        )
        .query(
            "search",
            "Only those with this text in their name or URL.",
            json!({ "type": "string", "maxLength": 200 }),
        )
        .some_of("health", "Only those that are so.", &HEALTHS)
        .query(
            "sort",
            "By what they are sorted.",
            json!({ "type": "string", "enum": ["health", "name", "backlog", "oldest", "dead"] }),
        )
        .query(
            "limit",
            "How many at most.",
            json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
        )
        .query(
            "offset",
            "How many are left out before them.",
            json!({ "type": "integer", "minimum": 0 }),
        )
        .answers(
            200,
            "Sums, and some of the endpoints.",
            schemas.of::<Overview>(),
            json!({
                "now": "2023-11-14T22:13:20.000Z", "clock": "real", "last_seq": 7,
                "totals": {
                    "endpoints": 1, "failing": 0, "paused": 0, "dead_letters": 0, "retrying": 0, "busy": 0,
                    "well": 1, "removed": 0, "backlog": 0, "delivered": 7, "dead": 0,
                    "oldest_waiting_at": null, "next_attempt_at": null,
                },
                "matched": 1, "data": [row],
            }),
        )
        .guarded(&[422]),
        Operation::get(
            "/v1/websites",
            "listWebsitesOfServer",
            "The figures of each website",
        )
        .answers(
            200,
            "Every website.",
            schemas.of::<Listed<Website>>(),
            json!({
                "data": [{
                    "id": "ws_abc123", "name": "Example", "domain": "example.com",
                    "tracking_code": "ZV_XXXXXXXXXXX", "live": 3,
                    "summary": {
                        "total_visitors": 5, "total_page_views": 12, "unique_visitors": 5,
                        "known_visitors": 2, "anonymous_visitors": 3,
                    },
                    "now": "2023-11-14T22:13:20.000Z",
                }],
                "next": null,
            }),
        )
        .guarded(&[422]),
    ]
}
