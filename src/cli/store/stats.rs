//! `redeliver store stats`: what is in a store.

use std::sync::Arc;

use serde::Serialize;

use super::super::Failure;
use super::super::output::{self, NOTHING, Table};
use super::{Where, cache_bytes, failure};
use crate::clock::{RealClock, Timestamp};
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::keyring::Keyring;
use crate::store::{EndpointView, Log, Options, SourceFigures, Store, StoreError, expect_store};

/// What is in a store.
#[derive(Debug, Serialize)]
struct Stats {
    /// Those that are kept; `store verify` counts what can be read.
    events: u64,
    first_seq: Option<Seq>,
    last_seq: Seq,
    first_received_at: Option<Timestamp>,
    last_received_at: Option<Timestamp>,
    used_bytes: u64,
    /// Bytes of the files of records.
    log_bytes: u64,
    /// Those of them that are wanted; the rest comes back as files are emptied.
    live_bytes: u64,
    /// Events that have expired by retention, since the store was made.
    expired_events: u64,
    free_bytes: Option<u64>,
    /// Of each source whose bytes are bounded, as of the last look of the server.
    sources: Vec<SourceStats>,
    endpoints: Vec<EndpointStats>,
}

#[derive(Debug, Serialize)]
struct SourceStats {
    name: String,
    events: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct EndpointStats {
    name: String,
    state: EndpointState,
    backlog: u64,
    delivered: u64,
    dead: u64,
    removed: u64,
}

/// Opens the store, claims nothing, and prints what is in it.
pub(super) fn run(place: &Where) -> Result<(), Failure> {
    // Opening would make one.
    expect_store(&place.data).map_err(failure)?;
    let options = Options {
        endpoints_max: usize::MAX,
        mend: false,
        keys: Arc::new(Keyring::blind()),
        ..Options::default()
    };
    let entropy = [rand::random(), rand::random(), rand::random()];
    let clock = Arc::new(RealClock);
    // Not closed at the end: that would write a snapshot, and there is nothing new to keep.
    let log = Log::open(&place.data, cache_bytes(), clock, options, entropy).map_err(failure)?;
    let stats = stats(&log).map_err(failure)?;
    if place.json {
        let document = serde_json::to_string(&stats)
            .map_err(|error| Failure::Environment(error.to_string()))?;
        return output::json(&document);
    }
    human(&stats)
}

fn stats<B: Backend>(log: &Log<B>) -> Result<Stats, StoreError> {
    let last_seq = log.depth().last_seq;
    let first = log.read(1, 1)?.into_iter().next();
    let figures = log.figures();
    let last = log.event(last_seq)?;
    Ok(Stats {
        events: figures.events,
        first_seq: first.as_ref().map(|event| event.seq),
        last_seq,
        first_received_at: first.map(|event| event.received_at),
        last_received_at: last.map(|event| event.received_at),
        used_bytes: figures.used_bytes,
        log_bytes: figures.log_bytes,
        live_bytes: figures.live_bytes,
        expired_events: figures.expired_events,
        free_bytes: figures.free_bytes,
        sources: figures.sources.into_iter().map(SourceStats::from).collect(),
        endpoints: log.endpoints()?.iter().map(EndpointStats::from).collect(),
    })
}

impl From<SourceFigures> for SourceStats {
    fn from(of: SourceFigures) -> Self {
        Self {
            name: of.name,
            events: of.events,
            bytes: of.bytes,
        }
    }
}

impl From<&EndpointView> for EndpointStats {
    fn from(view: &EndpointView) -> Self {
        Self {
            name: view.endpoint.settings.name.clone(),
            state: view.endpoint.state,
            backlog: view.backlog,
            delivered: view.ended.delivered,
            dead: view.ended.dead,
            removed: view.ended.removed,
        }
    }
}

fn human(stats: &Stats) -> Result<(), Failure> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| NOTHING.to_owned());
    let time = |at: Option<Timestamp>| shown(at.map(|at| at.to_string()));
    output::pairs_of(&[
        ("events", stats.events.to_string()),
        ("last position", stats.last_seq.to_string()),
        ("first received at", time(stats.first_received_at)),
        ("last received at", time(stats.last_received_at)),
        ("expired events", stats.expired_events.to_string()),
        ("bytes on disk", stats.used_bytes.to_string()),
        ("bytes of records", stats.log_bytes.to_string()),
        ("of these wanted", stats.live_bytes.to_string()),
        ("bytes free", shown(stats.free_bytes.map(|n| n.to_string()))),
    ])?;
    if !stats.sources.is_empty() {
        output::line("")?;
        let mut table = Table::new(&["SOURCE", "EVENTS", "BYTES"]);
        for source in &stats.sources {
            let (events, bytes) = (source.events.to_string(), source.bytes.to_string());
            table.row(vec![output::clean(&source.name), events, bytes]);
        }
        table.print("")?;
    }
    output::line("")?;
    let mut table = Table::new(&["NAME", "STATE", "BACKLOG", "DELIVERED", "DEAD", "REMOVED"]);
    for endpoint in &stats.endpoints {
        let state = match endpoint.state {
            EndpointState::Active => "active",
            EndpointState::Paused => "paused",
            EndpointState::Removed => "removed",
        };
        table.row(vec![
            output::clean(&endpoint.name),
            state.to_owned(),
            endpoint.backlog.to_string(),
            endpoint.delivered.to_string(),
            endpoint.dead.to_string(),
            endpoint.removed.to_string(),
        ]);
    }
    table.print("there are no endpoints")
}
