//! What an alert has told, by the events of the log that it told it with.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::event::NewEvent;

/// The type of an event that tells of a visit.
pub const VISITOR: &str = "alert.high_value_visitor";
/// The type of an event that tells of a spike.
pub const SPIKE: &str = "alert.traffic_spike";
/// The type of an event that tells of a figure above its bound.
pub const ABOVE: &str = "alert.above";
/// The type of an event that tells of a figure below its bound.
pub const BELOW: &str = "alert.below";
/// The type of an event that tells that a condition has ceased to hold.
pub const CLEARED: &str = "alert.cleared";

/// What one alert has told.
///
/// It is known by the type and the idempotency key of an event alone: a body in Slack's shape has
/// nothing but a sentence.
#[derive(Debug)]
pub struct Memory {
    condition: Condition,
    told: HashSet<Visit>,
    /// In the order in which they were told.
    order: VecDeque<Visit>,
    told_max: usize,
}

/// What was told of a condition. It may last for longer than the event that told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The number that the next change has in its key.
    next: u64,
    firing: Option<Firing>,
    fired_at: Option<Timestamp>,
}

/// A visitor's id, and when the visit began.
type Visit = (u128, Timestamp);

/// A condition that was told and not yet cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Firing {
    kind: String,
    since: Timestamp,
}

impl Memory {
    /// Of an alert that has told nothing. It remembers up to `told_max` visits, at least as many as
    /// its website keeps: what is forgotten here is forgotten there.
    pub fn new(told_max: usize) -> Self {
        Self {
            condition: Condition::default(),
            told: HashSet::new(),
            order: VecDeque::new(),
            told_max,
        }
    }

    /// What was told of its condition.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Goes on from what was told of its condition.
    pub fn resume(&mut self, condition: Condition) {
        self.condition = condition;
    }

    /// Takes in an event of this alert, in the log's order.
    pub fn take(&mut self, event: &NewEvent, at: Timestamp) {
        let key = event.idempotency_key.as_deref().unwrap_or_default();
        if &*event.kind == VISITOR {
            self.condition.fired_at = Some(at);
            self.tell(read_visit(key));
            return;
        }
        // Never one that was used: events that were lost leave their keys behind.
        let number = key
            .rsplit(':')
            .next()
            .and_then(|number| number.parse().ok());
        self.condition.next = self
            .condition
            .next
            .max(number.map_or(0, |number: u64| number.saturating_add(1)));
        if &*event.kind == CLEARED {
            self.condition.firing = None;
            return;
        }
        self.condition.fired_at = Some(at);
        self.condition.firing = Some(Firing {
            kind: event.kind.to_string(),
            since: at,
        });
    }

    fn tell(&mut self, visit: Option<Visit>) {
        let Some(visit) = visit.filter(|visit| self.told.insert(*visit)) else {
            return;
        };
        self.order.push_back(visit);
        if self.order.len() > self.told_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.told.remove(&oldest);
        }
    }

    /// Whether the visit of `visitor` that began at `at` was told.
    pub fn has_told(&self, visitor: &str, at: Timestamp) -> bool {
        bits(visitor).is_some_and(|bits| self.told.contains(&(bits, at)))
    }

    /// Forgets that a condition holds that this alert, whose events are of type `kind`, does not
    /// have any more.
    pub fn keep_only(&mut self, kind: &str) {
        self.condition.firing = self
            .condition
            .firing
            .take()
            .filter(|firing| firing.kind == kind);
    }

    /// Since when its condition holds, as far as it was told.
    pub fn firing_since(&self) -> Option<Timestamp> {
        self.condition.firing.as_ref().map(|firing| firing.since)
    }

    /// When it last told of its condition.
    pub fn fired_at(&self) -> Option<Timestamp> {
        self.condition.fired_at
    }

    /// The idempotency key of the next change of `alert`.
    pub fn next_key(&self, alert: &str) -> String {
        format!("{alert}:{}", self.condition.next)
    }
}

/// The idempotency key of a visit, which [`Memory`] knows it by again.
pub fn visit_key(alert: &str, visitor: &str, at: Timestamp) -> String {
    format!("{alert}:{visitor}:{}", at.as_millis())
}

fn read_visit(key: &str) -> Option<Visit> {
    let mut parts = key.rsplitn(3, ':');
    let at = parts.next()?.parse().ok()?;
    Some((bits(parts.next()?)?, Timestamp::from_millis(at)))
}

/// A UUID takes a third of its text.
fn bits(uuid: &str) -> Option<u128> {
    u128::from_str_radix(&uuid.replace('-', ""), 16).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::Form;

    const UUID: &str = "00000000-0000-8000-8000-00000000002a";
    const AT: Timestamp = Timestamp::from_millis(1_770_465_600_000);

    fn event(kind: &str, key: String) -> NewEvent {
        NewEvent {
            source: "alerts".into(),
            kind: kind.into(),
            subject: Some("a".into()),
            time: Some(AT),
            content_type: "application/json".into(),
            form: Form::Relayed,
            body: Bytes::from_static(b"{\"text\":\"t\"}"),
            status: None,
            idempotency_key: Some(key),
        }
    }

    #[test]
    fn a_visit_is_known_again_by_its_key_and_another_of_the_same_visitor_is_not() {
        let mut memory = Memory::new(10);
        assert!(!memory.has_told(UUID, AT));
        memory.take(&event(VISITOR, visit_key("a", UUID, AT)), AT);
        assert!(memory.has_told(UUID, AT));
        assert!(!memory.has_told(UUID, AT.moved(1)));
        assert!(!memory.has_told(&UUID.replace('2', "3"), AT));
        assert_eq!((memory.firing_since(), memory.fired_at()), (None, Some(AT)));
    }

    #[test]
    fn no_more_visits_are_remembered_than_there_is_room_for() {
        let mut memory = Memory::new(2);
        for ms in 0..5 {
            // Told twice, it counts once.
            for _ in 0..2 {
                memory.take(&event(VISITOR, visit_key("a", UUID, AT.moved(ms))), AT);
            }
        }
        let told = [0, 1, 2, 3, 4].map(|ms| memory.has_told(UUID, AT.moved(ms)));
        assert_eq!(told, [false, false, false, true, true]);
        assert_eq!(memory.order.len(), 2);
    }

    #[test]
    fn a_condition_fires_until_it_is_cleared_and_no_key_is_used_twice() {
        let mut memory = Memory::new(1);
        for (kind, key, firing) in [
            (ABOVE, "a:0", Some(AT)),
            (CLEARED, "a:1", None),
            (ABOVE, "a:2", Some(AT)),
        ] {
            assert_eq!(memory.next_key("a"), key);
            memory.take(&event(kind, key.to_owned()), AT);
            assert_eq!(memory.firing_since(), firing);
        }
        // One before it was lost.
        memory.take(&event(CLEARED, "a:9".to_owned()), AT);
        assert_eq!(memory.next_key("a"), "a:10");
    }

    #[test]
    fn an_alert_that_was_given_another_condition_is_armed() {
        let mut memory = Memory::new(1);
        memory.take(&event(ABOVE, "a:0".to_owned()), AT);
        memory.keep_only(ABOVE);
        assert_eq!(memory.firing_since(), Some(AT));
        memory.keep_only(BELOW);
        assert_eq!(memory.firing_since(), None);
    }

    #[test]
    fn an_event_without_a_key_of_ours_does_no_harm() {
        let mut memory = Memory::new(1);
        for key in ["", "a", "a:b", "x:y:z", ":::", "a:-1"] {
            memory.take(&event(VISITOR, key.to_owned()), AT);
            memory.take(&event(CLEARED, key.to_owned()), AT);
        }
        assert_eq!(memory.next_key("a"), "a:0");
    }
}
