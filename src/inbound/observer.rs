//! Who is told of events that came in, and of the requests that brought them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::{Method, StatusCode};

use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::id::EventId;
use crate::store::Appended;
use crate::trace::TraceContext;

/// An event that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id; of the first one, if it is a duplicate.
    pub id: EventId,
    /// Whether it was there already.
    pub is_duplicate: bool,
    /// Its source.
    pub source: Arc<str>,
    /// Its type.
    pub kind: Arc<str>,
}

impl Taken {
    /// What became of `events`, which the store has answered by `appended`.
    pub fn all(events: Named, appended: &[Appended]) -> Vec<Self> {
        let each = events.0.into_iter().zip(appended);
        each.map(|((source, kind), appended)| Self {
            id: appended.id,
            is_duplicate: appended.duplicate,
            source,
            kind,
        })
        .collect()
    }
}

/// What is told of events, kept while the store has them.
pub struct Named(Vec<(Arc<str>, Arc<str>)>);

impl Named {
    /// Of these.
    pub fn of(events: &[NewEvent]) -> Self {
        let each = events.iter();
        Self(
            each.map(|it| (it.source.clone(), it.kind.clone()))
                .collect(),
        )
    }
}

/// A request that was to bring events, and was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its method.
    pub method: Method,
    /// Which route it came to, with the names of its parts.
    pub route: &'static str,
    /// What tells it from every other one, as in the log; on Zebline's way there is no such id.
    pub id: Option<String>,
    /// The trace that it says it belongs to: a stranger's word.
    pub caller: Option<TraceContext>,
    /// How it was answered.
    pub status: StatusCode,
    /// When it came, by the broker's clock.
    pub began: Timestamp,
    /// Until its answer was made, in the machine's own time.
    pub took: Duration,
    /// What it brought.
    pub taken: Vec<Taken>,
}

/// Is told where it happens: it must neither wait nor panic.
pub trait Observer: Send + Sync + 'static {
    /// A request that was to bring events has been answered.
    fn answered(&self, request: Answered);

    /// Events are on disk that no such request brought: polled, imported, or made here.
    fn came(&self, taken: Vec<Taken>);
}

/// Where a request's events are written down for its answer. A request carries one while somebody
/// wants to know.
#[derive(Clone, Debug, Default)]
pub struct Brought(Arc<Mutex<Vec<Taken>>>);

impl Brought {
    /// It brought these, too.
    pub(super) fn add(&self, taken: Vec<Taken>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(taken);
    }

    /// All that it brought.
    pub fn take(&self) -> Vec<Taken> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
