//! From those who are told what happens to the queue: no wait, and next to no work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::Settings;
use super::export::{self, Export, Sampler};
use super::fact::{Attempt, Fact, sole};
use crate::deliver::Observer as ObservesDelivery;
use crate::inbound::observer::{Answered, Observer, Taken};
use crate::store::{Claim, Settlement};
use crate::telemetry::spans::Spans;
use crate::trace::TraceContext;

/// How long a stop waits for what is still to be sent.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// What waits to be made into spans, and sent.
pub struct Waiting {
    /// What happened.
    pub fact: Fact,
    /// Where a span that is no event's own would be.
    pub context: TraceContext,
    /// A request may bring a thousand events.
    _places: OwnedSemaphorePermit,
}

/// Takes down what happens, and has it exported.
pub struct Traces {
    queue: mpsc::Sender<Waiting>,
    /// As many as may wait, lists of events counted in full.
    places: Arc<Semaphore>,
    queue_max: usize,
    sampler: Sampler,
    spans: Arc<Spans>,
    seed: u64,
    made: AtomicU64,
    stop: watch::Sender<bool>,
    exporting: Mutex<Option<JoinHandle<()>>>,
}

impl Traces {
    /// Exports as `settings` say, and counts in `spans`; `seed` is by chance, for the ids of traces
    /// that are no event's. None, which is told in the log, if it cannot be done.
    pub fn start(settings: Settings, seed: u64, spans: Arc<Spans>) -> Option<Arc<Self>> {
        let (queue, facts) = mpsc::channel(settings.queue_max);
        let (stop, stopping) = watch::channel(false);
        let sampler = Sampler::new(settings.sampling);
        let export = match Export::new(&settings, sampler.clone(), spans.clone()) {
            Ok(export) => export,
            Err(error) => {
                tracing::warn!(%error, "no traces are exported");
                return None;
            }
        };
        let collector = settings.endpoint.host_str().unwrap_or_default();
        let port = settings.endpoint.port_or_known_default();
        tracing::info!(collector, port, "traces are exported");
        spans.begin();
        let exporting = tokio::spawn(export::run(export, facts, stopping));
        Some(Arc::new(Self {
            queue,
            places: Arc::new(Semaphore::new(settings.queue_max)),
            queue_max: settings.queue_max,
            sampler,
            spans,
            seed,
            made: AtomicU64::new(0),
            stop,
            exporting: Mutex::new(Some(exporting)),
        }))
    }

    /// Whether this trace is recorded.
    pub fn is_sampled(&self, context: &TraceContext) -> bool {
        self.sampler.takes(context.trace)
    }

    /// Sends what waits, for five seconds at most. What happens from now on is dropped.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let exporting = self.exporting.lock();
        let exporting = exporting.unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut exporting) = exporting else {
            return;
        };
        if tokio::time::timeout(FLUSH_MAX, &mut exporting)
            .await
            .is_err()
        {
            exporting.abort();
            tracing::warn!("stopping before the collector has taken the last spans");
        }
    }

    /// `context` is where a span that is no event's own would be.
    fn put(&self, fact: Fact, context: TraceContext) {
        let spans = fact.spans();
        // One that is larger than the queue has all of it, where nothing else waits.
        let places = fact.places().min(self.queue_max) as u32;
        let places = self.places.clone().try_acquire_many_owned(places);
        let waits = places.ok().and_then(|places| {
            let waiting = Waiting {
                fact,
                context,
                _places: places,
            };
            self.queue.try_send(waiting).ok()
        });
        if waits.is_none() {
            self.spans.overflow(spans);
        }
    }
}

impl Observer for Traces {
    fn answered(&self, request: Answered) {
        let sole = sole(&request).map(|taken| TraceContext::of_event(taken.id));
        // A list is of several traces, each of which is judged when its spans are made.
        if sole.is_none_or(|context| self.is_sampled(&context)) {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let own = TraceContext::made(self.seed, number);
            self.put(Fact::Request(request), own);
        }
    }

    fn came(&self, taken: Vec<Taken>) {
        for taken in taken.into_iter().filter(|taken| !taken.is_duplicate) {
            let context = TraceContext::of_event(taken.id);
            if self.is_sampled(&context) {
                self.put(Fact::Came(taken), context);
            }
        }
    }
}

impl ObservesDelivery for Traces {
    fn began(&self, _: &Claim, _: Duration) {}

    fn ended(&self, claim: &Claim, settlement: &Settlement, took: Duration) {
        let context = TraceContext::of_event(claim.event.id);
        if self.is_sampled(&context) {
            self.put(Fact::Attempt(Attempt::of(claim, settlement, took)), context);
        }
    }
}
