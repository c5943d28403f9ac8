//! What the alerts need of the broker.

use std::sync::Arc;

use tokio::sync::watch;

use crate::analytics::Analytics;
use crate::clock::SharedClock;
use crate::deliver::agenda::Agenda;
use crate::inbound::Ingest;
use crate::store::Store;
use crate::store::kept::Kept;

/// The file in which what was told of conditions is kept.
pub const KEPT: &str = "alerts.json";

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
    /// Where each alert says when it looks next.
    pub agenda: Agenda,
    /// Where what was told of conditions is kept.
    pub kept: Kept,
    /// Turns true when it is time to end.
    pub stopping: watch::Receiver<bool>,
}
