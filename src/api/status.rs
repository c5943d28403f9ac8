//! `GET /v1/status`: the broker at a glance.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::request::params::Params;
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::inbound::problem::Problem;
use crate::store::{QueueView, SourceFigures};

/// The broker at a glance.
#[derive(Serialize, JsonSchema)]
pub(super) struct Status {
    /// Of the program.
    version: &'static str,
    started_at: Timestamp,
    /// By the broker's clock.
    now: Timestamp,
    clock: Clock,
    store: Store,
    endpoints: Endpoints,
    deliveries: Deliveries,
    streams: Streams,
}

/// The broker's clock.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusOfClock")]
struct Clock {
    /// `real`, `scaled` or `manual`.
    kind: &'static str,
    /// As it is written on the command line: `real`, `60x`, `manual`.
    speed: String,
}

/// What the store holds and takes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusOfStore")]
struct Store {
    /// Events that can be read.
    events: u64,
    first_seq: Option<Seq>,
    last_seq: Option<Seq>,
    /// When the oldest of them was received.
    oldest_at: Option<Timestamp>,
    /// Of the whole data directory.
    used_bytes: u64,
    /// Of the records, and of those that are still needed.
    log_bytes: u64,
    live_bytes: u64,
    /// Of the disk.
    free_bytes: Option<u64>,
    /// Below this much free disk no event is taken.
    reserve_bytes: u64,
    /// Why nothing is written any more.
    stopped: Option<String>,
    /// What is there of each source whose bytes are bounded by `[retention.sources]`, as of the last
    /// look, which is taken each minute.
    sources: Vec<OfSource>,
}

/// What is there of a source.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusOfSource")]
struct OfSource {
    name: String,
    events: u64,
    /// Of their records, bodies included.
    bytes: u64,
}

/// How many endpoints there are.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "StatusOfEndpoints")]
struct Endpoints {
    active: u64,
    paused: u64,
}

/// Of every endpoint together. Removed ones are included, which `/v1/overview` leaves out.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "StatusOfDeliveries")]
struct Deliveries {
    pending: u64,
    waiting: u64,
    in_flight: u64,
    delivered: u64,
    dead: u64,
    removed: u64,
    /// When the next retry is due, or now, if something could be attempted now.
    next_due_at: Option<Timestamp>,
}

/// Event streams, and backups and exports under way.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusOfStreams")]
struct Streams {
    open: usize,
    max: usize,
}

impl From<SourceFigures> for OfSource {
    fn from(of: SourceFigures) -> Self {
        Self {
            name: of.name,
            events: of.events,
            bytes: of.bytes,
        }
    }
}

impl Deliveries {
    fn add(&mut self, queue: &QueueView) {
        self.pending += queue.pending;
        self.waiting += queue.waiting;
        self.in_flight += queue.in_flight;
        self.delivered += queue.ended.delivered;
        self.dead += queue.ended.dead;
        self.removed += queue.ended.removed;
    }
}

impl Endpoints {
    fn add(&mut self, queue: &QueueView) {
        match queue.endpoint.state {
            EndpointState::Active => self.active += 1,
            EndpointState::Paused => self.paused += 1,
            EndpointState::Removed => {}
        }
    }
}

/// `GET /v1/status`.
pub(super) async fn show(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Status>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    let (queues, depth, figures) = admin
        .ask(|store| Ok((store.queues(), store.depth(), store.figures())))
        .await?;
    let mut deliveries = Deliveries {
        next_due_at: depth.next_due,
        ..Deliveries::default()
    };
    let mut endpoints = Endpoints::default();
    for queue in &queues {
        deliveries.add(queue);
        endpoints.add(queue);
    }
    let stopped = admin.store.stopped().borrow().clone();
    let (open, max) = admin.streams.count();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        started_at: admin.telemetry.started_at,
        now: admin.clock.now(),
        clock: Clock {
            kind: admin.clock_kind.name(),
            speed: admin.clock_kind.to_string(),
        },
        store: Store {
            events: figures.events,
            first_seq: figures.first_seq,
            last_seq: Some(figures.last_seq).filter(|seq| *seq > 0),
            oldest_at: figures.oldest_at,
            used_bytes: figures.used_bytes,
            log_bytes: figures.log_bytes,
            live_bytes: figures.live_bytes,
            free_bytes: figures.free_bytes,
            reserve_bytes: admin.limits.disk_reserve_bytes as u64,
            stopped: stopped.map(|error| error.to_string()),
            sources: figures.sources.into_iter().map(OfSource::from).collect(),
        },
        endpoints,
        deliveries,
        streams: Streams { open, max },
    }))
}
