//! Endpoints and their queues.

use crate::api::Admin;
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::{QueueView, Store, StoreError};
use crate::telemetry::endpoints::Counts;
use crate::telemetry::sheet::{Figure, Kind, Sheet};

/// What all endpoints together are called that are not shown by name. No endpoint can have it: a
/// name has no brackets.
const OTHERS: &str = "(other)";

/// What is shown of one endpoint, or of many.
#[derive(Default)]
struct Shown {
    backlog: u64,
    dead: u64,
    paused: u64,
    oldest: Option<Seq>,
}

impl Shown {
    fn add(&mut self, queue: &QueueView) {
        self.backlog += queue.pending + queue.waiting + queue.in_flight;
        self.dead += queue.ended.dead;
        self.paused += u64::from(queue.endpoint.state == EndpointState::Paused);
        self.oldest = self.oldest.into_iter().chain(queue.oldest).min();
    }
}

struct Figures {
    attempts: Figure,
    given_up: Figure,
    backlog: Figure,
    age: Figure,
    dead: Figure,
    paused: Figure,
}

impl Figures {
    fn new() -> Self {
        Self {
            attempts: Figure::new(
                "redeliver_delivery_attempts",
                Kind::Counter,
                "Attempts by endpoint, and by how they ended: delivered, failed and tried again, failed for the last time (dead), or answered that the endpoint is gone (removed)",
            ),
            given_up: Figure::new(
                "redeliver_dead_letters",
                Kind::Counter,
                "Deliveries that became dead letters by endpoint and cause: every attempt that the policy allows failed (policy), they waited for longer than retention.waiting_max_age (waiting_max_age), or an operator gave them up (operator)",
            ),
            backlog: Figure::new(
                "redeliver_endpoint_backlog",
                Kind::Gauge,
                "Deliveries that have not ended",
            ),
            age: Figure::new(
                "redeliver_endpoint_oldest_waiting_age_seconds",
                Kind::Gauge,
                "How long ago the oldest event was received whose delivery has not ended, by the broker's clock; 0 where there is none",
            ),
            dead: Figure::new(
                "redeliver_endpoint_dead_letters",
                Kind::Gauge,
                "Deliveries that were given up, not put back since, and not expired",
            ),
            paused: Figure::new(
                "redeliver_endpoint_paused",
                Kind::Gauge,
                "1 if the endpoint is paused; how many are, of those without a name",
            ),
        }
    }

    fn push(&mut self, name: &str, shown: &Shown, counts: &Counts, age_s: f64) {
        let labels = [("endpoint", name)];
        self.backlog.push(&labels, shown.backlog as f64);
        self.age.push(&labels, age_s);
        self.dead.push(&labels, shown.dead as f64);
        self.paused.push(&labels, shown.paused as f64);
        for (outcome, count) in counts.each() {
            let labels = [("endpoint", name), ("outcome", outcome)];
            self.attempts.push(&labels, count as f64);
        }
        for (cause, count) in counts.dead() {
            let labels = [("endpoint", name), ("cause", cause)];
            self.given_up.push(&labels, count as f64);
        }
    }
}

/// Adds what there is to know of endpoints.
pub(super) fn add(sheet: &mut Sheet, admin: &Admin, store: &dyn Store) -> Result<(), StoreError> {
    let queues = store.queues();
    totals(sheet, &queues);
    let present = queues
        .iter()
        .filter(|queue| queue.endpoint.state != EndpointState::Removed);
    let present: Vec<&QueueView> = present.collect();
    let counted = &admin.telemetry.endpoints;
    counted.retain(|number| {
        let at = present.binary_search_by_key(&number, |queue| queue.endpoint.number);
        at.is_ok()
    });
    let now = admin.clock.now();
    let (mut figures, mut others) = (Figures::new(), Shown::default());
    for queue in &present {
        let Some(counts) = counted.show(queue.endpoint.number) else {
            others.add(queue);
            continue;
        };
        let mut shown = Shown::default();
        shown.add(queue);
        let age_s = age_s(store, shown.oldest, now)?;
        let name = &queue.endpoint.settings.name;
        figures.push(name, &shown, &counts, age_s);
    }
    // Always, so that its counters do not begin in the middle of a graph.
    let age_s = age_s(store, others.oldest, now)?;
    figures.push(OTHERS, &others, &counted.others, age_s);
    for figure in [
        figures.attempts,
        figures.given_up,
        figures.backlog,
        figures.age,
        figures.dead,
        figures.paused,
    ] {
        sheet.add(figure);
    }
    Ok(())
}

fn totals(sheet: &mut Sheet, queues: &[QueueView]) {
    let sum = |count: fn(&QueueView) -> u64| queues.iter().map(count).sum::<u64>() as f64;
    let mut deliveries = Figure::new(
        "redeliver_deliveries",
        Kind::Gauge,
        "Deliveries of all endpoints together that are pending, waiting for a retry, in flight or dead",
    );
    for (status, count) in [
        ("pending", sum(|queue| queue.pending)),
        ("waiting", sum(|queue| queue.waiting)),
        ("in_flight", sum(|queue| queue.in_flight)),
        ("dead", sum(|queue| queue.ended.dead)),
    ] {
        deliveries.push(&[("status", status)], count);
    }
    sheet.add(deliveries);
    let mut endpoints = Figure::new("redeliver_endpoints", Kind::Gauge, "Endpoints by state");
    for (name, state) in [
        ("active", EndpointState::Active),
        ("paused", EndpointState::Paused),
    ] {
        let all = queues.iter().filter(|queue| queue.endpoint.state == state);
        endpoints.push(&[("state", name)], all.count() as f64);
    }
    sheet.add(endpoints);
}

/// Of an event that cannot be read nobody knows; that must not hide the rest.
fn age_s(store: &dyn Store, oldest: Option<Seq>, now: Timestamp) -> Result<f64, StoreError> {
    let Some(seq) = oldest else {
        return Ok(0.0);
    };
    match store.event(seq) {
        Ok(Some(event)) => Ok(now.since(event.received_at).as_secs_f64()),
        Ok(None) => Ok(f64::NAN),
        Err(error @ StoreError::Stopped(_)) => Err(error),
        Err(_) => Ok(f64::NAN),
    }
}
