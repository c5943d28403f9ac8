//! What Zenovay's answers are made of, where no type of ours says it.

use serde_json::{Value, json};

/// An answer in the vendor's envelope.
pub(super) fn enveloped(data: Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data", "timestamp"],
        "properties": {
            "success": { "const": true },
            "data": data,
            "timestamp": { "$ref": "#/components/schemas/Timestamp" },
        },
    })
}

/// An object with one list.
pub(super) fn list(name: &str, item: Value) -> Value {
    object(json!({ name: { "type": "array", "items": item } }))
}

/// An object that has every one of these members.
pub(super) fn object(properties: Value) -> Value {
    let names = properties
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys());
    let names: Vec<_> = names.collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

/// How often a key was used.
pub(super) fn usage() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let maybe = |kind: &str| json!({ "type": [kind, "null"] });
    let text = || json!({ "type": "string" });
    object(json!({
        "api_key": object(json!({
            "id": text(), "name": text(), "permission": text(), "website_id": maybe("string"),
        })),
        "usage": object(json!({
            "monthly_requests": count(),
            "monthly_limit": maybe("integer"),
            "monthly_remaining": maybe("integer"),
            "monthly_reset_at": { "$ref": "#/components/schemas/Timestamp" },
            "total_requests": count(),
        })),
        "rate_limits": object(json!({ "requests_per_minute": maybe("integer") })),
        "subscription": object(json!({ "tier": text() })),
    }))
}

/// The websites of a key (ZSS-12).
pub(super) fn websites() -> Value {
    let text = || json!({ "type": "string" });
    let website = object(json!({
        "id": text(), "domain": text(), "name": text(), "tracking_code": text(),
        "is_active": { "type": "boolean" },
        "created_at": { "anyOf": [{ "$ref": "#/components/schemas/Timestamp" }, { "type": "null" }] },
        "team_id": { "type": ["string", "null"] },
    }));
    object(json!({
        "websites": { "type": "array", "items": website },
        "total": { "type": "integer", "minimum": 0 },
    }))
}
