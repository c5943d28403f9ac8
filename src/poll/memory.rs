//! What is known already, and so what is new. Pure.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bounded::Bounded;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::vendor::Fingerprint;
use crate::vendor::zenovay::polled::{self, Group, Visit};
use crate::vendor::zenovay::polling::Resource;

/// The types of the events.
pub(super) const LIVE: &str = "zenovay.live";
pub(super) const ANALYTICS: &str = "zenovay.analytics";
pub(super) const VISITOR: &str = "zenovay.visitor";
pub(super) const ERROR_GROUP: &str = "zenovay.error_group";

/// The visits that are known: four times as many as one round reads.
pub(super) const VISITS_MAX: usize = 20_000;

/// The groups of errors that are known: an answer has two hundred at most (X-12).
const GROUPS_MAX: usize = 2_000;

/// The longest subject and idempotency key, as of every event that comes in.
const SUBJECT_MAX_CHARS: usize = 1024;
const KEY_MAX_CHARS: usize = 255;

/// What one source is known to have told.
#[derive(Debug)]
pub(super) struct Memory {
    live: Option<u64>,
    summary: Option<String>,
    /// By fingerprints of id and time: whatever a server sends, each takes as little.
    visits: Bounded<String, ()>,
    /// By fingerprints of their ids, with those of their states.
    groups: Bounded<String, String>,
}

/// What there is to be remembered once it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Live(u64),
    Summary(String),
    Visit(String),
    Group(String, String),
}

impl Mark {
    /// The fingerprint that it is known by.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Live(_) => LIVE,
            Self::Summary(name) | Self::Visit(name) | Self::Group(name, _) => name,
        }
    }
}

/// Something new, as the event that it becomes.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub kind: &'static str,
    pub subject: Option<String>,
    pub time: Option<Timestamp>,
    pub data: Bytes,
    pub key: Option<String>,
    pub mark: Mark,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            live: None,
            summary: None,
            visits: Bounded::new(VISITS_MAX),
            groups: Bounded::new(GROUPS_MAX),
        }
    }
}

impl Memory {
    /// Whether anything of `resource` is known.
    pub(super) fn has(&self, resource: Resource) -> bool {
        match resource {
            Resource::Live => self.live.is_some(),
            Resource::Overview => self.summary.is_some(),
            Resource::Visitors => !self.visits.is_empty(),
            Resource::ErrorGroups => !self.groups.is_empty(),
        }
    }

    /// What is new in a live count: at most one thing.
    pub(super) fn live(&self, visitors: u64) -> Vec<New> {
        if self.live == Some(visitors) {
            return Vec::new();
        }
        let previous = self.live.map_or("null".to_owned(), |live| live.to_string());
        let data = format!(r#"{{"visitors":{visitors},"previous":{previous}}}"#);
        vec![New {
            kind: LIVE,
            subject: None,
            time: None,
            data: data.into(),
            key: None,
            mark: Mark::Live(visitors),
        }]
    }

    /// What is new in a summary: at most one thing.
    pub(super) fn summary(&self, summary: &RawValue) -> Vec<New> {
        let name = summary_name(summary);
        if self.summary.as_ref() == Some(&name) {
            return Vec::new();
        }
        vec![New {
            kind: ANALYTICS,
            subject: None,
            time: None,
            data: bytes(summary),
            key: None,
            mark: Mark::Summary(name),
        }]
    }

    /// The visit, if it is new.
    pub(super) fn visit(&self, visit: &Visit<'_>) -> Option<New> {
        let name = visit_name(visit);
        if self.visits.get(&name).is_some() {
            return None;
        }
        let Visit { id, visited_at, .. } = visit;
        let key = Some(format!("visitor:{id}:{visited_at}"));
        let key = key.filter(|key| fits(key, KEY_MAX_CHARS));
        Some(New {
            kind: VISITOR,
            subject: subject(id),
            time: Timestamp::parse(visited_at).ok(),
            data: bytes(visit.item),
            key: Some(key.unwrap_or_else(|| format!("visitor:{name}"))),
            mark: Mark::Visit(name),
        })
    }

    /// The groups that are new or have changed; the vendor's lists begin with the newest.
    pub(super) fn groups(&self, groups: &[Group<'_>]) -> Vec<New> {
        let mut new: Vec<New> = Vec::new();
        for group in groups.iter().rev() {
            let mark = group_mark(group);
            let Mark::Group(name, state) = &mark else {
                continue;
            };
            let is_known = self.groups.get(name) == Some(state);
            // A list that has one twice means it once.
            if !is_known && !new.iter().any(|other| other.mark.name() == name) {
                let last_seen = group.last_seen_at.as_deref();
                new.push(New {
                    kind: ERROR_GROUP,
                    subject: subject(&group.id),
                    time: last_seen.and_then(|time| Timestamp::parse(time).ok()),
                    data: bytes(group.item),
                    // The same state may come back, which is a change.
                    key: None,
                    mark,
                });
            }
        }
        new
    }

    /// It is in the log.
    pub(super) fn remember(&mut self, mark: Mark) {
        match mark {
            Mark::Live(visitors) => self.live = Some(visitors),
            Mark::Summary(name) => self.summary = Some(name),
            Mark::Visit(name) => self.visits.insert(name, ()),
            Mark::Group(name, state) => self.groups.insert(name, state),
        }
    }

    /// It is in the log, before all that was remembered or recalled so far.
    pub(super) fn recall(&mut self, event: &Event) {
        #[derive(Deserialize)]
        struct Live {
            visitors: u64,
        }
        let body = &*event.content.body;
        let item = || serde_json::from_slice::<&RawValue>(body).ok();
        match &*event.content.kind {
            LIVE if self.live.is_none() => {
                let live = serde_json::from_slice::<Live>(body);
                self.live = live.ok().map(|live| live.visitors);
            }
            ANALYTICS if self.summary.is_none() => self.summary = item().map(summary_name),
            VISITOR => {
                if let Some(visit) = item().and_then(polled::visit) {
                    self.visits.insert_older(visit_name(&visit), ());
                }
            }
            ERROR_GROUP => {
                let mark = item().and_then(polled::group);
                if let Some(Mark::Group(name, state)) = mark.as_ref().map(group_mark) {
                    self.groups.insert_older(name, state);
                }
            }
            _ => {}
        }
    }
}

fn bytes(raw: &RawValue) -> Bytes {
    // A slice would keep the whole answer.
    Bytes::copy_from_slice(raw.get().as_bytes())
}

fn summary_name(summary: &RawValue) -> String {
    Fingerprint::of(&[&polled::canonical(summary)])
}

fn visit_name(visit: &Visit<'_>) -> String {
    Fingerprint::of(&[&visit.id, &visit.visited_at])
}

fn group_mark(group: &Group<'_>) -> Mark {
    Mark::Group(
        Fingerprint::of(&[&group.id]),
        Fingerprint::of(&[&group.state]),
    )
}

fn subject(id: &str) -> Option<String> {
    fits(id, SUBJECT_MAX_CHARS).then(|| id.to_owned())
}

fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Form, NewEvent};
    use crate::id::EventId;

    fn data(new: &[New]) -> Vec<&str> {
        let each = new
            .iter()
            .map(|new| std::str::from_utf8(&new.data).unwrap());
        each.collect()
    }

    fn keep(memory: &mut Memory, new: Vec<New>) -> Vec<Event> {
        let events = new.iter().map(|new| Event {
            id: EventId::new(Timestamp::from_millis(0), 0, 0),
            seq: 0,
            received_at: Timestamp::from_millis(0),
            content: NewEvent {
                source: "z".into(),
                kind: new.kind.into(),
                subject: new.subject.clone(),
                time: new.time,
                content_type: "application/json".into(),
                form: Form::Data,
                body: new.data.clone(),
                status: None,
                idempotency_key: new.key.clone(),
            },
        });
        let events = events.collect();
        new.into_iter().for_each(|new| memory.remember(new.mark));
        events
    }

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    const VISIT: &str = r#"{ "id":"v1","visited_at":"2026-02-07T10:30:00.000Z", "value_score":85}"#;

    fn groups(text: &str) -> Vec<u8> {
        format!(r#"{{"success":true,"data":{{"error_groups":[{text}]}}}}"#).into_bytes()
    }

    #[test]
    fn zrt_25_a_live_count_is_new_when_it_changes_and_tells_what_it_was() {
        let mut memory = Memory::default();
        let first = memory.live(3);
        assert_eq!(data(&first), [r#"{"visitors":3,"previous":null}"#]);
        assert_eq!(
            data(&memory.live(3)),
            data(&first),
            "not kept, so it comes again"
        );
        keep(&mut memory, first);
        assert_eq!(data(&memory.live(3)), [""; 0]);
        assert_eq!(data(&memory.live(0)), [r#"{"visitors":0,"previous":3}"#]);
    }

    #[test]
    fn zrt_40_a_visit_is_new_once_and_another_visit_of_the_same_visitor_is_another() {
        let mut memory = Memory::default();
        let item = raw(VISIT);
        let visit = polled::visit(&item).unwrap();
        let new = memory.visit(&visit).unwrap();
        assert_eq!(&*new.data, VISIT.as_bytes(), "the bytes are unchanged");
        assert_eq!(new.subject.as_deref(), Some("v1"));
        assert_eq!(new.time.unwrap().to_string(), "2026-02-07T10:30:00.000Z");
        assert_eq!(
            new.key.as_deref(),
            Some("visitor:v1:2026-02-07T10:30:00.000Z")
        );
        memory.remember(new.mark);
        assert!(memory.visit(&visit).is_none());
        let later = raw(&VISIT.replace("10:30", "11:30"));
        assert!(memory.visit(&polled::visit(&later).unwrap()).is_some());
    }

    #[test]
    fn an_id_of_any_length_has_a_key_that_fits_and_no_subject_that_does_not() {
        let item = raw(&format!(r#"{{"id":"{}"}}"#, "x".repeat(5000)));
        let new = Memory::default()
            .visit(&polled::visit(&item).unwrap())
            .unwrap();
        assert_eq!((new.subject, new.time), (None, None));
        assert!(new.key.unwrap().len() < KEY_MAX_CHARS);
    }

    #[test]
    fn zrt_28_a_group_is_new_when_its_count_or_status_changes_even_back() {
        let mut memory = Memory::default();
        let told = |memory: &mut Memory, text: &str| {
            let body = groups(text);
            let new = memory.groups(&polled::groups(&body).unwrap());
            let told: Vec<_> = data(&new).into_iter().map(str::to_owned).collect();
            keep(memory, new);
            told
        };
        let (one, other) = (
            r#"{"id":"a","occurrence_count":1,"status":"open"}"#,
            r#"{"id":"b","occurrence_count":5}"#,
        );
        assert_eq!(
            told(&mut memory, &format!("{one},{other},{one}")),
            [one, other]
        );
        assert_eq!(told(&mut memory, &format!("{one},{other}")), [""; 0]);
        let solved = one.replace("open", "resolved");
        assert_eq!(told(&mut memory, &solved), [solved.as_str()]);
        assert_eq!(told(&mut memory, one), [one]);
        assert_eq!(
            told(&mut memory, &one.replace("1,", r#"1,"message":"m","#)),
            [""; 0]
        );
    }

    #[test]
    fn what_is_in_the_log_is_known_again_the_newest_of_each() {
        let mut memory = Memory::default();
        let item = raw(VISIT);
        let visit = polled::visit(&item).unwrap();
        let (old, summary) = (
            raw(r#"{"total_visitors":1}"#),
            raw(r#"{"total_visitors":2}"#),
        );
        let mut log = Vec::new();
        for new in [
            memory.live(1),
            memory.summary(&old),
            vec![memory.visit(&visit).unwrap()],
        ] {
            log.extend(keep(&mut memory, new));
        }
        let body = groups(r#"{"id":"a","occurrence_count":1}"#);
        let now = groups(r#"{"id":"a","occurrence_count":2}"#);
        for body in [&body, &now] {
            let new = memory.groups(&polled::groups(body).unwrap());
            log.extend(keep(&mut memory, new));
        }
        for new in [memory.live(2), memory.summary(&summary)] {
            log.extend(keep(&mut memory, new));
        }
        let mut again = Memory::default();
        assert!(Resource::ALL.iter().all(|resource| !again.has(*resource)));
        log.iter().rev().for_each(|event| again.recall(event));
        assert!(Resource::ALL.iter().all(|resource| again.has(*resource)));
        assert_eq!(data(&again.live(2)), [""; 0]);
        assert_eq!(
            data(&again.summary(&raw(r#"{ "total_visitors": 2 }"#))),
            [""; 0]
        );
        assert_eq!(data(&again.summary(&old)), [old.get()]);
        assert!(again.visit(&visit).is_none());
        assert_eq!(data(&again.groups(&polled::groups(&now).unwrap())), [""; 0]);
        assert_eq!(again.groups(&polled::groups(&body).unwrap()).len(), 1);
    }
}
