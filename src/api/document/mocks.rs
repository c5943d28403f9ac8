//! What only mocks and their servers have. Its words are those of the room `mock`, which stands
//! above this one: a test there compares them.

use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use crate::endpoint::EndpointDraft;

const NAME: &str = "Its name: 1 to 200 letters, digits, dashes and underscores.";

/// Members of an endpoint that a mock gives itself.
const GIVEN: [&str; 3] = ["name", "policy", "url"];

fn example() -> Value {
    json!({
        "name": "my-test", "path": "/mocks/my-test", "vendor": "hotjar",
        "to": "http://127.0.0.1:9000/hook", "clock": "manual", "seed": 0, "has_key": true,
        "now": "2023-11-14T22:13:20.000Z",
    })
}

fn mock() -> Value {
    json!({
        "type": "object",
        "required": ["name", "path", "vendor", "to", "clock", "seed", "has_key", "now"],
        "properties": {
            "name": { "type": "string" },
            "path": { "type": "string", "description": "What stands before the paths of its API." },
            "vendor": { "type": "string", "enum": ["hotjar", "esputnik", "standard"] },
            "to": { "type": "string", "format": "uri", "description": "The receiver." },
            "clock": { "type": "string", "description": "`manual`, `real` or a factor such as `60x`." },
            "seed": { "type": "integer", "minimum": 0, "description": "Repeats its samples." },
            "has_key": { "type": "boolean" },
            "now": { "type": ["string", "null"], "format": "date-time", "description": "What time it is there." },
        },
    })
}

/// A mock as it is asked for: its own members, and what an endpoint can have.
fn wish(schemas: &mut Schemas) -> Value {
    let endpoint = schemas.asked::<EndpointDraft>();
    let mut schema = json!({
        "type": "object",
        "required": ["vendor", "to"],
        "additionalProperties": false,
        "properties": endpoint.get("properties"),
    });
    if let Some(members) = schema["properties"].as_object_mut() {
        members.retain(|name, _| !GIVEN.contains(&name.as_str()));
        for (name, member) in [
            (
                "vendor",
                json!({ "type": "string", "enum": ["hotjar", "esputnik", "standard"] }),
            ),
            (
                "to",
                json!({ "type": "string", "format": "uri", "description": "Your receiver." }),
            ),
            (
                "clock",
                json!({ "type": "string", "default": "manual", "description": "`manual`, `real` or a factor such as `60x`." }),
            ),
            (
                "seed",
                json!({ "type": "integer", "minimum": 0, "default": 0, "description": "Repeats its samples and what chance decides." }),
            ),
            (
                "faults",
                json!({ "type": "array", "items": { "type": "string" }, "description": "As on the command line: `KIND[=TIME][@PROBABILITY]`.", "examples": [["cut=0.2"]] }),
            ),
        ] {
            members.insert(name.to_owned(), member);
        }
    }
    schema
}

/// What a mock can be asked to send. Which members go with which sample stands in their words.
fn asked() -> Value {
    let of = |vendors: &str, says: &str| format!("{vendors}: {says}");
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "sample": {
                "type": "string",
                "enum": ["survey_response", "test_message", "activity", "test", "sequence", "bulk", "event"],
                "description": "Hotjar has `survey_response` and `test_message`, eSputnik `activity`, `test`, `sequence` (DELIVERED, READ and CLICKED of one message) and `bulk`, Standard Webhooks `event` and `test`; without it the vendor's first.",
            },
            "payload": { "description": "This payload in the place of a sample, with the time of the sending; `set` and `remove` apply." },
            "count": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 1, "description": "How many; of `sequence` a third of it at most." },
            "seed": { "type": "integer", "minimum": 0, "description": "The samples of this seed from their beginning, instead of the mock's next ones." },
            "set": { "type": "object", "description": "Values to be put into each payload, by path; what they are put into must be there.", "examples": [{ "data.survey_id": 7 }] },
            "remove": { "type": "array", "items": { "type": "string" }, "description": "Paths to be taken out of each payload.", "examples": [["data.os"]] },
            "type": { "type": "string", "description": of("survey_response and event", "the event's type, which may be one that nobody has heard of.") },
            "spelling": { "type": "string", "enum": ["document", "example", "both"], "description": of("survey_response", "`question_text`, `questiom_text` or both (A-09).") },
            "nulls": { "type": "string", "enum": ["few", "some", "all"], "description": of("survey_response", "which fields are null (HOT-38).") },
            "unknown_fields": { "type": "boolean", "description": of("All samples but Hotjar's and Standard Webhooks' tests", "with fields that are not documented.") },
            "complete": { "type": "boolean", "description": of("survey_response", "its `is_complete`.") },
            "questions": {
                "type": "array",
                "items": { "type": "string", "enum": ["reaction", "long-text", "short-text", "single-option", "multiple-option", "email", "1-5-rating", "1-7-rating", "nps", "unknown"] },
                "description": of("survey_response", "a question of each of these types, in this order."),
            },
            "status": { "type": "string", "description": of("activity, test and bulk", "its `activityStatus`, such as `READ`; in either case.") },
            "media": { "type": "string", "description": of("All of eSputnik's", "its `mediaType`, such as `email`; in either case.") },
            "origin": { "type": "string", "enum": ["broadcast", "triggered"], "description": of("All of eSputnik's", "what the message was sent for.") },
            "size": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 3, "description": of("bulk", "how many activities in one request.") },
        },
    })
}

fn trigger(path: &'static str) -> Operation {
    Operation::post(path, "trigger", "Have the mock send")
        .describe("Makes samples, puts them into the mock's log, all or none, and answers when they are there. They are sent as the mock's clock moves: by `0s` for what is due now.")
        .takes(false, json!({ "application/json": {
            "schema": asked(),
            "example": { "sample": "survey_response", "set": { "data.survey_id": 7 } },
        } }))
        .answers(202, "They are in the log.", json!({
            "type": "object",
            "required": ["events"],
            "properties": { "events": { "type": "array", "items": {
                "type": "object",
                "required": ["id", "seq"],
                "properties": { "id": { "type": "string" }, "seq": { "type": "integer", "minimum": 1 } },
            } } },
        }), json!({ "events": [{ "id": "evt_01HF7YAT00000000000G04HMAS", "seq": 1 }] }))
}

/// What a single mock has beside a broker's routes.
pub(super) fn trigger_operations(_: &mut Schemas) -> Vec<Operation> {
    vec![trigger("/v1/trigger").guarded(&[507]).with_body()]
}

/// What a server of mocks has.
pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let own = |operation: Operation, more: &[u16]| {
        let open = operation.problems(&[403]).problems(more);
        open.secured_by(&[""])
    };
    let named = |operation: Operation| operation.path("name", NAME, "my-test");
    let wish = wish(schemas);
    vec![
        own(
            Operation::get("/mocks", "listMocks", "List mocks").answers(
                200,
                "Every mock, by name.",
                json!({ "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items": mock() } } }),
                json!({ "data": [example()] }),
            ),
            &[],
        ),
        own(
            named(Operation::new("put", "/mocks/{name}", "makeMock", "Make a mock"))
                .describe("In the place of the one that has the name, of which nothing is left. Beside its own members it takes what an endpoint can have. A receiver of eSputnik's is asked by GET first, unless `check` is `off` (ESP-07).")
                .takes_json(wish, json!({ "vendor": "hotjar", "to": "http://127.0.0.1:9000/hook", "signing_key": "site-key" }))
                .answers(201, "It is there.", mock(), example())
                .with_body(),
            &[409, 503],
        ),
        own(
            named(Operation::get("/mocks/{name}", "getMock", "Show a mock"))
                .answers(200, "The mock.", mock(), example()),
            &[404],
        ),
        own(
            named(Operation::new("delete", "/mocks/{name}", "removeMock", "Take a mock away"))
                .answers_with(204, json!({ "description": "It is gone, with all that it held." })),
            &[404, 503],
        ),
        own(
            named(Operation::post("/mocks/{name}/reset", "resetMock", "Empty a mock"))
                .describe("Its log, its deliveries and its samples begin anew; what was under way is cut off.")
                .answers(200, "The mock, which is as new.", mock(), example()),
            &[404, 409, 503],
        ),
        own(
            named(trigger("/mocks/{name}/v1/trigger")).with_body(),
            &[404, 503],
        ),
    ]
}
