//! From the configuration to an open store.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rand::RngExt;

use super::{AppError, Keep};
use crate::clock::{SharedClock, Stopwatch};
use crate::config::{self, Config};
use crate::store::backend::Backend;
use crate::store::keyring::Keyring;
use crate::store::memory::Memory;
use crate::store::{
    Log, Observer, Options, Retention, SourceRetention, Store, StoreError, committer,
};

/// The store's limits, as the configuration says.
pub fn store_options(config: &Config) -> Options {
    let limits = &config.server.limits;
    Options {
        queue_max_events: limits.ingest_queue_events,
        queue_max_bytes: limits.ingest_queue_bytes,
        group_max_events: limits.group_max_events,
        group_max_bytes: limits.group_max_bytes,
        dedupe_window: limits.dedupe_window,
        dedupe_max_entries: limits.dedupe_max_entries,
        endpoints_max: limits.endpoints_max,
        retention: retention(&config.retention),
        journal_bytes: limits.store_journal_bytes as u64,
        disk_reserve_bytes: limits.disk_reserve_bytes as u64,
        waiting_max_per_endpoint: limits.waiting_max_per_endpoint,
        in_flight_max: limits.deliveries_in_flight_max,
        keys: Arc::new(keyring(config)),
        ..Options::default()
    }
}

fn keyring(config: &Config) -> Keyring {
    match &config.server.master_keys {
        None => Keyring::empty(),
        Some(keys) => Keyring::new(
            &keys.present,
            &keys.previous,
            Box::new(|| rand::rng().random()),
        ),
    }
}

/// What names a new store and keys its duplicate index.
pub fn entropy() -> [u64; 3] {
    rand::rng().random()
}

/// Opens the log, and starts the thread that writes it.
pub(super) async fn open(
    keep: Keep,
    config: &Config,
    clock: SharedClock,
    options: Options,
    observer: Arc<dyn Observer>,
) -> Result<(Arc<dyn Store>, JoinHandle<()>), AppError> {
    match keep {
        Keep::OnDisk => {
            let dir = config.server.data_dir.clone();
            let cache_bytes = config.server.limits.store_cache_bytes as u64;
            let open = move || Log::open(&dir, cache_bytes, clock, options, entropy());
            let watch = Stopwatch::start();
            let log = blocking(open).await?;
            tell_of_recovery(&log, watch.elapsed());
            at_work(log, observer)
        }
        Keep::InMemory => at_work(
            Log::over(Memory::default(), clock, options, entropy())?,
            observer,
        ),
    }
}

/// Where the process before did not stop in good order, an operator wants to know what became of it.
fn tell_of_recovery<B: Backend>(log: &Log<B>, took: Duration) {
    let records = log.read_again();
    if records == 0 {
        return;
    }
    let queues = log.queues();
    let waiting: u64 = queues.iter().map(|it| it.pending + it.waiting).sum();
    tracing::info!(
        events = *log.tail().borrow(),
        records,
        waiting,
        took_ms = took.as_millis() as u64,
        "the store was not closed: what is behind its last snapshot was read again, and deliveries go on where they were"
    );
}

fn at_work<B: Backend>(
    log: Log<B>,
    observer: Arc<dyn Observer>,
) -> Result<(Arc<dyn Store>, JoinHandle<()>), AppError> {
    let log = Arc::new(log);
    log.observe_by(observer);
    let runtime = tokio::runtime::Handle::current();
    log.answer_by(Box::new(move |answers| {
        runtime.spawn(async { answers.send() });
    }));
    let committer = committer::spawn(log.clone()).map_err(|cause| AppError::System {
        what: "a thread",
        cause,
    })?;
    Ok((log, committer))
}

/// The store's retention, as the configuration says.
fn retention(read: &config::Retention) -> Retention {
    let sources = read.sources.iter().map(|(name, rule)| {
        let rule = SourceRetention {
            max_age: rule.max_age,
            max_bytes: rule.max_bytes,
            dead_letters_max_age: rule.dead_letters_max_age,
        };
        (name.clone(), rule)
    });
    Retention {
        max_age: read.max_age,
        max_bytes: read.max_bytes,
        attempts_max_age: read.attempts_max_age,
        dead_letters_max_age: read.dead_letters_max_age,
        waiting_max_age: read.waiting_max_age,
        sources: sources.collect(),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => Err(StoreError::Stopped(format!("the store gave up: {panic}"))),
    }
}
