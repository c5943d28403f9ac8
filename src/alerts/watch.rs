//! Looks at every alert's website at its times, and tells what is found.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::notice::Notice;
use super::{Alerts, Watched, remember};
use crate::analytics::Analytics;
use crate::clock::{SharedClock, Timestamp};
use crate::inbound::Ingest;
use crate::store::Store;

/// What the alerts need.
#[derive(Clone)]
pub struct Parts {
    /// The figures.
    pub analytics: Arc<Analytics>,
    /// The log, which says what was told.
    pub store: Arc<dyn Store>,
    /// The way into the log.
    pub ingest: Ingest,
    /// The broker's clock.
    pub clock: SharedClock,
    /// Turns true when it is time to end.
    pub stopping: watch::Receiver<bool>,
}

/// Watches until `stopping` turns true.
pub async fn watch(alerts: Arc<Alerts>, parts: Parts) {
    if !remember::remember(&alerts, &parts).await {
        return;
    }
    let mut tasks = JoinSet::new();
    for number in 0..alerts.each.len() {
        let (alerts, parts) = (alerts.clone(), parts.clone());
        tasks.spawn(async move { parts.watch_one(alerts, number).await });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(%panic, "an alert is not checked any more");
        }
    }
}

impl Parts {
    async fn watch_one(mut self, alerts: Arc<Alerts>, number: usize) {
        let every = alerts.each[number].alert.every;
        while self.caught_up().await {
            let moment = self.clock.moment();
            self.check(&alerts, number, moment.now).await;
            // By the time that passes evenly; a clock that has jumped makes up for one check.
            if !self.reaches(moment.steady().plus(every)).await {
                return;
            }
        }
    }

    /// Waits until everything is counted that is in the log now. Whether to go on.
    async fn caught_up(&mut self) -> bool {
        let wanted = *self.store.tail().borrow();
        let mut reached = self.analytics.reached();
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => false,
            there = reached.wait_for(|seq| *seq >= wanted) => there.is_ok(),
        }
    }

    /// Waits until the time that passes evenly is `due`. Whether to go on.
    async fn reaches(&mut self, due: Timestamp) -> bool {
        loop {
            let moment = self.clock.moment();
            if moment.steady() >= due {
                return true;
            }
            let sleep = self.clock.sleep_until(due.moved(moment.stepped_ms));
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stop| *stop) => return false,
                () = sleep => {}
            }
        }
    }

    /// One check. What cannot be told is told before the next one looks.
    async fn check(&self, alerts: &Arc<Alerts>, number: usize, now: Timestamp) {
        let watched = &alerts.each[number];
        loop {
            if !self.tell(watched).await {
                return;
            }
            let (looking, analytics) = (alerts.clone(), self.analytics.clone());
            let look = move || looking.each[number].look(&analytics, now);
            let looked = tokio::task::spawn_blocking(look).await;
            let again = looked.unwrap_or_else(|error| {
                let alert = &*watched.alert.name;
                tracing::error!(%error, alert, "a check of the alert ended in a panic");
                false
            });
            if !self.tell(watched).await {
                return;
            }
            if !again {
                watched.state().checked(now);
                return;
            }
        }
    }

    /// Puts the outbox into the log. Whether it is empty.
    async fn tell(&self, watched: &Watched) -> bool {
        loop {
            let first = watched.state().outbox.front().cloned();
            let Some(event) = first else {
                return true;
            };
            // One by one: a busy store has room for one long before it has room for many.
            if let Err(problem) = self.ingest.keep(vec![event]).await {
                let alert = &*watched.alert.name;
                tracing::warn!(%problem, alert, "the alert is not in the log yet; trying again at its next check");
                return false;
            }
            watched.state().told();
        }
    }
}

impl Watched {
    fn look(&self, analytics: &Analytics, now: Timestamp) -> bool {
        let notice = Notice {
            alert: &self.alert,
            website: &self.website,
            now,
        };
        let site = analytics.site(self.number);
        self.state().look(&notice, &site)
    }
}
