//! Reads the log from its beginning, and goes on as it grows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Analytics;
use crate::clock::SharedClock;
use crate::id::Seq;
use crate::store::{Store, StoreError};

/// How many events are read at once at first, and at most.
const AT_ONCE: usize = 32;
const AT_ONCE_MAX: usize = 1024;

/// How many bytes of bodies are read at once, about: the number of events follows from it.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// Takes in what is in `store`, and what comes, until `stopping` turns true or the store stops.
pub async fn follow(
    analytics: Arc<Analytics>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    mut stopping: watch::Receiver<bool>,
) {
    let mut tail = store.tail();
    let (mut next, mut at_once) = (1, AT_ONCE);
    while !*stopping.borrow() {
        let last = *tail.borrow_and_update();
        if next > last {
            let stopped = tokio::select! {
                changed = tail.changed() => changed.is_err(),
                stopped = stopping.wait_for(|stop| *stop) => { drop(stopped); true }
            };
            if stopped {
                break;
            }
            continue;
        }
        let (reader, source, time) = (analytics.clone(), store.clone(), clock.clone());
        let reading = move || {
            reader.read(
                &*source,
                &time,
                Batch {
                    next,
                    last,
                    at_once,
                },
            )
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(done)) => (next, at_once) = done,
            Ok(Err(StoreError::Damaged { from, to, what })) => {
                tracing::warn!(from, to, %what, "the figures of websites are without damaged events");
                next = next.max(to) + 1;
                analytics.reach(next - 1);
            }
            Ok(Err(StoreError::Stopped(_))) => break,
            Ok(Err(error)) => {
                tracing::error!(%error, "the log cannot be read for the figures of websites; trying again");
                tokio::select! {
                    () = tokio::time::sleep(REST) => {}
                    stopped = stopping.wait_for(|stop| *stop) => drop(stopped),
                }
            }
            Err(panic) => {
                tracing::error!(%panic, "the figures of websites are not counted any more");
                break;
            }
        }
    }
}

/// What is read next.
struct Batch {
    next: Seq,
    /// Where the log ends at present.
    last: Seq,
    at_once: usize,
}

impl Analytics {
    /// Takes in some events; says where the next ones begin, and how many to read then.
    fn read(
        &self,
        store: &dyn Store,
        clock: &SharedClock,
        batch: Batch,
    ) -> Result<(Seq, usize), StoreError> {
        let Batch {
            next,
            last,
            at_once,
        } = batch;
        let events = store.read(next, at_once)?;
        let now = clock.now();
        let mut bytes = 0;
        for event in &events {
            bytes += event.content.body.len();
            self.take(event, now);
        }
        // Where there is none, all that is left was given up for lost.
        let reached = events.last().map_or(last, |event| event.seq);
        self.reach(reached);
        let at_once = match bytes {
            0..BYTES_AT_ONCE => at_once * 2,
            _ => at_once / 2,
        };
        Ok((reached + 1, at_once.clamp(1, AT_ONCE_MAX)))
    }
}
