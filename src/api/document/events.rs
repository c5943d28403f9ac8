//! The log.

use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use super::shapes::{patterns, time};
use crate::api::answer::objects::{Delivery, Event};
use crate::api::request::page::Listed;
use crate::api::request::statuses::STATUS_NAMES;

pub(super) fn example() -> Value {
    json!({
        "id": "evt_01HF7YAT00000000000G04HMAS", "seq": 1, "source": "api", "type": "order.paid",
        "time": "2023-11-14T22:13:20.000Z", "received_at": "2023-11-14T22:13:20.000Z",
        "content_type": "application/json", "data": { "order": 17 }, "size": 13,
    })
}

pub(super) const EVENT: &str = "Its id, or its position in the log.";
pub(super) const EVENT_EXAMPLE: &str = "evt_01HF7YAT00000000000G04HMAS";

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::get("/v1/events", "listEvents", "List events")
            .describe("Newest first, unless `order=asc`.")
            .query("type", "Also called `types`. Of these types: names, or prefixes such as `order.*`, with commas between them; 100 at most.", patterns())
            .query("source", "Of this source, by name. It need not be configured any more; of one that never was there are no events.", json!({ "type": "string" }))
            .query("subject", "About this.", json!({ "type": "string" }))
            .query("key", "Sent with this `id` or `Idempotency-Key`; a CloudEvent's is its source and id on two lines.", json!({ "type": "string" }))
            .query("since", "Received at this time or later.", time())
            .query("until", "Received before this time.", time())
            .query("order", "By position in the log.", json!({ "type": "string", "enum": ["desc", "asc"], "default": "desc" }))
            .in_parts()
            .answers(200, "A part of the log.", schemas.of::<Listed<Event<'static>>>(), json!({ "data": [example()], "next": null }))
            .guarded(&[422]),
        Operation::get("/v1/events/{event}", "getEvent", "Show an event")
            .path("event", EVENT, EVENT_EXAMPLE)
            .answers(200, "The event.", schemas.of::<Event<'static>>(), example())
            .guarded(&[404, 410]),
        Operation::get("/v1/events/{event}/body", "getEventBody", "An event's bytes as they came")
            .path("event", EVENT, EVENT_EXAMPLE)
            .answers_with(200, json!({
                "description": "The body, whatever it is.",
                "content": { "application/octet-stream": { "schema": { "type": "string" } } },
            }))
            .guarded(&[404, 410]),
        Operation::get("/v1/events/{event}/deliveries", "listEventDeliveries", "List an event's deliveries")
            .describe("In the order in which the endpoints were made.")
            .path("event", EVENT, EVENT_EXAMPLE)
            .some_of("status", "In one of these states; without it in all but `filtered`.", &STATUS_NAMES)
            .in_parts()
            .answers(200, "A part of its deliveries.", schemas.of::<Listed<Delivery>>(), json!({ "data": [super::deliveries::example()], "next": null }))
            .guarded(&[404, 410, 422]),
    ]
}
