//! Which type each attribute has: that of the first value that was received (ZEB-14).
//!
//! A projection of the log, in which the order of reading does not matter: the earliest event
//! fixes the type, whenever it is seen. So it comes out the same from the answers of a running
//! server and from its log after a restart.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::stored::Stored;
use crate::clock::Timestamp;
use crate::id::Seq;
use crate::vendor::zebline::attributes::{AttributeType, Fault, is_conventional};

/// Attributes of a source that are known at most, at some 200 bytes each: their names are the
/// senders' choice. Those beyond have no type, so nothing of them is dropped for it.
const ATTRIBUTES_MAX: usize = 20_000;

/// Where an attribute belongs: the source and the event's name.
type Event = (String, String);

/// The types of all attributes.
#[derive(Debug, Default)]
pub struct Types {
    events: BTreeMap<Event, BTreeMap<String, Known>>,
    /// How many each source has.
    counts: BTreeMap<String, usize>,
}

/// What is known of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    /// Absent where it was only ever dropped.
    kind: Option<(AttributeType, Seq, Timestamp)>,
    dropped: u64,
    last: Option<(Timestamp, String)>,
}

/// An attribute, as the administration shows it.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attribute {
    source: String,
    /// The type of the events that have it.
    event: String,
    name: String,
    /// Fixed by the first value that was not null.
    r#type: Option<AttributeType>,
    /// When its type was fixed.
    since: Option<Timestamp>,
    /// How often it was dropped.
    dropped: u64,
    last_dropped_at: Option<Timestamp>,
    /// Why it was dropped the last time.
    last_reason: Option<String>,
    /// Whether its name keeps to the vendor's convention (ZEB-12).
    conventional: bool,
}

impl Types {
    /// The type of an attribute, if a value has fixed it.
    pub fn of(&self, source: &str, event: &str, name: &str) -> Option<AttributeType> {
        let event = (source.to_owned(), event.to_owned());
        let known = self.events.get(&event)?.get(name)?;
        known.kind.map(|(kind, ..)| kind)
    }

    /// Takes in an event of the log.
    pub fn observe(&mut self, source: &str, seq: Seq, at: Timestamp, stored: &Stored<'_>) {
        for (name, value) in &stored.attributes {
            let Some(is) = AttributeType::of(value) else {
                continue;
            };
            let Some(known) = self.entry(source, &stored.name, name) else {
                continue;
            };
            match known.kind {
                Some((was, since, _)) if since < seq => {
                    // Two first ones came at the same time; the later one was not known as such.
                    if was != is {
                        known.drop(at, changed(was, is));
                    }
                }
                earlier => {
                    known.kind = Some((is, seq, at));
                    // The one that it takes the place of was a first one only so far.
                    if let Some((other, _, at)) = earlier.filter(|(other, ..)| *other != is) {
                        known.drop(at, changed(is, other));
                    }
                }
            }
        }
        for dropped in &stored.dropped {
            if let Some(known) = self.entry(source, &stored.name, &dropped.name) {
                known.drop(at, dropped.reason.clone());
            }
        }
    }

    /// Up to `limit` attributes of the sources and events that are asked for, in the order of
    /// their names, from the `offset`th on.
    pub fn list(
        &self,
        source: Option<&str>,
        event: Option<&str>,
        offset: usize,
        limit: usize,
    ) -> Vec<Attribute> {
        let is_wanted = |(of, name): &Event| {
            source.is_none_or(|source| source == of) && event.is_none_or(|event| event == name)
        };
        let events = self.events.iter().filter(|(event, _)| is_wanted(event));
        let each = events.flat_map(|(event, known)| known.iter().map(move |one| (event, one)));
        let page = each.skip(offset).take(limit);
        page.map(|((source, event), (name, known))| Attribute {
            source: source.clone(),
            event: event.clone(),
            name: name.clone(),
            r#type: known.kind.map(|(kind, ..)| kind),
            since: known.kind.map(|(_, _, at)| at),
            dropped: known.dropped,
            last_dropped_at: known.last.as_ref().map(|(at, _)| *at),
            last_reason: known.last.as_ref().map(|(_, reason)| reason.clone()),
            conventional: is_conventional(name),
        })
        .collect()
    }

    /// The entry of an attribute, unless there are too many already.
    fn entry(&mut self, source: &str, event: &str, name: &str) -> Option<&mut Known> {
        let event = (source.to_owned(), event.to_owned());
        let is_new = self
            .events
            .get(&event)
            .is_none_or(|known| !known.contains_key(name));
        if is_new {
            let count = self.counts.entry(source.to_owned()).or_default();
            if *count >= ATTRIBUTES_MAX {
                return None;
            }
            *count += 1;
        }
        let known = self.events.entry(event).or_default();
        Some(known.entry(name.to_owned()).or_insert(Known {
            kind: None,
            dropped: 0,
            last: None,
        }))
    }
}

fn changed(was: AttributeType, is: AttributeType) -> String {
    Fault::TypeChanged { was, is }.to_string()
}

impl Known {
    fn drop(&mut self, at: Timestamp, reason: String) {
        self.dropped += 1;
        self.last = Some((at, reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(events: &[(Seq, &str)]) -> Vec<Attribute> {
        let mut types = Types::default();
        for (seq, json) in events {
            let stored = Stored::read(json.as_bytes()).unwrap();
            types.observe("shop", *seq, Timestamp::from_millis(*seq as i64), &stored);
        }
        types.list(None, None, 0, 10)
    }

    #[test]
    fn the_earliest_event_fixes_the_type_in_whichever_order_they_are_seen_zeb_14() {
        let number = (1, r#"{"eventName":"e","eventData":{"price":1}}"#);
        let text = (2, r#"{"eventName":"e","eventData":{"price":"1"}}"#);
        for events in [[number, text], [text, number]] {
            let seen = observed(&events);
            assert_eq!(seen[0].r#type, Some(AttributeType::Number));
            assert_eq!(seen[0].dropped, 1);
        }
    }

    #[test]
    fn what_was_dropped_is_counted_with_its_last_reason_zeb_15() {
        let dropped = r#"{"eventName":"e","eventData":{},
            "droppedAttributes":[{"name":"Price","reason":"why"}]}"#;
        let seen = observed(&[(1, dropped), (2, dropped)]);
        assert_eq!((seen[0].dropped, seen[0].r#type), (2, None));
        assert_eq!(seen[0].last_reason.as_deref(), Some("why"));
        assert!(!seen[0].conventional);
    }
}
