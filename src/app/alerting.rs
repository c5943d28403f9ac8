//! The alerts' task.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::alerts::Alerts;
use crate::alerts::watch::{self, Parts};

/// Starts to watch, if there is anything to watch for.
pub(super) fn start(alerts: Arc<Alerts>, parts: Parts) -> Option<JoinHandle<()>> {
    (!alerts.is_empty()).then(|| tokio::spawn(watch::watch(alerts, parts)))
}
