//! The alerts' task, and another one in its place when a reload brings other alerts.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::alerts::Alerts;
use crate::alerts::parts::Parts;
use crate::alerts::watch as watching;
use crate::current::Current;

/// The alerts in force, and who watches for them.
pub(super) struct Alerting {
    alerts: Arc<Current<Alerts>>,
    /// Their `stopping` is the broker's own.
    parts: Parts,
    watcher: Mutex<Option<Watcher>>,
}

struct Watcher {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Alerting {
    /// Begins to watch, if there is anything to watch for.
    pub fn start(alerts: Arc<Current<Alerts>>, parts: Parts) -> Self {
        let watcher = Watcher::of(alerts.get(), &parts);
        Self {
            alerts,
            parts,
            watcher: Mutex::new(watcher),
        }
    }

    /// Watches for `alerts` from now on. What was told before is known by the log, so that nothing
    /// is told twice; what had not been told yet is found again.
    pub async fn replace(&self, alerts: Alerts) {
        let mut watcher = self.watcher.lock().await;
        if *self.parts.stopping.borrow() {
            return;
        }
        if let Some(before) = watcher.take() {
            before.stop().await;
        }
        self.alerts.replace(alerts);
        *watcher = Watcher::of(self.alerts.get(), &self.parts);
    }

    /// Waits until nobody watches any more; `stopping` is to be true.
    pub async fn stopped(&self) {
        if let Some(watcher) = self.watcher.lock().await.take() {
            watcher.stop().await;
        }
    }
}

impl Watcher {
    fn of(alerts: Arc<Alerts>, parts: &Parts) -> Option<Self> {
        if alerts.is_empty() {
            return None;
        }
        let (stop, stopping) = watch::channel(false);
        let parts = Parts {
            stopping,
            ..parts.clone()
        };
        // On the agenda when this returns.
        let watching = watching::watch(alerts, parts);
        let task = tokio::spawn(watching);
        Some(Self { stop, task })
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        // It has ended already only if it has panicked.
        let _ = self.task.await;
    }
}
