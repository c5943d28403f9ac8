//! `GET /metrics`: what a Prometheus scrapes. Guarded as `/v1` is, as it names endpoints and
//! sources.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the route, and the broker as a whole |
//! | `queues.rs` | endpoints and their queues, a bounded number of them by name |
//! | `ways_in.rs` | sources, pollers, alerts |

mod queues;
mod ways_in;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use super::request::params::Params;
use super::sources::All;
use super::{Admin, Shared};
use crate::inbound::problem::Problem;
use crate::store::{Store, StoreError};
use crate::telemetry::page::{self, Form};
use crate::telemetry::process;
use crate::telemetry::sheet::{Figure, Kind, Sheet};

/// Everything that is looked at.
#[derive(Clone)]
pub(super) struct Looked {
    pub admin: Shared,
    pub sources: All,
}

/// `GET /metrics`.
pub(super) async fn scrape(
    State(looked): State<Looked>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    let accept = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok());
    let form = Form::wanted(&accept.collect::<Vec<_>>().join(","));
    let admin = looked.admin.clone();
    let text = admin
        .ask(move |store| {
            let sheet = look(&looked, store)?;
            let text = page::write(&looked.admin.telemetry.instruments, sheet, form);
            Ok(text.unwrap_or_default())
        })
        .await?;
    let media = HeaderValue::from_static(form.media());
    Ok(([(CONTENT_TYPE, media)], text).into_response())
}

/// How everything stands.
fn look(looked: &Looked, store: &dyn Store) -> Result<Sheet, StoreError> {
    let (admin, mut sheet) = (&*looked.admin, Sheet::default());
    broker(&mut sheet, admin);
    log(&mut sheet, admin, store)?;
    queues::add(&mut sheet, admin, store)?;
    ways_in::add(&mut sheet, looked);
    admin.telemetry.spans.add(&mut sheet);
    process::add(&mut sheet);
    Ok(sheet)
}

fn broker(sheet: &mut Sheet, admin: &Admin) {
    let mut build = Figure::new(
        "redeliver_build_info",
        Kind::Gauge,
        "1, with the version that runs and the kind of its clock",
    );
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("clock", admin.clock_kind.name()),
    ];
    build.push(&labels, 1.0);
    sheet.add(build);
    sheet.gauge(
        "redeliver_clock_seconds",
        "The broker's clock, in seconds since the Unix epoch",
        admin.clock.now().as_millis() as f64 / 1000.0,
    );
    let (streams, streams_max) = admin.streams.count();
    sheet.gauge(
        "redeliver_streams_open",
        "Event streams that are open",
        streams as f64,
    );
    sheet.gauge(
        "redeliver_streams_max",
        "Event streams that may be open",
        streams_max as f64,
    );
    sheet.gauge(
        "redeliver_connections_open",
        "Inbound connections that are open",
        admin.telemetry.connections() as f64,
    );
    sheet.gauge(
        "redeliver_connections_max",
        "Inbound connections that may be open",
        admin.limits.max_connections as f64,
    );
}

fn log(sheet: &mut Sheet, admin: &Admin, store: &dyn Store) -> Result<(), StoreError> {
    let depth = store.depth();
    let figures = store.figures();
    sheet.gauge(
        "redeliver_store_events",
        "Events in the log",
        figures.events as f64,
    );
    sheet.gauge(
        "redeliver_store_first_seq",
        "The position of the oldest event in the log; 0 if there is none",
        figures.first_seq.unwrap_or_default() as f64,
    );
    sheet.gauge(
        "redeliver_store_last_seq",
        "The position of the newest event in the log; 0 if there is none",
        figures.last_seq as f64,
    );
    sheet.gauge(
        "redeliver_store_used_bytes",
        "Disk space that the store takes",
        figures.used_bytes as f64,
    );
    sheet.gauge(
        "redeliver_store_log_bytes",
        "Disk space of the records, as far as the database has taken them in",
        figures.log_bytes as f64,
    );
    sheet.gauge(
        "redeliver_store_live_bytes",
        "Disk space of those records that are still needed",
        figures.live_bytes as f64,
    );
    sheet.counter(
        "redeliver_store_expired_events",
        "Events that have expired by retention, since the store was made",
        figures.expired_events as f64,
    );
    let mut free = Figure::new(
        "redeliver_store_free_bytes",
        Kind::Gauge,
        "Disk space that is left, where it is known",
    );
    if let Some(bytes) = figures.free_bytes {
        free.push(&[], bytes as f64);
    }
    sheet.add(free);
    sheet.gauge(
        "redeliver_store_unwritten_events",
        "Events that wait to be written",
        depth.uncommitted as f64,
    );
    sheet.gauge(
        "redeliver_store_unwritten_events_max",
        "Events that may wait to be written; beyond it events are refused",
        admin.limits.ingest_queue_events as f64,
    );
    sheet.gauge(
        "redeliver_store_duplicate_window_entries",
        "Ids by which repeated events are known, when a group was last written",
        admin.telemetry.instruments.remembered() as f64,
    );
    sheet.gauge(
        "redeliver_store_duplicate_window_entries_max",
        "Ids that are remembered at most; beyond it the oldest are forgotten early",
        admin.limits.dedupe_max_entries as f64,
    );
    let stopped = store.stopped().borrow().is_some();
    sheet.gauge(
        "redeliver_store_stopped",
        "1 if the store has stopped for good, and nothing is taken or delivered any more",
        f64::from(u8::from(stopped)),
    );
    sheet.gauge(
        "redeliver_store_reserve_bytes",
        "Free disk space below which events are refused",
        admin.limits.disk_reserve_bytes as f64,
    );
    Ok(())
}
