//! Sources, and what has come in through each since the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;

use super::params::Params;
use crate::clock::Timestamp;
use crate::inbound::problem::Problem;
use crate::inbound::relay::Relay;
use crate::inbound::tally::Seen;
use crate::inbound::zebline::Zebline;

/// `GET /v1/sources`, as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct Sources {
    data: Vec<Source>,
    /// There are no more: all are told at once.
    next: Option<String>,
    /// Requests to `/in/…` where there is no such source.
    unknown: u64,
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

/// Every source that senders speak to: those that are relayed, then Zebline's.
pub(super) async fn list(
    State((relay, zebline)): State<(Arc<Relay>, Arc<Zebline>)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Sources>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    Ok(Json(Sources {
        data: relay
            .sources()
            .chain(zebline.sources())
            .map(Source::of)
            .collect(),
        next: None,
        unknown: relay.unknown(),
    }))
}
