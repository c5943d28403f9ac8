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
mod tests;
