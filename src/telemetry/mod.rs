//! What is known of a running broker: told to it by the rooms below, where it happens, and asked
//! for by those above. Nothing that is delivered depends on it, and it is gone with the process.
//!
//! | file | what is in it |
//! |---|---|
//! | [`activity`], [`past`] | what came in and was attempted over the last hour, day and week |
//! | [`instruments`], [`endpoints`] | what is counted and measured where it happens |
//! | [`sheet`], [`process`] | figures as they stand when somebody looks |
//! | [`spans`] | what has become of spans, where traces are exported |
//! | [`page`] | all of these as text for a Prometheus |

pub mod activity;
pub mod endpoints;
pub mod instruments;
pub mod page;
pub mod past;
pub mod process;
pub mod sheet;
pub mod spans;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::StatusCode;

use crate::clock::Timestamp;
use crate::deliver::Observer as ObservesDelivery;
use crate::inbound::tally::Reason;
use crate::store::{self, Claim, GaveUp, Outcome, Settlement, Written};

use activity::Activity;
use endpoints::Endpoints;
use instruments::Instruments;
use spans::Spans;

/// As which source refusals of `POST /v1/events` are counted.
pub const NATIVE_REFUSALS: &str = crate::config::NATIVE_SOURCE;

/// What is known of one broker.
#[derive(Debug)]
pub struct Telemetry {
    /// When it was started, by its own clock.
    pub started_at: Timestamp,
    /// What happened over time.
    pub activity: Activity,
    /// What is measured.
    pub instruments: Instruments,
    /// What is counted endpoint by endpoint.
    pub endpoints: Endpoints,
    /// What has become of spans.
    pub spans: Arc<Spans>,
    refused: Mutex<BTreeMap<Reason, u64>>,
    connections: AtomicUsize,
}

impl Telemetry {
    /// Of a broker that was started at `started_at`; up to `endpoints_max` endpoints are counted
    /// by themselves.
    pub fn new(started_at: Timestamp, endpoints_max: usize) -> Self {
        Self {
            started_at,
            activity: Activity::default(),
            instruments: Instruments::default(),
            endpoints: Endpoints::new(endpoints_max),
            spans: Arc::default(),
            refused: Mutex::default(),
            connections: AtomicUsize::new(0),
        }
    }

    /// A request that brings events was answered with this status after so long. `is_native` tells
    /// whether it came to `POST /v1/events`, whose refusals nobody else counts.
    pub fn answered(&self, status: StatusCode, is_native: bool, took: Duration) {
        let is_accepted = status.is_success();
        self.instruments.answered(is_accepted, took);
        if is_native && !is_accepted {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            *refused.entry(Reason::of(status)).or_default() += 1;
        }
    }

    /// Why `POST /v1/events` was refused, and how often.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let each = refused.iter();
        each.map(|(reason, count)| (reason.name(), *count))
            .collect()
    }

    /// A connection was opened.
    pub fn came(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// One was closed.
    pub fn left(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many are open.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl store::Observer for Telemetry {
    fn written(&self, group: Written<'_>) {
        // A group has one time.
        if let Some(event) = group.events.first() {
            let events = group.events.len() as u64;
            self.activity.ingested(events, event.received_at);
        }
        self.instruments.written(&group);
    }

    fn gave_up(&self, given_up: GaveUp<'_>) {
        let GaveUp {
            endpoint,
            why,
            count,
            ..
        } = given_up;
        self.endpoints.give_up(endpoint.number, why, count);
    }
}

impl ObservesDelivery for Telemetry {
    fn began(&self, claim: &Claim, waited: Duration) {
        self.instruments.began(claim.attempt == 1, waited);
    }

    fn ended(&self, claim: &Claim, settlement: &Settlement, took: Duration) {
        let outcome = &settlement.outcome;
        let at = settlement.attempt.ended_at;
        self.instruments.ended(outcome, took);
        self.endpoints.count(claim.endpoint.number, outcome);
        let delivered = *outcome == Outcome::Delivered;
        self.activity.attempted(&claim.endpoint, delivered, at);
    }
}
