//! The durable log over a [`Backend`]: its parts, its locks, and the face that it shows.
//!
//! Locks are taken in this order: writer, shared, inbox. The writer is held over a sync, the
//! others never are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::answers::{Carrier, Carriers};
use super::backend::Backend;
use super::backup::{BackupError, Cursor, Have};
use super::cache::Cache;
use super::commit::Saving;
use super::high_water::HighWater;
use super::inbox::Inbox;
use super::maintain::Maintenance;
use super::meta::Meta;
use super::parts::{Shared, Writer};
use super::pins::Pins;
use super::state::State;
use super::{
    AppendError, Appended, Claim, DeliveryQuery, DeliveryView, Depth, EndedDelivery, EndedQuery,
    EndpointCommand, EndpointError, EndpointView, Figures, Maintained, Options, Page, QueueView,
    ReplayRequest, SettleError, Settlement, Store, StoreError, Ticket, Token,
};
use crate::clock::{SharedClock, Timestamp};
use crate::endpoint::Endpoint;
use crate::event::{Event, NewEvent};
use crate::id::Seq;

/// How many attempts a delivery shows.
const MAX_ATTEMPTS_SHOWN: usize = 1_000;

/// The log; see [`Store`].
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

impl<B: Backend> Store for Log<B> {
    fn append(&self, events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError> {
        self.take_in(events)
    }

    fn find_by_key(&self, source: &str, key: &str) -> Result<Option<Appended>, StoreError> {
        self.find_original(source, key)
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_events(from, limit)
    }

    fn read_back(&self, until: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_events_back(until, limit)
    }

    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        self.read_event(seq)
    }

    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError> {
        self.claim_due(max)
    }

    fn look_for_work(&self) {
        let may_claim = {
            let shared = self.shared();
            shared.state.has_ready() && shared.state.in_flight() < self.options.in_flight_max
        };
        if may_claim {
            self.wake();
        }
    }

    fn settle(&self, token: Token, settlement: Settlement) -> Result<(), SettleError> {
        self.settle_claim(token, settlement)
    }

    fn release(&self, token: Token) -> Result<(), SettleError> {
        self.release_claim(token)
    }

    fn endpoint(&self, command: EndpointCommand) -> Result<Ticket<Arc<Endpoint>>, EndpointError> {
        self.change_registry(command)
    }

    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.endpoint_views(None)
    }

    fn queues(&self) -> Vec<QueueView> {
        self.queue_views()
    }

    fn endpoint_view(&self, number: u32) -> Result<Option<EndpointView>, StoreError> {
        Ok(self.endpoint_views(Some(number))?.pop())
    }

    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>> {
        self.find_named(name_or_id)
    }

    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError> {
        self.replay_deliveries(&request)
    }

    fn find_ended(&self, query: &EndedQuery) -> Result<Page<EndedDelivery, Seq>, StoreError> {
        self.find_ended_deliveries(query)
    }

    fn put_back(&self, endpoint: u32, deliveries: &[EndedDelivery]) -> Result<u64, StoreError> {
        self.put_back_deliveries(endpoint, deliveries)
    }

    fn position_at(&self, moment: Timestamp) -> Result<Seq, StoreError> {
        self.first_received_at_or_after(moment)
    }

    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError> {
        self.save_settlements()?;
        self.delivery_view(endpoint, seq, MAX_ATTEMPTS_SHOWN)
    }

    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.list_deliveries(query)
    }

    fn begin_backup(&self, have: &Have) -> Result<Cursor, BackupError> {
        self.cursor(have)
    }

    fn figures(&self) -> Figures {
        self.figures_now()
    }

    fn read_backup(&self, cursor: &mut Cursor) -> Result<Option<Vec<u8>>, BackupError> {
        self.read_on(cursor)
    }

    fn expired_at(&self, seq: Seq) -> Option<Timestamp> {
        self.shared().state.expired.at(seq)
    }

    fn maintain(&self) -> Result<Maintained, StoreError> {
        self.maintain_now()
    }

    fn depth(&self) -> Depth {
        self.present_depth()
    }

    fn commit(&self) -> Result<bool, StoreError> {
        self.commit_next(Saving::Events)
    }

    fn save(&self) -> Result<(), StoreError> {
        self.save_settlements()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    fn tail(&self) -> watch::Receiver<Seq> {
        self.tail.subscribe()
    }

    fn stopped(&self) -> watch::Receiver<Option<StoreError>> {
        self.stopped.subscribe()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.write_everything()
    }
}
