//! Reads the log from its beginning, and goes on as it grows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Analytics;
use crate::clock::SharedClock;
use crate::store::{Step, Store, StoreError, Walk};

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
    let mut walk = Walk::from(1);
    // Once each time: a disk that is out of order must not fill another one with its log.
    let mut told = false;
    while !*stopping.borrow() {
        let last = *tail.borrow_and_update();
        if walk.next() > last {
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
        // By value there and back: a step that fails is made again.
        let mut ahead = walk.clone();
        let reading = move || {
            let step = ahead.step(&*source, last)?;
            reader.take_in(step, &time);
            reader.reach(ahead.next() - 1);
            Ok(ahead)
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(ahead)) => {
                told = false;
                walk = ahead;
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

impl Analytics {
    fn take_in(&self, step: Step, clock: &SharedClock) {
        match step {
            Step::Events(events) => {
                let now = clock.now();
                for event in &events {
                    self.take(event, now);
                }
            }
            Step::Damaged { from, to, what } => {
                tracing::warn!(from, to, %what, "the figures of websites are without damaged events");
            }
            Step::End => {}
        }
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
            initial_snapshot: false,
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
