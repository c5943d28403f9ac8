//! The task that lets what is old expire.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::opening::blocking;
use crate::clock::SharedClock;
use crate::config;
use crate::deliver::agenda::{Agenda, Slot};
use crate::store::Store;

/// A pass is waited for so long by whoever moves the clock.
const PASS_MAX: Duration = Duration::from_secs(60);

/// Looks every now and then, and once at the beginning, if anything ever expires. It is on the agenda
/// from this call on.
pub(super) fn start(
    read: &config::Retention,
    store: Arc<dyn Store>,
    clock: SharedClock,
    agenda: &Agenda,
    mut stopping: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let every = read.every()?;
    let slot = agenda.join(clock.now());
    Some(tokio::spawn(async move {
        tokio::select! {
            () = keep(every, store, clock, &slot) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }))
}

async fn keep(every: Duration, store: Arc<dyn Store>, clock: SharedClock, slot: &Slot) {
    loop {
        slot.works_until(clock.now().plus(PASS_MAX));
        let passing = store.clone();
        match blocking(move || passing.maintain()).await {
            Ok(done) if done.expired_events > 0 => tracing::info!(
                events = done.expired_events,
                "events have expired by retention"
            ),
            Ok(_) => {}
            // A store that has stopped says so itself, and ends the process.
            Err(error) => tracing::error!(%error, "retention cannot go on; it is tried again"),
        }
        let due = clock.now().plus(every);
        // Before it is told, upon which the clock may be moved.
        let sleep = clock.sleep_until(due);
        slot.waits_until(due);
        sleep.await;
    }
}
