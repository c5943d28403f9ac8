//! Zenovay's read side, as its own clients call it.

mod shapes;

use serde_json::{Value, json};

use self::shapes::{enveloped, list, object, usage, websites};
use super::operation::{Operation, Schemas};
use crate::vendor::zenovay::bodies::{
    Country, ErrorGroup, Live, Overview, PageViews, Technology, Visitors,
};

const NOW: &str = "2026-02-07T12:00:00.000Z";

fn refused(description: &str, code: &str, message: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": {
            "schema": object(json!({
                "success": { "const": false },
                "error": object(json!({
                    "message": { "type": "string" },
                    "code": { "type": "string" },
                    "timestamp": { "$ref": "#/components/schemas/Timestamp" },
                })),
            })),
            "example": { "success": false, "error": { "message": message, "code": code, "timestamp": NOW } },
        } },
    })
}

/// The errors that an operation may meet.
fn refusing(mut operation: Operation, statuses: &[u16]) -> Operation {
    for (status, description, code, message) in [
        (
            400,
            "A parameter has no such value.",
            "VALIDATION_ERROR",
            "Invalid range \"2d\": use one of 24h, 7d, 30d, 90d, 1y",
        ),
        (
            401,
            "No key, or one that nobody has (X-08).",
            "UNAUTHORIZED",
            "API key required",
        ),
        (
            404,
            "No such website for this key.",
            "NOT_FOUND",
            "Website not found",
        ),
        (
            429,
            "Too many requests in this minute (X-07).",
            "RATE_LIMIT_EXCEEDED",
            "Rate limit exceeded",
        ),
        (
            500,
            "The fault is the server's.",
            "INTERNAL_ERROR",
            "Internal error",
        ),
        (
            503,
            "The log is still being read, or too many streams are open.",
            "UNAVAILABLE",
            "Not ready",
        ),
    ] {
        if statuses.contains(&status) {
            operation = operation.answers_with(status, refused(description, code, message));
        }
    }
    operation
}

fn keyed(path: &'static str, id: &str, summary: &str, data: Value, example: Value) -> Operation {
    let example = json!({ "success": true, "data": example, "timestamp": NOW });
    let operation = Operation::get(path, id, summary)
        .secured_by(&["zenovayKey", "zenovayBearer"])
        .answers(200, "In the vendor's envelope.", enveloped(data), example);
    refusing(operation, &[400, 401, 404, 429, 500, 503])
}

fn about(path: &'static str, id: &str, summary: &str, data: Value, example: Value) -> Operation {
    keyed(path, id, summary, data, example).path("id", "The website's id.", "ws_abc123")
}

fn ranged(operation: Operation) -> Operation {
    let schema =
        json!({ "type": "string", "enum": ["24h", "7d", "30d", "90d", "1y"], "default": "7d" });
    operation.query("range", "Of which time before now (A-22).", schema)
}

fn limited(operation: Operation, default: u32, max: u32) -> Operation {
    let schema = json!({ "type": "integer", "minimum": 1, "maximum": max, "default": default });
    operation.query("limit", "How many at most.", schema)
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let figures = analytics(schemas);
    let errors = list("error_groups", schemas.of::<ErrorGroup>());
    let live = Operation::get(
        "/e/live/{code}",
        "getLiveCount",
        "How many visitors are there now",
    )
    .describe("Not in the envelope, for any web page, without a key (ZRT-03 to ZRT-05).")
    .path("code", "The website's tracking code.", "ZV_XXXXXXXXXXX")
    .secured_by(&[])
    .answers(
        200,
        "The count, under every name that the vendor has for it (A-20).",
        schemas.of::<Live>(),
        json!({ "visitors": 42, "liveCount": 42, "count": 42, "timestamp": NOW }),
    );
    let preflight = Operation::new(
        "options",
        "/e/live/{code}",
        "preflightLiveCount",
        "What a browser asks before it asks",
    )
    .path("code", "The website's tracking code.", "ZV_XXXXXXXXXXX")
    .secured_by(&[])
    .answers_with(204, json!({ "description": "Any page may ask." }));
    let stream = Operation::get("/api/sse/live", "streamLive", "The live count as it changes")
        .describe("Server-sent events without end: `live` every ten seconds, `analytics` every thirty (ZRT-30 to ZRT-35), for any web page, without a key.")
        .needs_query("trackingCode", "The website's tracking code.", json!({ "type": "string", "minLength": 1 }))
        .needs_query("websiteId", "The website's id.", json!({ "type": "string", "minLength": 1 }))
        .secured_by(&[])
        .answers_with(200, json!({
            "description": "Events, until the reader leaves.",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        }));
    let mut all = vec![
        refusing(live, &[400, 404, 500, 503]),
        preflight,
        refusing(stream, &[400, 404, 503]),
        keyed(
            "/api/external/v1/usage",
            "getUsage",
            "How often the key was used",
            usage(),
            json!({
                "api_key": { "id": "ak_1", "name": "API key 1", "permission": "read_only", "website_id": "ws_abc123" },
                "usage": { "monthly_requests": 7, "monthly_limit": null, "monthly_remaining": null, "monthly_reset_at": "2026-03-01T00:00:00.000Z", "total_requests": 7 },
                "rate_limits": { "requests_per_minute": 60 },
                "subscription": { "tier": "self_hosted" },
            }),
        ),
        keyed(
            "/api/external/v1/websites",
            "listWebsites",
            "The websites that the key may read",
            websites(),
            json!({
                "websites": [{
                    "id": "ws_abc123", "domain": "example.com", "name": "Example",
                    "tracking_code": "ZV_XXXXXXXXXXX", "is_active": true, "created_at": NOW,
                    "team_id": null,
                }],
                "total": 1,
            }),
        ),
    ];
    all.extend(figures);
    let groups = about(
        "/api/external/v1/errors/{id}/groups",
        "listErrorGroups",
        "Errors, in groups",
        errors,
        json!({
            "error_groups": [{
                "id": "6b86b273-ff34-8ce1-9d6b-804eff5a3f57", "fingerprint": "TypeError: x is undefined",
                "message": "x is undefined", "type": "TypeError", "status": "unresolved",
                "occurrence_count": 3, "first_seen_at": NOW, "last_seen_at": NOW,
                "affected_users_count": 2,
            }],
        }),
    );
    let status = json!({ "type": "string", "enum": ["unresolved", "open", "resolved", "ignored"] });
    let groups = groups.query("status", "In this state; all are unresolved here.", status);
    all.push(limited(groups, 50, 200));
    all.into_iter().map(Operation::forgives_empty).collect()
}

/// What is computed from the log.
fn analytics(schemas: &mut Schemas) -> Vec<Operation> {
    let overview = about(
        "/api/external/v1/analytics/{id}",
        "getOverview",
        "The overview of a time (ZRT-09)",
        schemas.of::<Overview<'static>>(),
        json!({
            "website": { "id": "ws_abc123", "domain": "example.com", "name": "Example" },
            "time_range": "7d",
            "date_range": { "start": "2026-02-01", "end": "2026-02-07", "startDateTime": "2026-02-01T00:00:00.000Z", "endDateTime": NOW },
            "summary": { "total_visitors": 3, "total_page_views": 9, "unique_visitors": 2, "known_visitors": 1, "anonymous_visitors": 1 },
            "daily_stats": [{ "date": "2026-02-07", "website_id": "ws_abc123", "total_visitors": 3, "unique_visitors": 2, "page_views": 9 }],
        }),
    );
    let visitors = about(
        "/api/external/v1/analytics/{id}/visitors",
        "listVisitors",
        "Visits, the newest first (ZRT-40)",
        schemas.of::<Visitors>(),
        json!({
            "visitors": [{
                "id": "4e07408562bedb8b", "country_code": "CH", "country_name": "Switzerland",
                "city": null, "device_type": "desktop", "browser": "Firefox", "os": "Linux",
                "value_score": 85, "visited_at": NOW, "landing_page": "/", "referrer": null,
                "had_interaction": true,
            }],
            "pagination": { "limit": 100, "offset": 0, "has_more": false },
        }),
    );
    let offset = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0 });
    let visitors = visitors.query("offset", "How many are left out.", offset);
    let pages = about(
        "/api/external/v1/analytics/{id}/pages",
        "listPages",
        "Pages, by how often they were looked at (ZRT-27)",
        list("pages", schemas.of::<PageViews>()),
        json!({ "pages": [{ "url": "/", "views": 9 }] }),
    );
    let countries = about(
        "/api/external/v1/analytics/{id}/countries",
        "listCountries",
        "Countries, by visits (ZSS-16)",
        list("countries", schemas.of::<Country>()),
        json!({
            "countries": [{ "country_code": "CH", "country_name": "Switzerland", "visitors": 3, "avg_value_score": 52.34 }],
        }),
    );
    let technology = about(
        "/api/external/v1/analytics/{id}/technology",
        "getTechnology",
        "What visitors came with (ZSS-17)",
        schemas.of::<Technology>(),
        json!({
            "browsers": [{ "name": "Firefox", "visitors": 3 }],
            "operating_systems": [{ "name": "Linux", "visitors": 3 }],
            "device_types": [{ "name": "desktop", "visitors": 3 }],
        }),
    );
    vec![
        ranged(overview),
        ranged(limited(visitors, 100, 1000)),
        ranged(limited(pages, 20, 1000)),
        ranged(limited(countries, 20, 100)),
        ranged(technology),
    ]
}
