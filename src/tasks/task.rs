//! A task, and what it is asked to do: values, which are written down as they are.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::endpoint::{Filter, FilterOn};
use crate::id::{Seq, TaskId};
use crate::store::FoundDelivery;
use crate::tasks::statuses::Statuses;

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskKind")]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Puts deliveries that have ended back, so that they are due now.
    Replay,
    /// Gives deliveries up that have not arrived: they end as removed.
    Discard,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskState")]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It goes on by itself, also after a restart.
    Running,
    /// It has come to its end.
    Done,
    /// An operator ended it; what it had done stays done.
    Cancelled,
    /// It cannot go on; `error` says why.
    Failed,
}

impl State {
    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What a task is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskRequest")]
pub struct Request {
    /// What is done.
    pub kind: Kind,
    /// Of this endpoint only, by name or id, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Only those in these states, with commas between them. A replay knows `dead`; a discard has to
    /// be told, of `pending`, `waiting` and `dead`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Statuses>,
    /// Only of events of these types: patterns with commas between them.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
    /// Only of events received at or after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only of events received before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// At most so many, the oldest first of each endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only count them.
    #[serde(default)]
    pub dry_run: bool,
}

impl Request {
    /// What selects the events.
    pub fn filter(&self) -> Option<Filter> {
        let kinds = self.kinds.as_ref()?;
        Some(Filter {
            on: FilterOn::Kind,
            patterns: kinds
                .split(',')
                .map(|kind| kind.trim().to_owned())
                .collect(),
        })
    }
}

/// What is looked through, settled when the task is made: what comes later is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first endpoint's number.
    pub first_endpoint: u32,
    /// The last endpoint's number; below the first there is none.
    pub last_endpoint: u32,
    /// The first event.
    pub from: Seq,
    /// The last event; below the first there is none.
    pub until: Seq,
    /// How many events between them had expired.
    #[serde(default)]
    pub expired: u64,
}

/// How far it has come: everything before this has been looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// At this endpoint.
    pub endpoint: u32,
    /// At this event.
    pub seq: Seq,
}

/// What is being put back, or given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Of this endpoint.
    pub endpoint: u32,
    /// As they were found.
    pub deliveries: Vec<FoundDelivery>,
}

/// A bulk operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Where it stands.
    pub state: State,
    /// What it was asked to do.
    pub request: Request,
    /// What it looks through.
    pub span: Span,
    /// How far it has come.
    pub place: Place,
    /// What it is about to do, or may have done just now.
    pub batch: Option<Batch>,
    /// What it has passed because an attempt was under way, by endpoint: it comes back to these when
    /// everything else is looked through.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub under_way: BTreeMap<u32, BTreeSet<Seq>>,
    /// How many deliveries it has found.
    pub matched: u64,
    /// How many of them it has put back, or given up.
    pub done: u64,
    /// When it was made, by the broker's clock.
    pub created_at: Timestamp,
    /// When it ended, by the broker's clock.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// The idempotency key that it was made with.
    pub key: Option<String>,
}

impl Task {
    /// A task that has not begun.
    pub fn new(
        id: TaskId,
        request: Request,
        span: Span,
        created_at: Timestamp,
        key: Option<String>,
    ) -> Self {
        Self {
            id,
            state: State::Running,
            request,
            span,
            place: Place {
                endpoint: span.first_endpoint,
                seq: span.from,
            },
            batch: None,
            under_way: BTreeMap::new(),
            matched: 0,
            done: 0,
            created_at,
            ended_at: None,
            error: None,
            key,
        }
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// How many there are in all; not known before everything is looked through.
    pub fn total(&self) -> Option<u64> {
        (self.state == State::Done).then_some(self.matched)
    }

    /// How many it may still find.
    pub fn left(&self) -> u64 {
        let limit = self.request.limit.unwrap_or(u64::MAX);
        limit.saturating_sub(self.matched)
    }

    /// Comes back later to those of `seqs`, of this endpoint.
    pub(super) fn come_back_to(&mut self, endpoint: u32, seqs: Vec<Seq>) {
        if !seqs.is_empty() {
            self.under_way.entry(endpoint).or_default().extend(seqs);
        }
    }

    /// The share of what it looks through that it has looked through, from 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.state == State::Done {
            return 1.0;
        }
        let Span {
            first_endpoint,
            last_endpoint,
            from,
            until,
            ..
        } = self.span;
        let share = |done: u64, all: u64| done as f64 / all.max(1) as f64;
        let all = u64::from(last_endpoint.saturating_sub(first_endpoint)) + 1;
        let passed = u64::from(self.place.endpoint.saturating_sub(first_endpoint));
        let events = (until + 1).saturating_sub(from);
        let within = share(self.place.seq.saturating_sub(from).min(events), events);
        (share(passed.min(all), all) + within / all as f64).min(1.0)
    }

    /// Ends it.
    pub(super) fn end(&mut self, state: State, error: Option<String>, now: Timestamp) {
        self.state = state;
        self.batch = None;
        self.under_way.clear();
        self.error = error;
        self.ended_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        let request = Request {
            kind: Kind::Replay,
            endpoint: None,
            status: None,
            kinds: Some("order.*, invoice".to_owned()),
            since: None,
            until: None,
            limit: Some(10),
            dry_run: false,
        };
        let span = Span {
            first_endpoint: 3,
            last_endpoint: 4,
            from: 101,
            until: 200,
            expired: 0,
        };
        let at = Timestamp::from_millis(0);
        Task::new(TaskId::new(at, 1, 0), request, span, at, None)
    }

    #[test]
    fn progress_is_the_share_of_endpoints_and_events_that_was_looked_through() {
        let mut task = task();
        assert_eq!(task.progress(), 0.0);
        task.place.seq = 151;
        assert_eq!(task.progress(), 0.25);
        task.place = Place {
            endpoint: 4,
            seq: 151,
        };
        assert_eq!(task.progress(), 0.75);
        task.end(State::Done, None, task.created_at);
        assert_eq!((task.progress(), task.total()), (1.0, Some(0)));
    }

    #[test]
    fn the_patterns_are_read_without_the_spaces_around_them() {
        let filter = task().request.filter().unwrap();
        assert_eq!(filter.patterns, ["order.*", "invoice"]);
    }

    #[test]
    fn what_is_found_counts_against_the_limit() {
        let mut task = task();
        task.matched = 4;
        assert_eq!(task.left(), 6);
    }
}
