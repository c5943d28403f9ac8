//! The errors, by status: what each says, and what to do about it.

use serde_json::{Map, Value, json};

/// Name, description, and an example of a detail.
const PROBLEMS: [(u16, &str, &str, &str); 16] = [
    (
        400,
        "Malformed",
        "Not in the right form at all.",
        "the body is not JSON: expected value at line 1 column 1",
    ),
    (
        401,
        "Unauthenticated",
        "No credentials, or wrong ones. `WWW-Authenticate` says which are asked for.",
        "there is no token; send Authorization: Bearer TOKEN",
    ),
    (
        403,
        "Forbidden",
        "A web page of another site made a browser send it; or, at a source, its signature is right and its time is not.",
        "the request comes from a web page of another site",
    ),
    (
        404,
        "NotFound",
        "There is no such thing.",
        "there is no event \"evt_1\"",
    ),
    (
        405,
        "MethodNotAllowed",
        "The path takes other methods; `Allow` names them.",
        "\"/v1/events\" does not take PUT; see the Allow header",
    ),
    (
        408,
        "TooSlow",
        "The body did not come in time.",
        "the body did not come within 30 s; send it faster",
    ),
    (
        409,
        "Conflict",
        "It cannot be done as things stand.",
        "the endpoint is removed",
    ),
    (
        413,
        "TooLarge",
        "The body is larger than `limits.max_body_bytes`.",
        "the body is larger than 1048576 bytes",
    ),
    (
        414,
        "TargetTooLong",
        "The path and query are too long.",
        "the request's target is too long; shorten it",
    ),
    (
        415,
        "Unsupported",
        "Another media type or encoding than is taken.",
        "the body's Content-Type is not accepted; send application/json",
    ),
    (
        422,
        "Invalid",
        "In the right form, and its fields are not right; `errors` names every one.",
        "2 fields are not right; see errors",
    ),
    (
        431,
        "HeadTooLarge",
        "The headers are too large or too many.",
        "the headers are larger than 65536 bytes",
    ),
    (
        500,
        "Internal",
        "The fault is the server's; its log says more.",
        "the store could not be read; see the server's log",
    ),
    (
        501,
        "NotImplemented",
        "A transfer coding that the server does not read.",
        "send Content-Length or Transfer-Encoding: chunked",
    ),
    (
        503,
        "Unavailable",
        "No room, or the server is stopping. Nothing was taken; send it again after `Retry-After`.",
        "the server is shutting down",
    ),
    (
        507,
        "DiskFull",
        "The disk is nearly full. Nothing was taken.",
        "the disk has less than 268435456 bytes left",
    ),
];

/// Its name among the components.
pub(super) fn name(status: u16) -> &'static str {
    let found = PROBLEMS.iter().find(|(known, ..)| *known == status);
    found.map_or("Internal", |(_, name, ..)| name)
}

/// Every error that an operation can refer to.
pub(super) fn responses(problem: &Value) -> Map<String, Value> {
    let each = PROBLEMS.iter().map(|(status, name, description, detail)| {
        let example = json!({
            "type": "about:blank",
            "title": hyper::StatusCode::from_u16(*status).ok().and_then(|s| s.canonical_reason()),
            "status": status,
            "detail": detail,
        });
        let mut response = json!({
            "description": description,
            "content": { "application/problem+json": { "schema": problem, "example": example } },
        });
        let header = |name: &str, says: &str| json!({ name: { "description": says, "schema": { "type": "string" } } });
        match status {
            401 => response["headers"] = header("WWW-Authenticate", "How to authenticate."),
            405 => response["headers"] = header("Allow", "The methods that it takes."),
            503 => response["headers"] = header("Retry-After", "Whole seconds."),
            _ => {}
        }
        ((*name).to_owned(), response)
    });
    each.collect()
}

/// RFC 9457, with what this API adds to it.
pub(super) fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "const": "about:blank" },
            "title": { "type": "string", "description": "The status in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong, and how to mend it." },
            "errors": {
                "type": "array",
                "description": "Every field that is not right.",
                "items": {
                    "type": "object",
                    "required": ["at", "detail"],
                    "properties": {
                        "at": { "type": "string", "description": "A JSON pointer into the body, `?name` for a query parameter, or a header's name." },
                        "detail": { "type": "string" },
                    },
                },
            },
        },
    })
}
