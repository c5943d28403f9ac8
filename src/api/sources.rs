//! Sources, and what has come in through each since the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;

use super::params::Params;
use crate::clock::Timestamp;
use crate::config::SourceKind;
use crate::inbound::problem::Problem;
use crate::inbound::relay::Relay;
use crate::inbound::tally::Seen;
use crate::inbound::zebline::Zebline;
use crate::poll::gauge::Gauge;

/// Every source that comes by its own way and not by the native API.
#[derive(Clone)]
pub(super) struct All {
    /// Those that are spoken to at `/in/…`.
    pub relay: Arc<Relay>,
    /// Zebline's.
    pub zebline: Arc<Zebline>,
    /// Those that are polled.
    pub pollers: Arc<[Arc<Gauge>]>,
}

/// `GET /v1/sources`, as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct Sources {
    data: Vec<Shown>,
    /// There are no more: all are told at once.
    next: Option<String>,
    /// Requests to `/in/…` where there is no such source.
    unknown: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Shown {
    Relayed(Source),
    Polled(Polled),
}

#[derive(Debug, Serialize)]
struct Source {
    name: String,
    kind: &'static str,
    path: String,
    accepted: u64,
    duplicates: u64,
    refused: BTreeMap<&'static str, u64>,
    last_refused_at: Option<Timestamp>,
    last_refusal: Option<String>,
}

impl Source {
    fn of(seen: Seen<'_>) -> Self {
        let counts = seen.counts;
        let refused = counts.refused.into_iter();
        let (last_refused_at, last_refusal) = counts.last_refusal.unzip();
        Self {
            name: seen.name.to_owned(),
            kind: seen.kind,
            path: seen.path,
            accepted: counts.accepted,
            duplicates: counts.duplicates,
            refused: refused
                .map(|(reason, count)| (reason.name(), count))
                .collect(),
            last_refused_at,
            last_refusal,
        }
    }
}

#[derive(Debug, Serialize)]
struct Polled {
    name: String,
    kind: &'static str,
    accepted: u64,
    duplicates: u64,
    polls: u64,
    failed: u64,
    failing: Vec<&'static str>,
    resting: Vec<&'static str>,
    last_polled_at: Option<Timestamp>,
    last_failed_at: Option<Timestamp>,
    last_error: Option<String>,
    next_poll_at: Option<Timestamp>,
}

impl Polled {
    fn of(gauge: &Gauge) -> Self {
        let figures = gauge.figures();
        let (last_failed_at, last_error) = figures.last_failure.unzip();
        Self {
            name: gauge.name.clone(),
            kind: SourceKind::Zenovay.name(),
            accepted: figures.accepted,
            duplicates: figures.duplicates,
            polls: figures.polls,
            failed: figures.failed,
            failing: figures.failing.into_iter().collect(),
            resting: figures.resting.into_iter().collect(),
            last_polled_at: figures.last_polled_at,
            last_failed_at,
            last_error,
            next_poll_at: figures.next_poll_at,
        }
    }
}

/// Every source that senders speak to, and then every one that is polled.
pub(super) async fn list(
    State(All {
        relay,
        zebline,
        pollers,
    }): State<All>,
    RawQuery(query): RawQuery,
) -> Result<Json<Sources>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    let relayed = relay.sources().chain(zebline.sources());
    let relayed = relayed.map(Source::of).map(Shown::Relayed);
    let polled = pollers.iter().map(|gauge| Shown::Polled(Polled::of(gauge)));
    Ok(Json(Sources {
        data: relayed.chain(polled).collect(),
        next: None,
        unknown: relay.unknown(),
    }))
}
