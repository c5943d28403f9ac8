//! What a stream tells beside the events themselves, and how it is written.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::answer::objects::Attempt;
use crate::clock::Timestamp;
use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::id::{DeliveryId, EndpointId, EventId, Seq};

/// The end of an attempt, as it is told.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AttemptEnded")]
pub(in crate::api) struct Told<'a> {
    delivery_id: DeliveryId,
    event_id: EventId,
    /// The event's type.
    event_type: &'a str,
    /// The event's position in the log.
    seq: Seq,
    /// The endpoint's name.
    endpoint: &'a str,
    endpoint_id: EndpointId,
    /// Where the delivery stands now.
    status: Status,
    /// When the next attempt may leave, if there is one.
    next_attempt_at: Option<Timestamp>,
    attempt: Attempt,
}

/// Ends of attempts that the reader may not have been told.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AttemptsMissed")]
pub(in crate::api) struct Missed {
    /// How many; null where the reader was away, and nobody counted.
    pub deliveries: Option<u64>,
    /// They ended at about this time or later, by the broker's clock; null where that is not known.
    pub since: Option<Timestamp>,
}

/// Events that cannot be read any more.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventsDamaged")]
pub(in crate::api) struct Damaged {
    /// The first position.
    pub from: Seq,
    /// The last one.
    pub to: Seq,
}

impl<'a> Told<'a> {
    pub(super) fn of(ended: &'a Ended) -> Self {
        Self {
            delivery_id: ended.delivery,
            event_id: ended.event,
            event_type: &ended.kind,
            seq: ended.event.seq(),
            endpoint: &ended.endpoint.settings.name,
            endpoint_id: ended.endpoint.id,
            status: ended.status,
            next_attempt_at: ended.next_attempt_at,
            attempt: Attempt::of(&ended.attempt),
        }
    }
}

/// A frame. A payload keeps the line breaks that it was written with, and each line of it is a
/// line of the frame.
pub(super) fn frame(name: &str, id: Option<Seq>, data: &impl Serialize) -> String {
    let json = serde_json::to_string(data).unwrap_or_default();
    let mut text = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    text += &format!("event: {name}\n");
    for line in json.split(['\n', '\r']) {
        text += &format!("data: {line}\n");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_payload_of_several_lines_is_put_together_again_by_its_reader() {
        let raw: Box<RawValue> = serde_json::from_str("{\"a\":\r\n 1}").unwrap();
        let text = frame("event", Some(7), &raw);
        assert_eq!(
            text,
            "id: 7\nevent: event\ndata: {\"a\":\ndata: \ndata:  1}\n\n"
        );
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let together = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&together).unwrap(),
            json!({"a": 1})
        );
    }
}
