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
    // Once each time: a disk that is out of order must not fill another one with its log.
    let mut told = false;
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
            Ok(Ok(done)) => {
                told = false;
                (next, at_once) = done;
            }
            Ok(Err(StoreError::Damaged { from, to, what })) => {
                tracing::warn!(from, to, %what, "the figures of websites are without damaged events");
                next = next.max(to) + 1;
                analytics.reach(next - 1);
            }
            Ok(Err(StoreError::Stopped(_))) => break,
            Ok(Err(error)) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::error!(%error, "the log cannot be read for the figures of websites; trying again");
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::facts::PAGE_VIEW;
    use crate::clock::{ManualClock, Timestamp};
    use crate::config::Website;
    use crate::event::{Form, NewEvent};
    use crate::store::memory::Memory;
    use crate::store::{Log, Options};
    use crate::vendor::zenovay::Range;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn put(store: &impl Store, source: &str, count: usize) {
        let event = NewEvent {
            source: source.into(),
            kind: PAGE_VIEW.into(),
            subject: Some("ann".to_owned()),
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: bytes::Bytes::from_static(b"{\"page_url\":\"/\"}"),
            status: None,
            idempotency_key: None,
        };
        store.append(vec![event; count]).unwrap();
        while store.commit().unwrap() {}
    }

    #[tokio::test]
    async fn the_log_is_read_from_its_beginning_and_as_it_grows_until_the_server_stops() {
        let clock: SharedClock = Arc::new(ManualClock::new(NOW));
        let options = Options::default();
        let log = Log::over(Memory::default(), clock.clone(), options, [1, 2, 3]);
        let store = Arc::new(log.unwrap());
        put(&*store, "web", 1000);
        put(&*store, "other", 1000);
        let website = Website {
            id: "w".to_owned(),
            tracking_code: "t".to_owned(),
            domain: "d".to_owned(),
            name: "n".to_owned(),
            // Twice, which counts once.
            sources: vec!["web".to_owned(), "web".to_owned()],
            api_keys: Vec::new(),
            requests_per_minute: None,
            line: 1,
        };
        let analytics = Arc::new(Analytics::new(&[website], 10_000));
        let (stop, stopping) = watch::channel(false);
        let following = tokio::spawn(follow(analytics.clone(), store.clone(), clock, stopping));
        let views = || {
            analytics
                .site(0)
                .summary(Range::LastDay, NOW)
                .total_page_views
        };
        let mut reached = analytics.reached();
        reached.wait_for(|seq| *seq == 2000).await.unwrap();
        assert_eq!(views(), 1000);
        put(&*store, "web", 1);
        reached.wait_for(|seq| *seq == 2001).await.unwrap();
        assert_eq!(views(), 1001);
        stop.send(true).unwrap();
        following.await.unwrap();
    }
}
