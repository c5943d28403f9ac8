//! The store: a durable log of events, and the queues that are computed from it.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Store`], the narrow trait that the rest of the program knows |
//! | `log.rs`, `face.rs`, `parts.rs`, `options.rs` | [`Log`], the implementation: its face, parts, locks and limits |
//! | `command.rs`, `claim.rs`, `views.rs` | the nouns of its sides: changing, delivering, looking |
//! | `intake.rs`, `inbox.rs`, `commit.rs`, `write.rs`, `answers.rs` | from what waits to one durable batch, and its answers |
//! | `routing.rs` | routing that was put off while a backlog was long |
//! | `claims.rs` | handing out deliveries, taking back how they ended |
//! | `registry.rs`, `replay.rs`, `undelivered.rs`, `discard.rs` | changing endpoints, putting deliveries back, giving them up |
//! | `transitions.rs` | how all of these are recorded |
//! | `read.rs`, `history.rs`, `list.rs` | events, attempts, lists |
//! | [`Walk`] | the log read from one position on, past what is damaged |
//! | `open.rs`, `recovery.rs`, `frames.rs`, `snapshot.rs`, `high_water.rs` | opening a store, quickly and without trusting it |
//! | `loss.rs` | what is missing, and going on without it |
//! | `look.rs`, `segments.rs` | the database's own log, looked at before it is opened |
//! | `blocks.rs` | a file of which the disk gives back only parts |
//! | `salvage.rs` | every record that a damaged database still holds, and a new one of them |
//! | `maintain.rs`, `expired.rs`, `base.rs` | retention: what expires, what is known of it, and where a start goes on then |
//! | `figures.rs` | what it holds and takes, for gauges |
//! | [`backup`] | a copy of the log as it stood at one moment, while it goes on |
//! | `batches.rs` | many records for a new database |
//! | `verify.rs`, `report.rs` | reading every record, and what was found |
//! | `state.rs`, `queue.rs`, `routes.rs`, `dedupe.rs`, `seqset.rs` | the projections: pure |
//! | `meta.rs`, `record.rs`, `codec.rs` | what is written, and its bytes |
//! | `kept.rs`, `seals.rs`, [`keyring`] | endpoints as they are kept, with their secrets sealed |
//! | `backend.rs`, `disk.rs`, `memory.rs` | what keeps the bytes: a journal, sled and files of records, or memory for tests |
//! | `observer.rs` | who is told what the store does |
//! | `steps.rs` | the time, and a clock that is set |
//! | `pins.rs` | what is being read, and must not be deleted meanwhile |
//! | `lock.rs`, `private.rs` | one process owns the directory, and nobody else may read in it |
//! | `committer.rs` | the thread that commits group after group |

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::event::{Event, NewEvent};
use crate::id::Seq;

mod answers;
pub mod backend;
pub mod backup;
mod base;
mod batches;
mod blocks;
mod cache;
mod claim;
mod claims;
pub mod codec;
mod command;
mod commit;
pub mod committer;
mod dedupe;
mod discard;
pub mod disk;
mod error;
mod expired;
mod face;
mod figures;
mod frames;
mod high_water;
mod history;
mod inbox;
mod intake;
mod kept;
pub mod keyring;
mod list;
mod lock;
mod log;
mod look;
mod loss;
mod maintain;
pub mod memory;
mod meta;
mod observer;
mod open;
mod options;
mod parts;
pub mod pins;
mod private;
mod queue;
mod read;
mod record;
mod recovery;
mod registry;
mod replay;
mod report;
mod routes;
mod routing;
mod salvage;
mod seals;
mod segments;
mod seqset;
mod snapshot;
mod state;
mod steps;
mod transitions;
mod undelivered;
mod verify;
mod views;
mod walk;
mod write;

pub use claim::{Claim, Effect, Outcome, Settlement, Token};
pub use command::{Appended, EndpointCommand};
pub use disk::panic_is_an_error;
pub use error::{AppendError, EndpointError, SettleError, StoreError};
pub use figures::{Figures, Space};
pub use log::Log;
pub use maintain::{Maintained, Retention};
pub use observer::{Observer, Written};
pub use options::Options;
pub use queue::Ended;
pub use report::{Finding, Report};
pub use salvage::expect_store;
pub use verify::verify;
pub use views::{
    DeliveryQuery, DeliveryView, Depth, Discarded, EndedQuery, EndpointView, FoundDelivery, Page,
    QueueView, ReplayRequest, UndeliveredQuery,
};
pub use walk::{Step, Walk};

/// An answer that comes once it is on disk.
///
/// Awaited by the asynchronous side; `blocking_recv` serves the rest. An error of the channel
/// itself means that the store was dropped before it could answer.
pub type Ticket<T> = oneshot::Receiver<Result<T, StoreError>>;

/// The store, in the nouns of the program. It promises idempotence, not transactions over several
/// calls. Unless a method says otherwise, `Ok` means that it survives a power cut.
pub trait Store: Send + Sync + 'static {
    /// Puts events into the log, each once within its source and the duplicate window.
    ///
    /// The ticket answers when they are on disk, and for a duplicate when its original is. A crash
    /// before that leaves all of them or none; one after it, all of them.
    fn append(&self, events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError>;

    /// The event of `source` that used this idempotency key within the duplicate window; it is on
    /// disk. May wait for the group that is being written.
    fn find_by_key(&self, source: &str, key: &str) -> Result<Option<Appended>, StoreError>;

    /// Up to `limit` events from position `from` on, in order.
    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError>;

    /// Up to `limit` events at position `until` and before it, the newest first.
    fn read_back(&self, until: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError>;

    /// The event at `seq`.
    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError>;

    /// Up to `max` deliveries that may be attempted now, taking turns between endpoints; of an
    /// in-order endpoint its oldest one only. Nothing is written: a crash ends every claim and
    /// changes no attempt number.
    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError>;

    /// One delivery for the one who has just settled another. The end of one attempt may have made
    /// room for more than one, so if there is more, [`work`](Self::work) changes.
    fn claim_next(&self) -> Result<Option<Claim>, StoreError> {
        let claim = self.claim(1)?.pop();
        if claim.is_some() {
            self.look_for_work();
        }
        Ok(claim)
    }

    /// Lets [`work`](Self::work) change if there may be something to claim.
    fn look_for_work(&self);

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

    /// Every endpoint, in the order of their making, removed ones included.
    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError>;

    /// Every endpoint's queue, removed ones included. From memory alone: for figures, which may be
    /// ahead of what a crash would leave.
    fn queues(&self) -> Vec<QueueView>;

    /// The endpoint numbered `number`, and how it is getting on.
    fn endpoint_view(&self, number: u32) -> Result<Option<EndpointView>, StoreError>;

    /// The endpoint called `name`, or with this id in text.
    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>>;

    /// Puts deliveries back so that they are due now; says how many.
    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError>;

    /// Deliveries that have ended and could be put back, a bounded look at a time: there may be
    /// none although there is more behind `next`.
    fn find_ended(&self, query: &EndedQuery) -> Result<Page<FoundDelivery, Seq>, StoreError>;

    /// Puts back those of `deliveries`, in the order of their positions, that still stand as they
    /// were found; says how many. Done twice is done once, also after a crash in between.
    fn put_back(&self, endpoint: u32, deliveries: &[FoundDelivery]) -> Result<u64, StoreError>;

    /// Deliveries that have not arrived, a bounded look at a time. Where `next` is where the look
    /// began, an attempt is under way there: ask again when it may have ended.
    fn find_undelivered(
        &self,
        query: &UndeliveredQuery,
    ) -> Result<Page<FoundDelivery, Seq>, StoreError>;

    /// Gives up those of `deliveries`, in the order of their positions, that still stand as they
    /// were found: they end as removed, for `reason`. Done twice is done once, also after a crash in
    /// between.
    fn discard(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) -> Result<Discarded, StoreError>;

    /// The position of the first event received at or after `moment`; one behind the last, if
    /// there is none. Exact as long as the clock was not set back between events.
    fn position_at(&self, moment: Timestamp) -> Result<Seq, StoreError>;

    /// A delivery with its attempts, or `None` if there is no such event or endpoint.
    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError>;

    /// A list of deliveries, without their attempts' details left out.
    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError>;

    /// How much there is to do.
    fn depth(&self) -> Depth;

    /// What it holds and takes.
    fn figures(&self) -> Figures;

    /// When the event at `seq` expired, to the day; `None` if it has not. Of one that a delivery had
    /// kept for longer than others, it is when those expired.
    fn expired_at(&self, seq: Seq) -> Option<Timestamp>;

    /// Lets what is old enough expire, and gives its room back. Blocks for as long as that takes;
    /// others read, write and deliver meanwhile. A crash leaves what has expired either as it was or
    /// gone. Called in turn by the composition root.
    fn maintain(&self) -> Result<Maintained, StoreError>;

    /// Writes what is waiting to be written as one group, if there is anything; the ends of attempts
    /// may wait for some groups of events to go before them. Called in turn by the committer's
    /// thread; by tests and simulations, at the moment they choose.
    fn commit(&self) -> Result<bool, StoreError>;

    /// Writes the end of every attempt that has been settled.
    fn save(&self) -> Result<(), StoreError>;

    /// Changes when something may have become claimable, or a claim has begun or ended.
    fn changed(&self) -> watch::Receiver<u64>;

    /// Changes when there may be something to claim that nobody looks for: what a success makes
    /// claimable is left to the one who settles it, who has to claim right behind.
    fn work(&self) -> watch::Receiver<u64>;

    /// The position of the newest event that is on disk, as it grows.
    fn tail(&self) -> watch::Receiver<Seq>;

    /// Resolves to the cause if the store stops for good.
    fn stopped(&self) -> watch::Receiver<Option<StoreError>>;

    /// Begins a copy of the log as it stands now, of what is behind `have`. As long as the cursor
    /// lives, nothing of the log is deleted.
    ///
    /// # Errors
    /// [`BackupError::OtherStore`](backup::BackupError) or
    /// [`BackupError::Behind`](backup::BackupError) if `have` is no earlier state of this log.
    fn begin_backup(&self, have: &backup::Have) -> Result<backup::Cursor, backup::BackupError>;

    /// The next piece of a copy; none behind the last one. What cannot be read is an error, and the
    /// copy is none.
    fn read_backup(
        &self,
        cursor: &mut backup::Cursor,
    ) -> Result<Option<Vec<u8>>, backup::BackupError>;

    /// Writes everything, and a snapshot for a quick start.
    fn close(&self) -> Result<(), StoreError>;
}

/// Events that the operator gave up for lost, by `--accept-loss`.
pub type AcceptedLoss = Option<RangeInclusive<Seq>>;
