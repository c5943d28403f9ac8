//! How a poller is getting on.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

/// How one poller is getting on, since the start.
#[derive(Debug)]
pub struct Gauge {
    /// The source's name.
    pub name: String,
    figures: Mutex<Figures>,
}

/// What a gauge shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that went into the log.
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Requests that were made.
    pub polls: u64,
    /// Rounds that brought nothing that can be used.
    pub failed: u64,
    /// What failed when it was last asked for.
    pub failing: BTreeSet<&'static str>,
    /// What is not asked for at present because the server asked for patience (ZSS-04, X-07).
    pub resting: BTreeSet<&'static str>,
    /// When the last request was made.
    pub last_polled_at: Option<Timestamp>,
    /// The last failure: when, and its words, which hold no secret.
    pub last_failure: Option<(Timestamp, String)>,
    /// When the next request is due; none while one is under way.
    pub next_poll_at: Option<Timestamp>,
}

impl Gauge {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            figures: Mutex::default(),
        }
    }

    /// What it shows.
    pub fn figures(&self) -> Figures {
        self.lock().clone()
    }

    pub(super) fn waits(&self, until: Timestamp, resting: BTreeSet<&'static str>) {
        let mut figures = self.lock();
        figures.next_poll_at = Some(until);
        figures.resting = resting;
    }

    pub(super) fn asks(&self, now: Timestamp) {
        let mut figures = self.lock();
        figures.polls += 1;
        figures.last_polled_at = Some(now);
        figures.next_poll_at = None;
    }

    pub(super) fn kept(&self, accepted: usize, duplicates: usize) {
        let mut figures = self.lock();
        figures.accepted += accepted as u64;
        figures.duplicates += duplicates as u64;
    }

    pub(super) fn works(&self, what: &'static str) {
        self.lock().failing.remove(what);
    }

    pub(super) fn failed(&self, what: &'static str, error: &str, now: Timestamp) {
        let mut figures = self.lock();
        figures.failed += 1;
        figures.failing.insert(what);
        figures.last_failure = Some((now, format!("{what}: {error}")));
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        // Nothing in here panics halfway through a change.
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
