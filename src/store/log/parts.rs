//! What the log's locks guard.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::endpoint::Endpoint;
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::projection::dedupe::Dedupe;
use crate::store::projection::state::State;
use crate::store::record::Transition;
use crate::store::sealing::keyring::Keyring;
use crate::store::sealing::seals::Seals;

/// What only the one who writes needs.
#[derive(Debug)]
pub(in crate::store) struct Writer {
    pub keys: Arc<Keyring>,
    pub dedupe: Dedupe,
    pub next_seq: Seq,
    pub next_frame: u64,
    /// CRC of the last frame of events, and of transitions.
    pub events_crc: u32,
    pub transitions_crc: u32,
    pub records_since_snapshot: u64,
    pub bytes_since_snapshot: u64,
}

/// What claims, settlements and commands change, and what of it is still to be written.
#[derive(Debug, Default)]
pub(in crate::store) struct Shared {
    pub state: State,
    pub unsaved: Vec<Transition>,
    pub unsaved_bytes: usize,
    /// Something among them has its place between two events: a change of an endpoint, a replay.
    pub unsaved_has_order: bool,
    /// Groups of events that have gone before them.
    pub deferrals: u32,
    pub replies: Vec<Reply>,
    pub sync_wanted: bool,
    /// By how much the clock had been set when it was last looked at.
    pub stepped_ms: i64,
    /// Whether it ever was; steps may add up to nothing.
    pub clock_was_set: bool,
    pub snapshot_wanted: bool,
    /// How endpoints' secrets were found at the start.
    pub seals: Seals,
}

#[derive(Debug)]
pub(in crate::store) enum Reply {
    Endpoint(
        oneshot::Sender<Result<Arc<Endpoint>, StoreError>>,
        Arc<Endpoint>,
    ),
}

/// Together they take a receiver's answers up to this far behind the events: some ten milliseconds
/// under load.
const DEFERRALS_MAX: u32 = 16;
const DEFERRED_MAX: usize = 512;

impl Shared {
    /// Whether a group of events may go before what is unsaved. The ends of attempts need no sync,
    /// and cost less together. Where nothing else is among them, a rebuild that sees them later
    /// among the events comes to the same state, as long as no queue leaves events in the log: what
    /// it leaves there depends on how long it is at that moment.
    pub fn defer(&mut self) -> bool {
        let may_wait = !self.unsaved_has_order
            && !self.sync_wanted
            && self.unsaved.len() < DEFERRED_MAX
            && self.deferrals < DEFERRALS_MAX
            && !self.state.is_crowded();
        self.deferrals += u32::from(may_wait && !self.unsaved.is_empty());
        may_wait
    }

    /// What is to be written, which from now on somebody is writing.
    pub fn take_unsaved(&mut self) -> Vec<Transition> {
        self.unsaved_bytes = 0;
        self.unsaved_has_order = false;
        self.deferrals = 0;
        std::mem::take(&mut self.unsaved)
    }
}
