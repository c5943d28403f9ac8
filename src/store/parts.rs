//! What the log's locks guard.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::StoreError;
use super::dedupe::Dedupe;
use super::record::Transition;
use super::state::State;
use crate::endpoint::Endpoint;
use crate::id::Seq;

/// What only the one who writes needs.
#[derive(Debug)]
pub(super) struct Writer {
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
pub(super) struct Shared {
    pub state: State,
    pub unsaved: Vec<Transition>,
    pub unsaved_bytes: usize,
    pub replies: Vec<Reply>,
    pub sync_wanted: bool,
    /// By how much the clock had been set when it was last looked at.
    pub stepped_ms: i64,
    pub snapshot_wanted: bool,
}

#[derive(Debug)]
pub(super) enum Reply {
    Endpoint(
        oneshot::Sender<Result<Arc<Endpoint>, StoreError>>,
        Arc<Endpoint>,
    ),
}

impl Shared {
    /// What is to be written, which from now on somebody is writing.
    pub fn take_unsaved(&mut self) -> Vec<Transition> {
        self.unsaved_bytes = 0;
        std::mem::take(&mut self.unsaved)
    }
}
