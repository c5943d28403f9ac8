//! The limits of a store.

use std::sync::Arc;
use std::time::Duration;

use super::sealing::keyring::Keyring;
use super::{AcceptedLoss, Retention};

/// The limits of a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Events that may wait to be written.
    pub queue_max_events: usize,
    /// Bytes that may wait to be written.
    pub queue_max_bytes: usize,
    /// Events in one group.
    pub group_max_events: usize,
    /// Bytes in one group.
    pub group_max_bytes: usize,
    /// How long an idempotency key is remembered.
    pub dedupe_window: Duration,
    /// How many are remembered at most.
    pub dedupe_max_entries: usize,
    /// Decoded frames in memory.
    pub frame_cache_bytes: usize,
    /// Endpoints that may be there at once.
    pub endpoints_max: usize,
    /// Deliveries of one endpoint that may wait for a retry before it attempts no new ones.
    pub waiting_max_per_endpoint: usize,
    /// Attempts that may be under way at once, by which claims are shared out.
    pub in_flight_max: usize,
    /// Events and transitions after which a snapshot is written, so that a start reads no more.
    pub snapshot_max_records: u64,
    /// Bytes of the journal that the database takes in at once; 0 for no journal.
    pub journal_bytes: u64,
    /// Below this much free disk nothing is ingested.
    pub disk_reserve_bytes: u64,
    /// How long what is kept.
    pub retention: Retention,
    /// Events that the operator gave up for lost.
    pub accept_loss: AcceptedLoss,
    /// Frames of transitions that the operator gave up for lost.
    pub accept_lost_transitions: AcceptedLoss,
    /// Whether a damaged database may be put together anew from its records. Without it a start
    /// writes nothing that the database would not write by itself.
    pub mend: bool,
    /// By which endpoints' secrets are sealed and opened.
    pub keys: Arc<Keyring>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_max_events: 4096,
            queue_max_bytes: 16 << 20,
            group_max_events: 1024,
            group_max_bytes: 4 << 20,
            dedupe_window: Duration::from_secs(4 * 3600),
            dedupe_max_entries: 500_000,
            frame_cache_bytes: 8 << 20,
            endpoints_max: 10_000,
            waiting_max_per_endpoint: 100_000,
            in_flight_max: 512,
            snapshot_max_records: 100_000,
            journal_bytes: 4 << 20,
            disk_reserve_bytes: 64 << 20,
            retention: Retention::default(),
            accept_loss: None,
            accept_lost_transitions: None,
            mend: true,
            keys: Arc::new(Keyring::empty()),
        }
    }
}
