//! Deliberate faults, put in at the seams: each breaks one promise, and the checker must see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use redeliver::clock::{SharedClock, Timestamp};
use redeliver::delivery::Status;
use redeliver::endpoint::{Endpoint, EndpointSettings, EndpointState, Order};
use redeliver::event::{Event, NewEvent};
use redeliver::id::Seq;
use redeliver::policy::{On410, Policies, Policy, Schedule, Success};
use redeliver::store::backup::{BackupError, Cursor, Have};
use redeliver::store::{
    AppendError, Appended, Claim, DeliveryQuery, DeliveryView, Depth, Discarded, Effect,
    EndedQuery, EndpointCommand, EndpointError, EndpointView, Figures, FoundDelivery, Maintained,
    Outcome, Page, QueueView, ReplayRequest, Retention, SettleError, Settlement, Skipped, Store,
    StoreError, Ticket, Token, Undelivered, UndeliveredQuery,
};
use redeliver::vendor;
use tokio::sync::watch;

use super::disk::{Point, SimDisk};

/// A mistake that a developer could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is asked to write, and never to sync: an answer comes before its event is safe.
    SyncForgotten,
    /// A commit group is not one atomic batch.
    TornGroups,
    /// Hotjar's third delay is a second short.
    OneSecondEarly,
    /// What is in order is delivered as if it were not.
    HeadSkipped,
    /// Hotjar's 410 is a failure like any other.
    GoneForgotten,
    /// eSputnik's 202 and 204 count as delivered.
    AnySuccess,
    /// The last attempt is not made.
    GivesUpEarly,
    /// The deadline of an attempt is a year.
    NoDeadline,
    /// Idempotency keys are not looked at.
    KeyForgotten,
    /// A claim is handed out twice.
    ClaimedTwice,
    /// An attempt's end is not recorded.
    SettlementForgotten,
    /// A crash burns an attempt.
    CrashCounted,
    /// A dead letter is recorded as delivered.
    DeadIsDelivered,
    /// A body is changed on its way.
    BodyChanged,
    /// A pause is answered and not obeyed.
    PauseIgnored,
    /// One event in five is never handed out.
    NeverClaimed,
    /// Every event is stored, and refused.
    TakesNothing,
    /// An event without a key is stored twice.
    TakenTwice,
    /// Hotjar's third delay is a second long.
    OneSecondLate,
    /// One attempt too many is made.
    GivesUpLate,
    /// A 410 is not on disk before anything else happens.
    GoneUnsynced,
    /// A replay is answered and not made.
    ReplayForgotten,
    /// Events expire that a delivery waits for.
    WaitingExpires,
    /// Events with a dead letter expire as if they had none.
    DeadLetterExpires,
    /// What expires is deleted before it is synced that it has expired.
    BaseUnsynced,
    /// The frame behind those that have expired is deleted with them.
    OneFrameTooFar,
    /// Nothing ever expires.
    NothingExpires,
    /// How long deliveries may wait is not looked at.
    OverdueForgotten,
    /// The idempotency key of an event expires with it.
    KeyExpires,
    /// Deliveries are not counted any more when their events have expired.
    CountExpires,
    /// A delivery is handed out once more when its event has expired.
    ExpiredDelivered,
}

impl Fault {
    pub const ALL: [Self; 31] = [
        Self::SyncForgotten,
        Self::TornGroups,
        Self::OneSecondEarly,
        Self::HeadSkipped,
        Self::GoneForgotten,
        Self::AnySuccess,
        Self::GivesUpEarly,
        Self::NoDeadline,
        Self::KeyForgotten,
        Self::ClaimedTwice,
        Self::SettlementForgotten,
        Self::CrashCounted,
        Self::DeadIsDelivered,
        Self::BodyChanged,
        Self::PauseIgnored,
        Self::NeverClaimed,
        Self::TakesNothing,
        Self::TakenTwice,
        Self::OneSecondLate,
        Self::GivesUpLate,
        Self::GoneUnsynced,
        Self::ReplayForgotten,
        Self::WaitingExpires,
        Self::DeadLetterExpires,
        Self::BaseUnsynced,
        Self::OneFrameTooFar,
        Self::NothingExpires,
        Self::OverdueForgotten,
        Self::KeyExpires,
        Self::CountExpires,
        Self::ExpiredDelivered,
    ];

    /// Words of the rules that it breaks.
    pub fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::SyncForgotten => &["is lost"],
            Self::TornGroups => &["should have deliveries of"],
            Self::OneSecondEarly => &["it is early", "is on record as early"],
            Self::OneSecondLate => &["is late"],
            Self::HeadSkipped => &["was delivered"],
            Self::GoneForgotten => &["has not removed the endpoint", "nothing may be sent there"],
            Self::GoneUnsynced | Self::PauseIgnored => &["nothing may be sent there"],
            Self::AnySuccess | Self::DeadIsDelivered => &["delivered, by no answer"],
            Self::GivesUpEarly => &["dead after 6 failures"],
            Self::GivesUpLate => &["had been given up"],
            Self::NoDeadline => &["beyond its deadline"],
            Self::KeyForgotten => &["is there twice", "was answered as", "was called new"],
            Self::TakenTwice => &["is there twice"],
            Self::ClaimedTwice => &["the one before it is under way"],
            Self::SettlementForgotten => &["was made in this life"],
            Self::CrashCounted => &["it is not the first", "the one before it was"],
            Self::BodyChanged => &["is not what was put in"],
            Self::NeverClaimed => &["does not come to an end"],
            Self::TakesNothing => &["was answered 503"],
            Self::ReplayForgotten => &["put back and not sent again"],
            Self::WaitingExpires => &["has expired although a delivery waits for it"],
            Self::DeadLetterExpires => &["has expired although its dead letter is kept"],
            Self::BaseUnsynced => &["has come back"],
            Self::OneFrameTooFar => &["no frame holds them", "does not open"],
            Self::NothingExpires => &["should have expired"],
            Self::OverdueForgotten => &["and has waited for too long"],
            Self::KeyExpires => &["was answered as", "was called new"],
            Self::CountExpires => &["before the pass, and counts"],
            Self::ExpiredDelivered => &["its event has expired"],
        }
    }
}

/// The product's policies, with the fault in them if it is one of policy.
pub fn policies(fault: Option<Fault>) -> Policies {
    let mut policies = vendor::builtin_policies();
    let hotjar = vendor::hotjar::policy();
    match fault {
        Some(Fault::OneSecondEarly | Fault::OneSecondLate) => {
            let Schedule::Table(mut delays) = hotjar.schedule.clone() else {
                panic!("Hotjar's schedule is a table");
            };
            delays[2] += Duration::from_secs(1);
            if fault == Some(Fault::OneSecondEarly) {
                delays[2] -= Duration::from_secs(2);
            }
            policies.insert(Policy {
                schedule: Schedule::Table(delays),
                ..hotjar
            });
        }
        Some(Fault::GoneForgotten) => policies.insert(Policy {
            on_410: On410::Retry,
            ..hotjar
        }),
        Some(Fault::GivesUpEarly) => policies.insert(Policy {
            give_up_after: Some(6),
            ..hotjar
        }),
        Some(Fault::GivesUpLate) => policies.insert(Policy {
            give_up_after: Some(8),
            ..hotjar
        }),
        Some(Fault::NoDeadline) => policies.insert(Policy {
            timeout: Duration::from_secs(365 * 24 * 3600),
            ..hotjar
        }),
        Some(Fault::AnySuccess) => policies.insert(Policy {
            success: Success::Any2xx,
            ..vendor::esputnik::policy()
        }),
        _ => {}
    }
    policies
}

/// What the operator asks for, with the fault in it if it is one of settings.
pub fn settings(fault: Option<Fault>, settings: EndpointSettings) -> EndpointSettings {
    match fault {
        Some(Fault::HeadSkipped) => EndpointSettings {
            order: Order::Independent,
            concurrency: 1,
            ..settings
        },
        _ => settings,
    }
}

/// What the operator wants to be kept, likewise.
pub fn retention(fault: Option<Fault>, retention: &Retention) -> Retention {
    let mut retention = retention.clone();
    if fault == Some(Fault::OverdueForgotten) {
        retention.waiting_max_age = None;
    }
    retention
}

/// A store with a fault in front of it.
pub struct Faulty {
    pub store: Arc<dyn Store>,
    pub fault: Fault,
    pub disk: Arc<SimDisk>,
    /// How many crashes there were.
    pub crashes: u32,
    pub clock: SharedClock,
    pub retention: Retention,
    /// Events that are shown no more.
    pub hidden: Mutex<BTreeSet<Seq>>,
    /// The last claim of each event.
    pub handed_out: Mutex<BTreeMap<Seq, Claim>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn is_shown(&self, seq: Seq) -> bool {
        !lock(&self.hidden).contains(&seq)
    }

    /// Hides every old event that a delivery with one of these statuses keeps.
    fn hide(&self, statuses: &[Status]) -> Result<(), StoreError> {
        let Some(age) = self.retention.max_age else {
            return Ok(());
        };
        let page = self.store.deliveries(&DeliveryQuery {
            statuses: statuses.to_vec(),
            limit: 1000,
            ..DeliveryQuery::default()
        })?;
        let old = page.items.into_iter().map(|delivery| delivery.event);
        let old = old.filter(|event| event.received_at.plus(age) < self.clock.now());
        lock(&self.hidden).extend(old.map(|event| event.seq));
        Ok(())
    }

    /// A delivery that is over, of an event that has expired.
    fn claim_of_an_expired(&self) -> Option<Claim> {
        let mut handed_out = lock(&self.handed_out);
        let mut seqs = handed_out.keys().copied();
        let expired = seqs.find(|seq| self.store.expired_at(*seq).is_some())?;
        handed_out.remove(&expired)
    }

    fn spoil(&self, mut claim: Claim) -> Claim {
        if self.has(Fault::CrashCounted) {
            claim.attempt += self.crashes;
        }
        if self.has(Fault::BodyChanged) && claim.token.seq.is_multiple_of(3) {
            let mut event = (*claim.event).clone();
            let mut body = event.content.body.to_vec();
            if let Some(digit) = body.iter_mut().rfind(|byte| byte.is_ascii_digit()) {
                *digit ^= 1;
            }
            event.content.body = Bytes::from(body);
            claim.event = Arc::new(event);
        }
        claim
    }
}

impl Store for Faulty {
    fn append(&self, mut events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError> {
        if self.has(Fault::KeyForgotten) {
            for event in &mut events {
                event.idempotency_key = None;
            }
        }
        if self.has(Fault::KeyExpires) {
            for event in &mut events {
                let key = event.idempotency_key.as_deref();
                let first = key.map(|key| self.store.find_by_key(&event.source, key));
                if let Some(Ok(Some(first))) = first
                    && self.store.expired_at(first.seq).is_some()
                {
                    event.idempotency_key = None;
                }
            }
        }
        if self.has(Fault::TakenTwice) && events.iter().all(|e| e.idempotency_key.is_none()) {
            let _ = self.store.append(events.clone());
        }
        let ticket = self.store.append(events);
        match self.has(Fault::TakesNothing) {
            true => Err(AppendError::Full),
            false => ticket,
        }
    }

    fn find_by_key(&self, source: &str, key: &str) -> Result<Option<Appended>, StoreError> {
        self.store.find_by_key(source, key)
    }

    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError> {
        let mut claims = self.store.claim(max)?;
        if self.has(Fault::NeverClaimed) {
            claims.retain(|claim| !claim.token.seq.is_multiple_of(5));
        }
        if self.has(Fault::ClaimedTwice) {
            let again: Vec<Claim> = claims.iter().take(1).cloned().collect();
            claims.extend(again);
        }
        if self.has(Fault::ExpiredDelivered) {
            claims.extend(self.claim_of_an_expired());
            let claimed = claims.iter().map(|claim| (claim.token.seq, claim.clone()));
            lock(&self.handed_out).extend(claimed);
        }
        Ok(claims.into_iter().map(|claim| self.spoil(claim)).collect())
    }

    fn look_for_work(&self) {
        self.store.look_for_work();
    }

    fn settle(&self, token: Token, settlement: Settlement) -> Result<(), SettleError> {
        if self.has(Fault::SettlementForgotten) && token.seq.is_multiple_of(4) {
            return self.store.release(token);
        }
        let outcome = match settlement.outcome {
            Outcome::Dead if self.has(Fault::DeadIsDelivered) => Outcome::Delivered,
            outcome => outcome,
        };
        if self.has(Fault::GoneUnsynced) && matches!(settlement.effect, Effect::Remove(_)) {
            self.disk.skip_a_sync();
        }
        let settlement = Settlement {
            outcome,
            ..settlement
        };
        self.store.settle(token, settlement)
    }

    fn endpoint(&self, command: EndpointCommand) -> Result<Ticket<Arc<Endpoint>>, EndpointError> {
        let command = match command {
            EndpointCommand::SetState(number, EndpointState::Paused, reason)
                if self.has(Fault::PauseIgnored) =>
            {
                EndpointCommand::SetState(number, EndpointState::Active, reason)
            }
            command => command,
        };
        self.store.endpoint(command)
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        let mut events = self.store.read(from, limit)?;
        events.retain(|event| self.is_shown(event.seq));
        Ok(events)
    }

    fn read_back(&self, until: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.store.read_back(until, limit)
    }

    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        self.store.event(seq)
    }

    fn release(&self, token: Token) -> Result<(), SettleError> {
        self.store.release(token)
    }

    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        let mut views = self.store.endpoints()?;
        if self.has(Fault::CountExpires) {
            let expired = self.store.figures().expired_events;
            for view in &mut views {
                view.ended.delivered = view.ended.delivered.saturating_sub(expired);
            }
        }
        Ok(views)
    }

    fn queues(&self) -> Vec<QueueView> {
        self.store.queues()
    }

    fn endpoint_view(&self, number: u32) -> Result<Option<EndpointView>, StoreError> {
        self.store.endpoint_view(number)
    }

    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>> {
        self.store.find_endpoint(name_or_id)
    }

    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError> {
        match self.has(Fault::ReplayForgotten) {
            true => Ok(0),
            false => self.store.replay(request),
        }
    }

    fn find_ended(&self, query: &EndedQuery) -> Result<Page<FoundDelivery, Seq>, StoreError> {
        self.store.find_ended(query)
    }

    fn put_back(&self, endpoint: u32, deliveries: &[FoundDelivery]) -> Result<u64, StoreError> {
        self.store.put_back(endpoint, deliveries)
    }

    fn find_undelivered(&self, query: &UndeliveredQuery) -> Result<Undelivered, StoreError> {
        self.store.find_undelivered(query)
    }

    fn discard(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) -> Result<Discarded, StoreError> {
        self.store.discard(endpoint, deliveries, reason)
    }

    fn give_up(&self, endpoint: u32, seq: Seq, why: Option<&str>) -> Result<bool, StoreError> {
        self.store.give_up(endpoint, seq, why)
    }

    fn retry_waiting(&self, endpoint: u32) -> Result<u64, StoreError> {
        self.store.retry_waiting(endpoint)
    }

    fn position_at(&self, moment: Timestamp) -> Result<Seq, StoreError> {
        self.store.position_at(moment)
    }

    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError> {
        self.store.delivery(endpoint, seq)
    }

    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.store.deliveries(query)
    }

    fn begin_backup(&self, have: &Have) -> Result<Cursor, BackupError> {
        self.store.begin_backup(have)
    }

    fn read_backup(&self, cursor: &mut Cursor) -> Result<Option<Vec<u8>>, BackupError> {
        self.store.read_backup(cursor)
    }

    fn depth(&self) -> Depth {
        self.store.depth()
    }

    fn live(&self, claims: &[Token]) -> usize {
        self.store.live(claims)
    }

    fn figures(&self) -> Figures {
        self.store.figures()
    }

    fn expired_within(&self, from: Seq, to: Seq) -> Option<Skipped> {
        self.store.expired_within(from, to)
    }

    fn expired_at(&self, seq: Seq) -> Option<Timestamp> {
        self.store.expired_at(seq)
    }

    fn maintain(&self) -> Result<Maintained, StoreError> {
        match self.fault {
            Fault::NothingExpires => return Ok(Maintained::default()),
            Fault::WaitingExpires => self.hide(&[Status::Pending, Status::Waiting])?,
            Fault::DeadLetterExpires => self.hide(&[Status::Dead])?,
            _ => {}
        }
        let done = self.store.maintain()?;
        if self.disk.take_base_unsynced() {
            // The next sync would make good for it.
            self.disk.arm(0, Point::Before);
        }
        Ok(done)
    }

    fn commit(&self) -> Result<bool, StoreError> {
        self.store.commit()
    }

    fn save(&self) -> Result<(), StoreError> {
        self.store.save()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.store.changed()
    }

    fn work(&self) -> watch::Receiver<u64> {
        self.store.work()
    }

    fn tail(&self) -> watch::Receiver<Seq> {
        self.store.tail()
    }

    fn stopped(&self) -> watch::Receiver<Option<StoreError>> {
        self.store.stopped()
    }

    fn is_disk_full(&self) -> bool {
        self.store.is_disk_full()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}
