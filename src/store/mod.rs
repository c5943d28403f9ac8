//! The store: a durable log of events, and the queues that are computed from it.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Store`], the narrow trait that the rest of the program knows |
//! | `log.rs`, `inbox.rs`, `write.rs` | [`Log`], the implementation: group commit, claims, settlements |
//! | `query.rs` | reading the log, deliveries, lists |
//! | `replay.rs` | putting deliveries back |
//! | `recovery.rs`, `snapshot.rs`, `high_water.rs` | opening a store, quickly and without trusting it |
//! | `verify.rs` | reading every record |
//! | `state.rs`, `queue.rs`, `routes.rs`, `dedupe.rs`, `seqset.rs` | the projections: pure |
//! | `record.rs`, `codec.rs` | what is written, and its bytes |
//! | `backend.rs`, `disk.rs`, `memory.rs` | what keeps the bytes: sled, or memory for tests |
//! | `committer.rs` | the thread that commits group after group |

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::endpoint::{Endpoint, EndpointSettings, EndpointState};
use crate::event::{Event, NewEvent};
use crate::id::{DeliveryId, EventId, Seq};

pub mod backend;
mod cache;
pub mod codec;
pub mod committer;
mod dedupe;
pub mod disk;
mod error;
mod high_water;
mod inbox;
mod log;
pub mod memory;
mod query;
mod queue;
mod record;
mod recovery;
mod replay;
mod routes;
mod seqset;
mod snapshot;
mod state;
mod verify;
mod write;

pub use error::{AppendError, EndpointError, SettleError, StoreError};
pub use log::{Log, Options};
pub use queue::Ended;
pub use verify::{Finding, Report, verify};

/// An answer that comes once it is on disk.
///
/// Awaited by the asynchronous side; `blocking_recv` serves the rest. An error of the channel
/// itself means that the store was dropped before it could answer.
pub type Ticket<T> = oneshot::Receiver<Result<T, StoreError>>;

/// Where an event stands after `append`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its id; of the first one, if it is a duplicate.
    pub id: EventId,
    /// Its position; of the first one, if it is a duplicate.
    pub seq: Seq,
    /// Whether its idempotency key was used before, within the window.
    pub duplicate: bool,
}

/// The right to attempt one delivery. At most one is live for a delivery at any time.
///
/// It lasts until it is settled or released; the death of the process ends it. (A store that
/// several processes share would add a lease here. This one is owned by one process, whose death
/// is the end of all its attempts, so that no slow clock can make two attempts overlap.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The endpoint's number.
    pub endpoint: u32,
    /// The event.
    pub seq: Seq,
    /// Tells this claim from every other one.
    pub generation: u64,
}

/// A delivery to attempt now.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The right to do so.
    pub token: Token,
    /// Where to.
    pub endpoint: Arc<Endpoint>,
    /// What.
    pub event: Arc<Event>,
    /// The number of this attempt, from 1. It rises when an attempt is settled, never by a claim,
    /// so that a crash burns none of the policy's retries.
    pub attempt: u32,
    /// Failed attempts before it in this round, for the policy.
    pub failures: u32,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered.
    Delivered,
    /// Try again when `after` has passed since the attempt's end.
    Retry {
        /// The delay.
        after: Duration,
    },
    /// Give up: a dead letter.
    Dead,
    /// The endpoint is gone, and this delivery with it.
    Gone,
}

/// What an attempt means for its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// It is paused, for the reason given.
    Pause(String),
    /// It is removed, for the reason given.
    Remove(String),
}

/// An attempt, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What was tried and what came back.
    pub attempt: Attempt,
    /// What follows for the delivery.
    pub outcome: Outcome,
    /// What follows for the endpoint.
    pub effect: Effect,
}

/// A change of the registry.
#[derive(Clone, Debug)]
pub enum EndpointCommand {
    /// Makes an endpoint, in the given state; it receives events from now on.
    Add(Box<EndpointSettings>, EndpointState),
    /// Replaces an endpoint's settings. Events that are queued already stay queued.
    Update(u32, Box<EndpointSettings>),
    /// Pauses, resumes or removes an endpoint, with the reason if it is not the operator's wish.
    SetState(u32, EndpointState, Option<String>),
}

/// An endpoint and how it is getting on.
#[derive(Clone, Debug)]
pub struct EndpointView {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Deliveries that have not ended.
    pub backlog: u64,
    /// When the oldest of them was received.
    pub oldest_waiting_at: Option<Timestamp>,
    /// When its next retry is due.
    pub next_attempt_at: Option<Timestamp>,
    /// How many have ended in each way.
    pub ended: Ended,
}

/// A delivery and how it is getting on.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// The event.
    pub event: Arc<Event>,
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Where it stands.
    pub status: Status,
    /// Failed attempts in a row, of this round.
    pub failures: u32,
    /// When the next attempt may leave, if one has failed.
    pub next_attempt_at: Option<Timestamp>,
    /// Attempts so far, over every round.
    pub attempt_count: u32,
    /// The latest of them, oldest first: at most 1,000, and 20 in a list.
    pub attempts: Vec<Attempt>,
}

/// Which deliveries to list; newest event first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Of one endpoint, by number.
    pub endpoint: Option<u32>,
    /// In one of these states; empty means all but `Filtered`.
    pub statuses: Vec<Status>,
    /// Only those behind this position of an earlier list.
    pub after: Option<(Seq, u32)>,
    /// How many at most.
    pub limit: usize,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    /// What was found.
    pub items: Vec<T>,
    /// Where to go on, if there may be more.
    pub next: Option<C>,
}

/// Which deliveries to put back.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// The endpoint's number.
    pub endpoint: u32,
    /// Events received at or after this moment.
    pub since: Option<Timestamp>,
    /// Events received before this moment.
    pub until: Option<Timestamp>,
    /// One event only.
    pub seq: Option<Seq>,
    /// Dead letters only; otherwise delivered ones too.
    pub only_dead: bool,
    /// How many at most, oldest first.
    pub limit: u64,
    /// Only count them.
    pub dry_run: bool,
}

/// How much the store has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Events that are not on disk yet.
    pub uncommitted: usize,
    /// Attempts under way.
    pub in_flight: usize,
    /// When something may be claimed next.
    pub next_due: Option<Timestamp>,
    /// Position of the newest event; 0 if there is none.
    pub last_seq: Seq,
}

/// The store, in the nouns of the program. It promises idempotence, not transactions over several
/// calls. Unless a method says otherwise, `Ok` means that it survives a power cut.
pub trait Store: Send + Sync + 'static {
    /// Puts events into the log, each once within its source and the duplicate window.
    ///
    /// The ticket answers when they are on disk, and for a duplicate when its original is. A crash
    /// before that leaves all of them or none; one after it, all of them.
    fn append(&self, events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError>;

    /// Up to `limit` events from position `from` on, in order.
    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError>;

    /// The event at `seq`.
    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError>;

    /// Up to `max` deliveries that may be attempted now, taking turns between endpoints; of an
    /// in-order endpoint its oldest one only. Nothing is written: a crash ends every claim and
    /// changes no attempt number.
    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError>;

    /// Records the end of an attempt.
    ///
    /// Takes effect at once; on disk with the next group, without an fsync of its own. A crash
    /// before that repeats the attempt, with the same ids and number. Removing an endpoint is
    /// synced.
    fn settle(&self, token: Token, settlement: Settlement) -> Result<(), SettleError>;

    /// Gives a claim back: the attempt did not happen and is due at once.
    fn release(&self, token: Token) -> Result<(), SettleError>;

    /// Changes the registry. The ticket answers when it is on disk.
    fn endpoint(&self, command: EndpointCommand) -> Result<Ticket<Arc<Endpoint>>, EndpointError>;

    /// Every endpoint, in the order of their making; removed ones at the end of their days too.
    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError>;

    /// The endpoint called `name`, or with this id in text.
    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>>;

    /// Puts deliveries back so that they are due now; says how many.
    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError>;

    /// A delivery with its attempts, or `None` if there is no such event or endpoint.
    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError>;

    /// A list of deliveries, without their attempts' details left out.
    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError>;

    /// How much there is to do.
    fn depth(&self) -> Depth;

    /// Writes what is waiting to be written as one group, if there is anything. Called in turn by
    /// the committer's thread; by tests and simulations, at the moment they choose.
    fn commit(&self) -> Result<bool, StoreError>;

    /// Changes when something may have become claimable, or a claim has ended.
    fn changed(&self) -> watch::Receiver<u64>;

    /// The position of the newest event that is on disk, as it grows.
    fn tail(&self) -> watch::Receiver<Seq>;

    /// Resolves to the cause if the store stops for good.
    fn stopped(&self) -> watch::Receiver<Option<StoreError>>;

    /// Writes everything, and a snapshot for a quick start.
    fn close(&self) -> Result<(), StoreError>;
}

/// Events that the operator gave up for lost, by `--accept-loss`.
pub type AcceptedLoss = Option<RangeInclusive<Seq>>;
