//! Sources, and what has come in through each since the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::request::params::Params;
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
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sources {
    data: Vec<Shown>,
    /// There are no more: all are told at once.
    next: Option<String>,
    /// Requests to `/in/…` where there is no such source.
    unknown: u64,
}

/// A source of either kind.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Source")]
#[serde(untagged)]
enum Shown {
    Relayed(Source),
    Polled(Polled),
}

/// A source that senders speak to, and what came in since the start.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SpokenSource")]
struct Source {
    name: String,
    /// Such as `hotjar`.
    kind: &'static str,
    /// Where it is spoken to.
    path: String,
    /// Events taken.
    accepted: u64,
    /// Events that were there already.
    duplicates: u64,
    /// Requests refused, by reason.
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

/// A source that is polled, and how that went since the start.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PolledSource")]
struct Polled {
    name: String,
    /// `zenovay`.
    kind: &'static str,
    /// Events taken.
    accepted: u64,
    /// Events that were there already.
    duplicates: u64,
    /// Requests made.
    polls: u64,
    /// Of those, how many failed.
    failed: u64,
    /// What was asked for in vain the last time.
    failing: Vec<&'static str>,
    /// What is not asked for at present.
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
