//! The durable log over a [`Backend`]: its parts and its locks.
//!
//! Locks are taken in this order: writer, shared, inbox. The writer is held over a sync, the
//! others never are.
//!
//! | file | what is in it |
//! |---|---|
//! | `face.rs` | the methods of [`Store`](super::Store), each to the room that does it |
//! | `parts.rs` | what the locks guard |
//! | `meta.rs` | what a store is known by |
//! | `steps.rs` | the time, and a clock that is set |
//! | `cache.rs` | frames of events that were read |
//! | `pins.rs` | what is being read, and must not be deleted meanwhile |

pub mod cache;
mod face;
pub mod meta;
pub mod parts;
pub mod pins;
mod steps;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::backend::Backend;
use super::commit::answers::{Carrier, Carriers};
use super::commit::inbox::Inbox;
use super::files::high_water::HighWater;
use super::maintain::Maintenance;
use super::projection::state::State;
use super::{Options, StoreError};
use crate::clock::SharedClock;
use crate::id::Seq;
use cache::Cache;
use meta::Meta;
use parts::{Shared, Writer};
use pins::Pins;

/// The log; see [`Store`](super::Store).
pub struct Log<B> {
    pub(super) backend: B,
    pub(super) clock: SharedClock,
    pub(super) options: Options,
    pub(super) meta: Meta,
    pub(super) writer: Mutex<Writer>,
    pub(super) shared: Mutex<Shared>,
    pub(super) cache: Cache,
    pub(super) high_water: Option<HighWater>,
    pub(super) snapshot_path: Option<PathBuf>,
    /// Held by a replay, so that none of its deliveries is put back by another one.
    pub(super) replaying: Mutex<()>,
    /// What a reader of the whole log holds; whatever deletes asks here.
    pub(super) pins: Pins,
    pub(super) maintenance: Mutex<Maintenance>,
    pub(super) inbox: Inbox,
    pub(super) answering: Carriers,
    pub(super) observed: super::observer::Observed,
    /// Events of the group that is being written.
    pub(super) committing: AtomicUsize,
    pub(super) disk_is_full: AtomicBool,
    /// Records that the start read.
    pub(super) read_again: AtomicU64,
    changed: watch::Sender<u64>,
    work: watch::Sender<u64>,
    pub(super) tail: watch::Sender<Seq>,
    pub(super) stopped: watch::Sender<Option<StoreError>>,
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under a lock stops the store: the committer says so, and nothing is written again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parts that recovery puts together.
pub(super) struct Recovered {
    pub meta: Meta,
    pub writer: Writer,
    pub state: State,
    pub high_water: Option<HighWater>,
    pub snapshot_path: Option<PathBuf>,
}

impl<B: Backend> Log<B> {
    pub(super) fn assemble(
        backend: B,
        clock: SharedClock,
        options: Options,
        recovered: Recovered,
    ) -> Self {
        let last = recovered.writer.next_seq - 1;
        Self {
            shared: Mutex::new(Shared {
                state: recovered.state,
                stepped_ms: clock.moment().stepped_ms,
                clock_was_set: false,
                ..Shared::default()
            }),
            cache: Cache::new(options.frame_cache_bytes),
            backend,
            clock,
            options,
            meta: recovered.meta,
            writer: Mutex::new(recovered.writer),
            high_water: recovered.high_water,
            snapshot_path: recovered.snapshot_path,
            replaying: Mutex::new(()),
            pins: Pins::default(),
            maintenance: Mutex::default(),
            inbox: Inbox::default(),
            answering: Carriers::default(),
            observed: Default::default(),
            committing: AtomicUsize::new(0),
            disk_is_full: AtomicBool::new(false),
            read_again: AtomicU64::new(0),
            changed: watch::Sender::new(0),
            work: watch::Sender::new(0),
            tail: watch::Sender::new(last),
            stopped: watch::Sender::new(None),
        }
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        unpoisoned(&self.writer)
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        unpoisoned(&self.shared)
    }

    /// The bytes beneath, for tests that crash it.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// From now on `carrier` takes each group's answers to where they are sent.
    pub fn answer_by(&self, carrier: Carrier) {
        self.answering.name(carrier);
    }

    pub(super) fn wait_for_work(&self) -> bool {
        self.inbox.wait()
    }

    pub(super) fn wake(&self) {
        self.work.send_modify(|turn| *turn = turn.wrapping_add(1));
        self.tell_of_change();
    }

    pub(super) fn tell_of_change(&self) {
        self.changed
            .send_modify(|turn| *turn = turn.wrapping_add(1));
    }
}
