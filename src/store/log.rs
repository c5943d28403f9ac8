//! The durable log: group commit, claims and settlements over a [`Backend`].
//!
//! Locks are taken in this order: writer, shared, inbox. The writer is held over a sync, the
//! others never are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::backend::{Backend, Durability};
use super::cache::Cache;
use super::dedupe::{Dedupe, Seen};
use super::high_water::{HighWater, Mark};
use super::inbox::{Inbox, Request};
use super::queue::{Then, Waiting};
use super::record::{AttemptRecord, Meta, Transition};
use super::state::State;
use super::write::Group;
use super::{
    AcceptedLoss, AppendError, Appended, Claim, DeliveryQuery, DeliveryView, Depth, Effect,
    EndpointCommand, EndpointError, EndpointView, Outcome, Page, ReplayRequest, SettleError,
    Settlement, Store, StoreError, Ticket, Token,
};
use crate::clock::{SharedClock, Timestamp};
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::{Event, NewEvent};
use crate::id::{EndpointId, EventId, Seq};

/// The mark is synced after this many groups.
const GROUPS_PER_MARK_SYNC: u64 = 256;

/// A snapshot is written after this many events and transitions, or bytes, so that a start reads
/// no more than that.
const RECORDS_PER_SNAPSHOT: u64 = 100_000;
const BYTES_PER_SNAPSHOT: u64 = 256 << 20;

/// No more is claimed while this many settlements wait to be written.
const MAX_UNSAVED: usize = 16_384;

/// How many attempts a delivery shows.
const MAX_ATTEMPTS_SHOWN: usize = 1_000;

/// How many events are looked at in one go when routing is taken up again.
const ROUTE_AHEAD: usize = 4_096;

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
    /// Below this much free disk nothing is ingested.
    pub disk_reserve_bytes: u64,
    /// Events that the operator gave up for lost.
    pub accept_loss: AcceptedLoss,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_max_events: 4096,
            queue_max_bytes: 16 << 20,
            group_max_events: 1024,
            group_max_bytes: 4 << 20,
            dedupe_window: Duration::from_secs(4 * 3600),
            dedupe_max_entries: 1_000_000,
            frame_cache_bytes: 8 << 20,
            endpoints_max: 10_000,
            waiting_max_per_endpoint: 100_000,
            disk_reserve_bytes: 64 << 20,
            accept_loss: None,
        }
    }
}

/// What only the one who writes needs.
#[derive(Debug)]
pub(super) struct Writer {
    pub dedupe: Dedupe,
    pub next_seq: Seq,
    pub next_frame: u64,
    /// CRC of the last frame of events, and of transitions.
    pub events_crc: u32,
    pub transitions_crc: u32,
    pub groups: u64,
    pub records_since_snapshot: u64,
    pub bytes_since_snapshot: u64,
}

/// What claims, settlements and commands change, and what of it is still to be written.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub state: State,
    pub unsaved: Vec<Transition>,
    replies: Vec<Reply>,
    sync_wanted: bool,
}

#[derive(Debug)]
enum Reply {
    Endpoint(
        oneshot::Sender<Result<Arc<Endpoint>, StoreError>>,
        Arc<Endpoint>,
    ),
}

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
    inbox: Inbox,
    /// Events of the group that is being written.
    committing: AtomicUsize,
    disk_is_full: AtomicBool,
    changed: watch::Sender<u64>,
    pub(super) tail: watch::Sender<Seq>,
    stopped: watch::Sender<Option<StoreError>>,
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under a lock is caught by nobody: the process ends, and the store is read afresh.
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
            cache: Cache::new(options.frame_cache_bytes),
            backend,
            clock,
            options,
            meta: recovered.meta,
            writer: Mutex::new(recovered.writer),
            shared: Mutex::new(Shared {
                state: recovered.state,
                ..Shared::default()
            }),
            high_water: recovered.high_water,
            snapshot_path: recovered.snapshot_path,
            inbox: Inbox::default(),
            committing: AtomicUsize::new(0),
            disk_is_full: AtomicBool::new(false),
            changed: watch::Sender::new(0),
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

    /// What the store is.
    pub fn tag(&self) -> u32 {
        self.meta.tag
    }

    pub(super) fn wait_for_work(&self) -> bool {
        self.inbox.wait()
    }

    /// Records a transition: in memory at once, on disk with the next group.
    pub(super) fn record(&self, shared: &mut Shared, transition: Transition, sync: bool) {
        shared.state.apply(&transition, self.clock.now());
        shared.unsaved.push(transition);
        shared.sync_wanted |= sync;
        self.inbox.ring(sync);
        self.wake();
    }

    /// Looked at once a group, and at each request while it is full.
    fn look_at_the_disk(&self) {
        let reserve = self.options.disk_reserve_bytes;
        let full = self.backend.free_bytes().is_some_and(|free| free < reserve);
        if self.disk_is_full.swap(full, Ordering::AcqRel) != full {
            tracing::warn!(
                full,
                reserve,
                "the disk has reached its reserve, or has room again"
            );
        }
    }

    fn wake(&self) {
        self.changed
            .send_modify(|turn| *turn = turn.wrapping_add(1));
    }

    fn stop(&self, error: &StoreError) {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert_with(|| error.clone());
            first
        });
        self.inbox.close();
        for request in self.inbox.take(usize::MAX, usize::MAX) {
            let _ = request.reply.send(Err(error.clone()));
        }
    }

    fn commit_group(&self, writer: &mut Writer) -> Result<bool, StoreError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let mut requests = self
            .inbox
            .take(self.options.group_max_events, self.options.group_max_bytes);
        let now = self.clock.now();
        let (events, answers) = self.number(writer, &mut requests, now);
        self.committing.store(events.len(), Ordering::Release);
        let (transitions, replies, sync_wanted, targets) = {
            let mut shared = self.shared();
            // Routed before the write, under the endpoints as they stand between these
            // transitions and the next: a rebuild sees just this order.
            let targets: Vec<Vec<u32>> = events
                .iter()
                .map(|event| shared.state.route(&event.content))
                .collect();
            (
                std::mem::take(&mut shared.unsaved),
                std::mem::take(&mut shared.replies),
                std::mem::take(&mut shared.sync_wanted),
                targets,
            )
        };
        if requests.is_empty() && transitions.is_empty() && !sync_wanted {
            return Ok(false);
        }
        let sync = !requests.is_empty() || sync_wanted;
        let durability = if sync {
            Durability::Disk
        } else {
            Durability::Process
        };
        let group = Group::encode(writer, &transitions, &events)?;
        writer.bytes_since_snapshot += group.bytes();
        let written = self
            .backend
            .write(group.changes, durability)
            .and_then(|()| self.mark(writer, group.mark));
        if let Err(error) = written {
            for request in requests {
                let _ = request.reply.send(Err(error.clone()));
            }
            for Reply::Endpoint(reply, _) in replies {
                let _ = reply.send(Err(error.clone()));
            }
            return Err(error);
        }
        writer.advance(&group.next, events.len() + transitions.len());
        self.look_at_the_disk();
        for frame in group.frames {
            self.cache.insert(frame);
        }
        {
            let mut shared = self.shared();
            for (event, targets) in events.iter().zip(targets) {
                for endpoint in targets {
                    shared.state.push(endpoint, event.seq, now);
                }
            }
        }
        self.committing.store(0, Ordering::Release);
        if !events.is_empty() {
            self.tail.send_replace(writer.next_seq - 1);
        }
        self.wake();
        for (request, answer) in requests.into_iter().zip(answers) {
            let _ = request.reply.send(Ok(answer));
        }
        for Reply::Endpoint(reply, endpoint) in replies {
            let _ = reply.send(Ok(endpoint));
        }
        Ok(true)
    }

    /// Gives each event its place, or finds the one that it repeats.
    fn number(
        &self,
        writer: &mut Writer,
        requests: &mut [Request],
        now: Timestamp,
    ) -> (Vec<Arc<Event>>, Vec<Vec<Appended>>) {
        let mut events: Vec<Arc<Event>> = Vec::new();
        let mut answers = Vec::with_capacity(requests.len());
        let mut in_group: HashMap<u128, Seen> = HashMap::new();
        for request in requests {
            let mut answer = Vec::with_capacity(request.events.len());
            for content in request.events.drain(..) {
                let hash = writer.dedupe.hash(&content);
                let seen = hash.and_then(|hash| {
                    let before = writer.dedupe.find(hash, now);
                    before.or_else(|| in_group.get(&hash).copied())
                });
                let duplicate = seen.is_some();
                let seen = seen.unwrap_or(Seen {
                    seq: writer.next_seq + events.len() as u64,
                    received_at: now,
                });
                let id = EventId::new(seen.received_at, seen.seq, self.meta.tag);
                answer.push(Appended {
                    id,
                    seq: seen.seq,
                    duplicate,
                });
                if duplicate {
                    continue;
                }
                in_group.extend(hash.map(|hash| (hash, seen)));
                events.push(Arc::new(Event {
                    id,
                    seq: seen.seq,
                    received_at: now,
                    content,
                }));
            }
            answers.push(answer);
        }
        // A failed write stops the store, so remembering before it is harmless.
        for (hash, seen) in in_group {
            writer.dedupe.insert(hash, seen);
        }
        (events, answers)
    }

    fn mark(&self, writer: &Writer, mark: Mark) -> Result<(), StoreError> {
        let Some(high_water) = &self.high_water else {
            return Ok(());
        };
        high_water.write(mark)?;
        if writer.groups.is_multiple_of(GROUPS_PER_MARK_SYNC) {
            high_water.sync()?;
        }
        Ok(())
    }

    /// Routes what was left in the log to queues whose backlog has shrunk.
    fn route_ahead(&self, next_seq: Seq) -> Result<(), StoreError> {
        let wanting = self.shared().state.wanting_routing();
        for (number, from) in wanting {
            self.route_some(number, from, next_seq)?;
        }
        Ok(())
    }

    /// Routes events from `from` on to one queue: some, and none at or above `end`.
    pub(super) fn route_some(&self, number: u32, from: Seq, end: Seq) -> Result<(), StoreError> {
        let most = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        let events = self.read_events(from, most.min(ROUTE_AHEAD))?;
        let until = events.last().map_or(end, |event| event.seq + 1);
        let now = self.clock.now();
        let mut shared = self.shared();
        let Some(entry) = shared.state.entry(number) else {
            return Ok(());
        };
        let filter = entry.endpoint.settings.filter.clone();
        let matching = events
            .iter()
            .filter(|event| filter.matches(&event.content))
            .map(|event| event.seq)
            .collect();
        let all = until > *self.tail.borrow();
        shared.state.routed(number, matching, until, all, now);
        drop(shared);
        self.wake();
        Ok(())
    }

    fn change(
        &self,
        shared: &Shared,
        command: EndpointCommand,
        next_seq: Seq,
    ) -> Result<Endpoint, EndpointError> {
        let name_is_free = |name: &str, number: Option<u32>| {
            let holder = shared.state.named(name).map(|e| e.endpoint.number);
            if holder.is_none() || holder == number {
                Ok(())
            } else {
                Err(EndpointError::NameTaken(name.to_owned()))
            }
        };
        let existing = |number: u32| {
            let entry = shared.state.entry(number);
            let entry = entry.ok_or_else(|| EndpointError::Unknown(number.to_string()))?;
            if entry.endpoint.state == EndpointState::Removed {
                return Err(EndpointError::Removed(entry.endpoint.settings.name.clone()));
            }
            Ok((*entry.endpoint).clone())
        };
        match command {
            EndpointCommand::Add(settings, state) => {
                name_is_free(&settings.name, None)?;
                if shared.state.present() >= self.options.endpoints_max {
                    return Err(EndpointError::TooMany(shared.state.present()));
                }
                let (number, now) = (shared.state.next_number(), self.clock.now());
                Ok(Endpoint {
                    number,
                    id: EndpointId::new(now, number, self.meta.tag),
                    revision: 1,
                    settings: *settings,
                    state,
                    state_reason: None,
                    created_at: now,
                    from_seq: next_seq,
                })
            }
            EndpointCommand::Update(number, settings) => {
                let mut endpoint = existing(number)?;
                name_is_free(&settings.name, Some(number))?;
                endpoint.revision += 1;
                endpoint.settings = *settings;
                Ok(endpoint)
            }
            EndpointCommand::SetState(number, state, reason) => {
                let mut endpoint = existing(number)?;
                endpoint.revision += 1;
                endpoint.state = state;
                endpoint.state_reason = reason;
                Ok(endpoint)
            }
        }
    }

    fn apply_effect(&self, shared: &mut Shared, number: u32, effect: Effect) {
        let (state, reason) = match effect {
            Effect::None => return,
            Effect::Pause(reason) => (EndpointState::Paused, reason),
            Effect::Remove(reason) => (EndpointState::Removed, reason),
        };
        let command = EndpointCommand::SetState(number, state, Some(reason));
        // Removed meanwhile by the operator: nothing is left to do.
        let Ok(endpoint) = self.change(shared, command, 0) else {
            return;
        };
        let transition = Transition::Endpoint(self.clock.now(), Box::new(endpoint));
        self.record(shared, transition, true);
    }
}

impl<B: Backend> Store for Log<B> {
    fn append(&self, events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error.into());
        }
        if self.disk_is_full.load(Ordering::Acquire) {
            self.look_at_the_disk();
            if self.disk_is_full.load(Ordering::Acquire) {
                let reserve_bytes = self.options.disk_reserve_bytes;
                return Err(AppendError::DiskFull { reserve_bytes });
            }
        }
        let (reply, ticket) = oneshot::channel();
        let (max_events, max_bytes) = (self.options.queue_max_events, self.options.queue_max_bytes);
        self.inbox
            .push(Request { events, reply }, max_events, max_bytes)
            .map_err(|_| AppendError::Full)?;
        Ok(ticket)
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_events(from, limit)
    }

    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        self.read_event(seq)
    }

    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError> {
        let now = self.clock.now();
        let taken = {
            let mut shared = self.shared();
            if shared.unsaved.len() >= MAX_UNSAVED {
                return Ok(Vec::new());
            }
            shared.state.take(max, now)
        };
        let mut claims = Vec::with_capacity(taken.len());
        for taken in taken {
            let missing = || StoreError::Damaged {
                from: taken.seq,
                to: taken.seq,
                what: "not in the log".to_owned(),
            };
            let event = self.read_event(taken.seq)?.ok_or_else(missing)?;
            claims.push(Claim {
                token: Token {
                    endpoint: taken.endpoint.number,
                    seq: taken.seq,
                    generation: taken.claim.generation,
                },
                endpoint: taken.endpoint,
                event,
                attempt: taken.claim.attempts + 1,
                failures: taken.claim.failures,
            });
        }
        Ok(claims)
    }

    fn settle(&self, token: Token, settlement: Settlement) -> Result<(), SettleError> {
        let mut shared = self.shared();
        let entry = shared.state.entry(token.endpoint);
        let (claim, removed) = entry
            .and_then(|entry| {
                let claim = entry.queue.claimed(token.seq, token.generation)?;
                Some((claim, entry.endpoint.state == EndpointState::Removed))
            })
            .ok_or(SettleError::Fenced)?;
        let Settlement {
            attempt,
            outcome,
            effect,
        } = settlement;
        let then = match outcome {
            Outcome::Delivered => Then::Delivered,
            Outcome::Gone => Then::Removed,
            _ if removed => Then::Removed,
            Outcome::Dead => Then::Dead,
            Outcome::Retry { after } => Then::Waiting(Waiting {
                failures: claim.failures + 1,
                attempts: attempt.number,
                due: attempt.ended_at.plus(after),
                delay: after,
            }),
        };
        let record = AttemptRecord {
            endpoint: token.endpoint,
            seq: token.seq,
            attempt,
            then,
        };
        self.record(&mut shared, Transition::Attempt(Box::new(record)), false);
        self.apply_effect(&mut shared, token.endpoint, effect);
        Ok(())
    }

    fn release(&self, token: Token) -> Result<(), SettleError> {
        let mut shared = self.shared();
        let entry = shared.state.entry(token.endpoint);
        entry
            .and_then(|entry| entry.queue.claimed(token.seq, token.generation))
            .ok_or(SettleError::Fenced)?;
        let now = self.clock.now();
        shared.state.release(token.endpoint, token.seq, now);
        drop(shared);
        self.wake();
        Ok(())
    }

    fn endpoint(&self, command: EndpointCommand) -> Result<Ticket<Arc<Endpoint>>, EndpointError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error.into());
        }
        let (reply, ticket) = oneshot::channel();
        let mut shared = self.shared();
        // Events of the group that is being written were there before the endpoint.
        let next_seq = *self.tail.borrow() + 1 + self.committing.load(Ordering::Acquire) as u64;
        let endpoint = self.change(&shared, command, next_seq)?;
        let transition = Transition::Endpoint(self.clock.now(), Box::new(endpoint.clone()));
        shared
            .replies
            .push(Reply::Endpoint(reply, Arc::new(endpoint)));
        self.record(&mut shared, transition, true);
        Ok(ticket)
    }

    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.endpoint_views()
    }

    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>> {
        let shared = self.shared();
        if let Some(entry) = shared.state.named(name_or_id) {
            return Some(entry.endpoint.clone());
        }
        let id: EndpointId = name_or_id.parse().ok()?;
        let mut entries = shared.state.entries();
        let entry = entries.find(|entry| entry.endpoint.id == id);
        entry.map(|entry| entry.endpoint.clone())
    }

    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError> {
        self.replay_deliveries(&request)
    }

    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError> {
        self.save()?;
        self.delivery_view(endpoint, seq, MAX_ATTEMPTS_SHOWN)
    }

    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.list_deliveries(query)
    }

    fn depth(&self) -> Depth {
        let now = self.clock.now();
        let mut shared = self.shared();
        Depth {
            uncommitted: self.inbox.len() + self.committing.load(Ordering::Acquire),
            in_flight: shared.state.in_flight(),
            next_due: shared.state.next_due(now),
            last_seq: *self.tail.borrow(),
        }
    }

    fn commit(&self) -> Result<bool, StoreError> {
        let mut writer = self.writer();
        let done = self.commit_group(&mut writer).and_then(|did| {
            self.route_ahead(writer.next_seq)?;
            if writer.records_since_snapshot >= RECORDS_PER_SNAPSHOT
                || writer.bytes_since_snapshot >= BYTES_PER_SNAPSHOT
            {
                self.write_snapshot(&mut writer)?;
            }
            Ok(did)
        });
        if let Err(error) = &done {
            self.stop(error);
        }
        done
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn tail(&self) -> watch::Receiver<Seq> {
        self.tail.subscribe()
    }

    fn stopped(&self) -> watch::Receiver<Option<StoreError>> {
        self.stopped.subscribe()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.inbox.close();
        while self.commit()? {}
        self.write_snapshot(&mut self.writer())?;
        if let Some(high_water) = &self.high_water {
            high_water.sync()?;
        }
        Ok(())
    }
}
