//! The store: a durable log of events, and the queues that are computed from it.
//!
//! | room | what is in it |
//! |---|---|
//! | `mod.rs` | [`Store`], the narrow trait that the rest of the program knows |
//! | `command.rs`, `claim.rs`, `views.rs`, `figures.rs` | the nouns of its sides: changing, delivering, looking, measuring |
//! | `options.rs`, `observer.rs`, `error.rs` | its limits, who is told what it does, and what can go wrong |
//! | `log` | [`Log`], the implementation: its parts and locks |
//! | `commit` | from what waits to one durable batch, and its answers |
//! | `deliveries` | changing endpoints, handing out what is due, putting back what has ended, giving up |
//! | `reading` | events, attempts, lists; [`Walk`] |
//! | `projection` | endpoints, queues, the duplicate window: pure |
//! | `record` | what is written, and its bytes |
//! | `sealing` | endpoints as they are kept, with their secrets sealed; [`keyring`] |
//! | `opening` | opening a store, quickly and without trusting it |
//! | `verify` | reading every record, and what was found |
//! | `salvage` | every record that a damaged database still holds, and a new one of them |
//! | `maintain` | retention: what expires, what is known of it, and where a start goes on then |
//! | `files` | the files of a data directory, each by itself |
//! | [`kept`] | a small file beside the log, for what follows from it and outlives it |
//! | [`backup`] | a copy of the log as it stood at one moment, while it goes on |
//! | `backend.rs`, [`disk`], [`memory`] | what keeps the bytes: a journal, sled and files of records; or memory, for tests |

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::event::{Event, NewEvent};
use crate::id::Seq;

pub mod backend;
pub mod backup;
mod claim;
mod command;
mod commit;
mod deliveries;
pub mod disk;
mod error;
mod figures;
mod files;
pub mod kept;
mod log;
mod maintain;
pub mod memory;
mod observer;
mod opening;
mod options;
mod projection;
mod reading;
mod record;
mod salvage;
mod sealing;
mod verify;
mod views;

pub use claim::{Claim, Effect, Outcome, Settlement, Token};
pub use command::{Appended, EndpointCommand};
pub use commit::committer;
pub use disk::panic_is_an_error;
pub use error::{AppendError, EndpointError, SettleError, StoreError};
pub use figures::{Figures, Skipped, SourceFigures, Space};
pub use log::{Log, pins};
pub use maintain::{Maintained, Retention, SourceRetention};
pub use observer::{GaveUp, Observer, Written};
pub use options::Options;
pub use projection::queue::Ended;
pub use reading::{Step, Walk};
pub use record::codec;
pub use salvage::expect_store;
pub use sealing::keyring;
pub use verify::report::{Finding, Loss, Report};
pub use verify::verify;
pub use views::{
    DeliveryQuery, DeliveryView, Depth, Discarded, EndedQuery, EndpointView, FoundDelivery, Page,
    QueueView, ReplayRequest, Undelivered, UndeliveredQuery,
};

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

    /// Deliveries that have not arrived, a bounded look at a time. Attempts that are under way hold
    /// up no look. Where `next` is where the look began, what is there has been left in the log, as
    /// the backlog is long: ask again when it has shrunk.
    fn find_undelivered(&self, query: &UndeliveredQuery) -> Result<Undelivered, StoreError>;

    /// Gives up those of `deliveries`, in the order of their positions, that still stand as they
    /// were found: they end as removed, for `reason`. Done twice is done once, also after a crash in
    /// between.
    fn discard(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) -> Result<Discarded, StoreError>;

    /// Has a delivery that is queued become a dead letter, with an operator's reason in its history.
    /// False if it is under way, has ended, or is so far back in a long backlog that it was not
    /// routed yet. Synced.
    fn give_up(&self, endpoint: u32, seq: Seq, why: Option<&str>) -> Result<bool, StoreError>;

    /// Makes everything that waits for a retry due now, from the start of its schedule, its attempt
    /// numbers going on; says how much. What is under way, or due, stays as it is. In steps: a crash
    /// in between leaves some of it as it was, and done again it is done.
    fn retry_waiting(&self, endpoint: u32) -> Result<u64, StoreError>;

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

    /// How many of these claims are live. From memory alone.
    fn live(&self, claims: &[Token]) -> usize;

    /// What it holds and takes.
    fn figures(&self) -> Figures;

    /// When the event at `seq` had expired, to the day; `None` if it has not. Of one that a delivery
    /// had kept for longer than others, it is when those expired; where sources are kept for different
    /// times, the latest day on which it can have been.
    fn expired_at(&self, seq: Seq) -> Option<Timestamp>;

    /// What of the events from `from` to `to` has expired, if anything has.
    fn expired_within(&self, from: Seq, to: Seq) -> Option<Skipped>;

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

    /// Whether the disk has less left than is reserved, so that no event is taken. Asks the disk.
    fn is_disk_full(&self) -> bool;

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
