//! What is counted and measured where it happens, in the machine's own time unless it says
//! otherwise.
//!
//! A name stands here as it is scraped, except that a counter's ends in `_total` there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::config::NATIVE_SOURCE;
use crate::store::{Outcome, Written};

/// Seconds: from what a busy disk takes at best to what nobody waits for.
const QUICK_S: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Seconds: up to the longest time-out that is sensible.
const ATTEMPT_S: [f64; 13] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0,
];

/// Seconds: up to a day, as a backlog behind a receiver that is away grows old.
const WAIT_S: [f64; 11] = [
    0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0,
];

/// Events in a group.
const GROUP: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];

type Labels = [(&'static str, String); 1];

/// A family of two or more histograms, so few that each is held by name: nothing is looked up where
/// it is observed.
type Histograms = Family<[(&'static str, &'static str); 1], Histogram, fn() -> Histogram>;

/// As many sources are counted by name. Those of the configuration are far fewer; but what is
/// imported may be of any.
const SOURCES_MAX: usize = 1_000;

/// What all other sources together are called. None of the configuration can have it: a name has no
/// brackets.
const OTHERS: &str = "(other)";

/// A counter for each source, of a bounded number.
#[derive(Debug, Default)]
struct BySource {
    family: Family<Labels, Counter>,
    counters: Mutex<HashMap<Arc<str>, Counter>>,
}

impl BySource {
    fn add(&self, source: &Arc<str>, events: u64) {
        let counters = self.counters.lock();
        let mut counters = counters.unwrap_or_else(PoisonError::into_inner);
        let counter = match counters.get(source) {
            Some(counter) => counter,
            None if counters.len() < SOURCES_MAX => {
                let made = self.family.get_or_create_owned(&of_source(source));
                counters.entry(source.clone()).or_insert(made)
            }
            None => &self.family.get_or_create_owned(&of_source(OTHERS)),
        };
        counter.inc_by(events);
    }

    /// Runs of one source, which are most groups, are looked up once.
    fn count<'a>(&self, sources: impl Iterator<Item = &'a Arc<str>>) {
        let mut run: Option<(&Arc<str>, u64)> = None;
        for source in sources {
            run = match run {
                Some((same, events)) if same == source => Some((same, events + 1)),
                before => {
                    if let Some((source, events)) = before {
                        self.add(source, events);
                    }
                    Some((source, 1))
                }
            };
        }
        if let Some((source, events)) = run {
            self.add(source, events);
        }
    }
}

/// The instruments of one broker.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    taken: Histogram,
    refused: Histogram,
    synced: Histogram,
    unsynced: Histogram,
    group: Histogram,
    first_wait: Histogram,
    retry_wait: Histogram,
    attempts: [Histogram; 4],
    received: BySource,
    repeated: BySource,
    remembered: AtomicU64,
}

/// How an attempt's end is called in labels.
pub fn outcome_name(outcome: &Outcome) -> &'static str {
    OUTCOMES[outcome_number(outcome)]
}

/// Every [`outcome_name`].
pub const OUTCOMES: [&str; 4] = ["delivered", "failed", "dead", "removed"];

/// Which of [`OUTCOMES`] it is.
pub fn outcome_number(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Delivered => 0,
        Outcome::Retry { .. } => 1,
        Outcome::Dead => 2,
        Outcome::Gone => 3,
    }
}

impl Default for Instruments {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut histograms =
            |name, help, label, make: fn() -> Histogram, values: &[&'static str]| {
                let family = Histograms::new_with_constructor(make);
                registry.register(name, help, family.clone());
                let of = |value: &&'static str| family.get_or_create_owned(&[(label, *value)]);
                values.iter().map(of).collect::<Vec<_>>()
            };
        let quick = || Histogram::new(QUICK_S);
        let ingest = histograms(
            "redeliver_ingest_duration_seconds",
            "Requests that bring events, from their head to their answer",
            "result",
            quick,
            &["accepted", "refused"],
        );
        let commits = histograms(
            "redeliver_store_commit_duration_seconds",
            "Writing one group: with a sync behind it (disk), or without one (process)",
            "durability",
            quick,
            &["disk", "process"],
        );
        let waits = histograms(
            "redeliver_delivery_wait_seconds",
            "By the broker's clock, from when an attempt could begin until it began: since its event was received (first), or since its retry was due (retry)",
            "attempt",
            || Histogram::new(WAIT_S),
            &["first", "retry"],
        );
        let attempts = histograms(
            "redeliver_delivery_attempt_duration_seconds",
            "Attempts, from their beginning until their answer was read or given up",
            "outcome",
            || Histogram::new(ATTEMPT_S),
            &OUTCOMES,
        );
        let group = Histogram::new(GROUP);
        registry.register(
            "redeliver_store_commit_group_events",
            "Events that one sync made durable",
            group.clone(),
        );
        let (received, repeated) = (BySource::default(), BySource::default());
        for counted in [&received, &repeated] {
            // From 0 on, so that the first event is an increase.
            counted.add(&NATIVE_SOURCE.into(), 0);
        }
        registry.register(
            "redeliver_events_received",
            "Events that went into the log",
            received.family.clone(),
        );
        registry.register(
            "redeliver_events_duplicate",
            "Events that were there already, within the duplicate window",
            repeated.family.clone(),
        );
        let [taken, refused] = fixed(ingest);
        let [synced, unsynced] = fixed(commits);
        let [first_wait, retry_wait] = fixed(waits);
        Self {
            registry,
            taken,
            refused,
            synced,
            unsynced,
            group,
            first_wait,
            retry_wait,
            attempts: fixed(attempts),
            received,
            repeated,
            remembered: AtomicU64::new(0),
        }
    }
}

/// As many as there were names.
fn fixed<const N: usize>(histograms: Vec<Histogram>) -> [Histogram; N] {
    // Infallible: each call above names N values.
    histograms.try_into().unwrap_or_else(|_| unreachable!())
}

impl Instruments {
    /// A request that brought events is answered.
    pub fn answered(&self, is_accepted: bool, took: Duration) {
        match is_accepted {
            true => self.taken.observe(took.as_secs_f64()),
            false => self.refused.observe(took.as_secs_f64()),
        }
    }

    /// A group is written.
    pub fn written(&self, group: &Written<'_>) {
        let seconds = group.took.as_secs_f64();
        match group.synced {
            true => self.synced.observe(seconds),
            false => self.unsynced.observe(seconds),
        }
        if !group.events.is_empty() {
            self.group.observe(group.events.len() as f64);
        }
        let sources = group.events.iter().map(|event| &event.content.source);
        self.received.count(sources);
        self.repeated.count(group.duplicates.iter());
        self.remembered
            .store(group.remembered as u64, Ordering::Relaxed);
    }

    /// An attempt begins that could have begun `waited` ago.
    pub fn began(&self, is_first: bool, waited: Duration) {
        match is_first {
            true => self.first_wait.observe(waited.as_secs_f64()),
            false => self.retry_wait.observe(waited.as_secs_f64()),
        }
    }

    /// An attempt has ended.
    pub fn ended(&self, outcome: &Outcome, took: Duration) {
        self.attempts[outcome_number(outcome)].observe(took.as_secs_f64());
    }

    /// Ids in the duplicate window, when a group was last written.
    pub fn remembered(&self) -> u64 {
        self.remembered.load(Ordering::Relaxed)
    }

    /// What they show, in OpenMetrics text without its end.
    pub(super) fn write(&self, page: &mut String) -> std::fmt::Result {
        text::encode_registry(page, &self.registry)
    }
}

fn of_source(source: &str) -> Labels {
    [("source", source.to_owned())]
}
