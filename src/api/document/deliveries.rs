//! What became of each event at each endpoint.

use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use super::shapes::{patterns, time};
use crate::api::answer::objects::Delivery;
use crate::api::deliveries::Shown;
use crate::api::request::page::Listed;
use crate::api::request::statuses::STATUS_NAMES;

const DELIVERY: &str = "Its id.";
const DELIVERY_EXAMPLE: &str = "dlv_01HF7YAT000000000004000000";

pub(super) fn example() -> Value {
    json!({
        "id": "dlv_01HF7YAT000000000004000000", "event_id": "evt_01HF7YAT00000000000G04HMAS",
        "event_type": "order.paid", "seq": 1, "endpoint": "crm",
        "endpoint_id": "ep_01HF7YAT000000000000000000", "status": "waiting", "attempt_count": 1,
        "next_attempt_at": "2023-11-14T22:13:50.000Z", "last_status": 500, "last_error": null,
        "attempts": [{
            "number": 1, "started_at": "2023-11-14T22:13:20.000Z",
            "ended_at": "2023-11-14T22:13:20.000Z", "duration_ms": 0, "status": 500, "error": null,
            "response_excerpt": "said so",
        }],
        "explanation": "attempt 1 of 7 failed with status 500; retry 1 leaves 30s after that failure, at 2023-11-14T22:13:50.000Z, as policy \"hotjar\" says",
    })
}

fn discarded() -> Value {
    let why = "not attempted: discarded by an operator";
    let mut discarded = example();
    discarded["status"] = "removed".into();
    discarded["attempt_count"] = 2.into();
    discarded["next_attempt_at"] = Value::Null;
    discarded["last_status"] = Value::Null;
    discarded["last_error"] = why.into();
    let mut last = discarded["attempts"][0].clone();
    last["number"] = 2.into();
    last["status"] = Value::Null;
    last["error"] = why.into();
    last["response_excerpt"] = Value::Null;
    if let Some(attempts) = discarded["attempts"].as_array_mut() {
        attempts.push(last);
    }
    discarded["explanation"] = format!("{why}; a retry or a replay sends it again").into();
    discarded
}

fn given_up() -> Value {
    let why = "an operator gave it up: the receiver cannot read this order";
    let mut given_up = example();
    given_up["status"] = "dead".into();
    given_up["next_attempt_at"] = Value::Null;
    given_up["last_status"] = Value::Null;
    given_up["last_error"] = format!("not attempted: {why}").into();
    given_up["given_up"] = json!([{ "at": "2023-11-14T22:13:30.000Z", "reason": why }]);
    given_up["explanation"] = format!(
        "given up at 2023-11-14T22:13:30.000Z after 1 attempt: {why}; a retry or a replay sends it again"
    )
    .into();
    given_up
}

fn detail() -> Value {
    let mut detail = example();
    detail["rule"] = "HOT-46: retry 1 leaves 30 s after the failure".into();
    detail["clock"] = json!({
        "kind": "manual", "now": "2023-11-14T22:13:20.000Z",
        "next_attempt_at": "2023-11-14T22:13:50.000Z",
    });
    detail
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::get("/v1/deliveries", "listDeliveries", "List deliveries")
            .describe("Newest event first.")
            .query("endpoint", "To this endpoint, by name or id; a removed one's id only.", json!({ "type": "string" }))
            .query("type", "Of events of these types: names, or prefixes such as `order.*`, with commas between them; 100 at most.", patterns())
            .some_of("status", "In one of these states; without it in all but `filtered`.", &STATUS_NAMES)
            .query("since", "Of events received at this time or later.", time())
            .query("until", "Of events received before this time.", time())
            .query("last_status", "Whose last attempt was answered with this HTTP status.", json!({ "type": "integer", "minimum": 100, "maximum": 599 }))
            .in_parts()
            .answers(200, "A part of the deliveries.", schemas.of::<Listed<Delivery>>(), json!({ "data": [example()], "next": null }))
            .guarded(&[]),
        Operation::get("/v1/deliveries/{delivery}", "getDelivery", "Show a delivery, and why it is where it is")
            .path("delivery", DELIVERY, DELIVERY_EXAMPLE)
            .answers(200, "The delivery, with its vendor's rule and what its signature is made of.", schemas.of::<Shown>(), detail())
            .guarded(&[404, 410]),
        Operation::post("/v1/deliveries/{delivery}/retry", "retryDelivery", "Attempt a delivery again, now")
            .describe("From the schedule's start. What is due, or under way, is refused with 409.")
            .path("delivery", DELIVERY, DELIVERY_EXAMPLE)
            .takes_nothing()
            .answers(202, "It is due.", schemas.of::<Delivery>(), example())
            .guarded(&[404, 409, 410])
            .with_body(),
        Operation::post("/v1/deliveries/{delivery}/discard", "discardDelivery", "Give a delivery up")
            .describe("What is pending, waiting or dead ends as `removed`: it is read as before, and can be retried. What is under way, or has arrived, is refused with 409.")
            .path("delivery", DELIVERY, DELIVERY_EXAMPLE)
            .takes_nothing()
            .answers(200, "It is given up.", schemas.of::<Delivery>(), discarded())
            .guarded(&[404, 409, 410])
            .with_body(),
        Operation::post("/v1/deliveries/{delivery}/give-up", "giveUpDelivery", "Give a delivery up")
            .describe("It becomes a dead letter without another attempt, and what waits behind it goes on; a retry or a replay sends it again. Synced. One that is under way, or has ended, is refused with 409.")
            .path("delivery", DELIVERY, DELIVERY_EXAMPLE)
            .takes(false, json!({ "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "reason": { "type": ["string", "null"], "minLength": 1, "maxLength": 500, "description": "What its history is to say: one line." },
                    },
                },
                "example": { "reason": "the receiver cannot read this order" },
            } }))
            .answers(200, "It is a dead letter.", schemas.of::<Delivery>(), given_up())
            .guarded(&[404, 409, 410])
            .with_body(),
    ]
}
