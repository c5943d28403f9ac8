//! A log that is long already, written without HTTP in between.

use std::path::Path;
use std::sync::Arc;

use super::BenchError;
use super::plan::BODY_BYTES;
use crate::clock::RealClock;
use crate::event::{Form, NewEvent};
use crate::store::disk::Disk;
use crate::store::{AppendError, Log, Options, Store, StoreError};

/// Events of one group.
const GROUP: u64 = 1_000;

const CACHE_BYTES: u64 = 32 << 20;

/// Fills a new data directory with so many events that no endpoint was there for, and closes it.
pub fn fill(data: &Path, events: u64) -> Result<(), BenchError> {
    let failed = |error: StoreError| BenchError::Failed(format!("filling a log: {error}"));
    let log: Log<Disk> = Log::open(
        data,
        CACHE_BYTES,
        Arc::new(RealClock),
        Options::default(),
        [1, 2, 3],
    )
    .map_err(failed)?;
    for from in (0..events).step_by(GROUP as usize) {
        let group = (from..(from + GROUP).min(events))
            .map(|_| event())
            .collect();
        log.append(group).map_err(|error| match error {
            AppendError::Store(error) => failed(error),
            other => BenchError::Failed(format!("filling a log: {other}")),
        })?;
        log.commit().map_err(failed)?;
    }
    log.close().map_err(failed)
}

fn event() -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: "bench.past".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: vec![b'7'; BODY_BYTES].into(),
        status: None,
        idempotency_key: None,
    }
}
