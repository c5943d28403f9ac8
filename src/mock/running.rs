//! One mock at work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex as Turn;

use super::builder::Builder;
use super::plan::Plan;
use super::trigger::Trigger;
use super::vendor::{self, NotChecked};
use super::wish::Wish;
use super::wrap;
use crate::api::Front;
use crate::app::{AppError, Broker, Keep};
use crate::clock::Timestamp;
use crate::deliver::advance::AdvanceError;
use crate::deliver::guard::{AddressGuard, SystemResolver};
use crate::endpoint::Endpoint;
use crate::event::{Form, NewEvent};
use crate::id::EventId;
use crate::inbound::problem::Problem;
use crate::store::{DeliveryQuery, DeliveryView, Store, StoreError};
use crate::vendor::{Profile, esputnik};

/// How long an attempt that is under way may go on after the mock was emptied or taken away: the
/// next test must see no request of the one before.
const DRAIN: Duration = Duration::ZERO;

/// How long a receiver may hang, in real time, before a mock's clock is moved on to the deadline.
const PATIENCE: Duration = Duration::from_secs(1);

/// As many deliveries as are looked at in one go.
const PAGE: usize = 1000;

/// A vendor on localhost: see [the module](super).
pub struct Mock {
    plan: Plan,
    on_loopback: bool,
    /// None only while it is being emptied, and once it has stopped.
    at_work: Mutex<Option<AtWork>>,
    /// Who empties it or stops it goes first; those who come meanwhile wait.
    turn: Turn<()>,
}

struct AtWork {
    broker: Broker,
    trigger: Arc<Trigger>,
}

/// Why a mock does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// It has stopped.
    #[error("the mock has stopped")]
    Stopped,
    /// It does not start.
    #[error(transparent)]
    Start(#[from] AppError),
    /// The receiver did not pass the GET on save (ESP-08).
    #[error("the receiver did not pass the check: {0}; set check to \"off\" to go without")]
    NotChecked(#[from] NotChecked),
    /// What lies on disk would be found again.
    #[error("its log is kept on disk, so it cannot be emptied; leave --data out")]
    Lasting,
    /// The payload is no JSON.
    #[error("the payload is not JSON: {0}")]
    Payload(#[from] serde_json::Error),
    /// The log did not take it.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The clock cannot be moved.
    #[error(transparent)]
    Clock(#[from] AdvanceError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mock {
    /// Contentsquare (Hotjar), sending to `to`; it needs a key.
    pub fn hotjar(to: &str) -> Builder {
        Builder::new(Profile::Hotjar, to)
    }

    /// eSputnik, sending to `to`.
    pub fn esputnik(to: &str) -> Builder {
        Builder::new(Profile::Esputnik, to)
    }

    /// A sender of Standard Webhooks, sending to `to`; it needs a secret.
    pub fn standard(to: &str) -> Builder {
        Builder::new(Profile::Standard, to)
    }

    /// Checks the receiver as the vendor does, and starts. Whether receivers on this machine may
    /// be sent to is for the caller to say, by `on_loopback`.
    pub async fn start(plan: Plan, on_loopback: bool) -> Result<Self, MockError> {
        let guard = AddressGuard {
            allow: plan.settings.config.server.allow_private.clone(),
            allow_loopback: on_loopback,
        };
        vendor::check(plan.receiver(), guard).await?;
        let mock = Self {
            plan,
            on_loopback,
            at_work: Mutex::default(),
            turn: Turn::default(),
        };
        mock.renew().await?;
        Ok(mock)
    }

    /// What it is made of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its clock's time.
    pub fn now(&self) -> Result<Timestamp, MockError> {
        self.ask(|at_work| at_work.broker.clock().now())
    }

    /// Sends an event of this type, its `data` as the vendor's payload has it. Answers when it is
    /// in the log; [`settle`](Self::settle) waits for its first attempt.
    pub async fn send(&self, kind: &str, data: &impl Serialize) -> Result<EventId, MockError> {
        let data = serde_json::value::to_raw_value(data)?;
        let event = NewEvent {
            source: "mock".into(),
            kind: kind.into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            status: esputnik::activity_status(data.get().as_bytes()).map(Into::into),
            body: data.get().to_owned().into(),
            idempotency_key: None,
        };
        self.keep(event).await
    }

    /// Sends this body byte for byte, signed as it is.
    pub async fn send_raw(
        &self,
        content_type: &str,
        body: impl Into<bytes::Bytes>,
    ) -> Result<EventId, MockError> {
        self.keep(wrap::raw(content_type, self.plan.vendor, body.into()))
            .await
    }

    async fn keep(&self, event: NewEvent) -> Result<EventId, MockError> {
        let store = self.store()?;
        let ticket = store.append(vec![event]);
        let ticket = ticket.map_err(|error| MockError::Refused(error.into()))?;
        let appended = ticket.await.map_err(|_| MockError::Stopped)??;
        let first = appended.first().ok_or(MockError::Stopped)?;
        Ok(first.id)
    }

    /// Sends samples.
    pub async fn trigger(&self, wish: &Wish) -> Result<Vec<EventId>, MockError> {
        let trigger = self.ask(|at_work| at_work.trigger.clone())?;
        let sent = trigger.send(wish).await.map_err(MockError::Refused)?;
        Ok(sent.into_iter().map(|appended| appended.id).collect())
    }

    /// Moves the clock by `by`; answers when everything that was due by then has happened.
    ///
    /// # Errors
    /// For a clock that is not manual.
    pub async fn advance(&self, by: Duration) -> Result<Timestamp, MockError> {
        let advance = self.ask(|at_work| at_work.broker.advance().clone())?;
        Ok(advance.advance(by, PATIENCE).await?.now)
    }

    /// Waits until every attempt that is due now has ended.
    ///
    /// # Errors
    /// For a clock that is not manual.
    pub async fn settle(&self) -> Result<(), MockError> {
        self.advance(Duration::ZERO).await.map(drop)
    }

    /// The delivery of this event, with its attempts; none if it is not known.
    pub fn delivery(&self, event: EventId) -> Result<Option<DeliveryView>, MockError> {
        let store = self.store()?;
        let receiver = store.find_endpoint(vendor::RECEIVER);
        let receiver = receiver.ok_or(MockError::Stopped)?;
        let delivery = store.delivery(receiver.number, event.seq())?;
        Ok(delivery.filter(|delivery| delivery.event.id == event))
    }

    /// Every delivery, the oldest event first, with its last attempts.
    pub fn deliveries(&self) -> Result<Vec<DeliveryView>, MockError> {
        let store = self.store()?;
        let mut all = Vec::new();
        let mut query = DeliveryQuery {
            limit: PAGE,
            ..DeliveryQuery::default()
        };
        loop {
            let page = store.deliveries(&query)?;
            all.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        all.reverse();
        Ok(all)
    }

    /// The receiver's registration, which a 410 removes (HOT-28).
    pub fn endpoint(&self) -> Result<Arc<Endpoint>, MockError> {
        let found = self.store()?.endpoints()?.pop();
        found.map(|view| view.endpoint).ok_or(MockError::Stopped)
    }

    /// Empties it: its log, its deliveries and its samples begin anew, its clock with the
    /// machine's time.
    pub async fn reset(&self) -> Result<(), MockError> {
        if self.plan.settings.keep != Keep::InMemory {
            return Err(MockError::Lasting);
        }
        self.renew().await
    }

    /// Stops it. What is under way is cut off.
    pub async fn stop(&self) -> Result<(), MockError> {
        let _turn = self.turn.lock().await;
        self.end().await
    }

    /// What answers for it over HTTP; none once it has stopped.
    pub(super) async fn front(&self) -> Option<Front> {
        let _turn = self.turn.lock().await;
        self.ask(|at_work| at_work.broker.front().clone()).ok()
    }

    fn store(&self) -> Result<Arc<dyn Store>, MockError> {
        self.ask(|at_work| at_work.broker.store().clone())
    }

    fn ask<T>(&self, question: impl FnOnce(&AtWork) -> T) -> Result<T, MockError> {
        self.at_work()
            .as_ref()
            .map(question)
            .ok_or(MockError::Stopped)
    }

    fn at_work(&self) -> MutexGuard<'_, Option<AtWork>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self) -> Result<(), MockError> {
        let _turn = self.turn.lock().await;
        self.end().await?;
        let mut settings = self.plan.settings.clone();
        settings.config.server.limits.drain_timeout = DRAIN;
        let (vendor, seed) = (self.plan.vendor, self.plan.seed);
        let made = Arc::new(Mutex::new(None));
        let place = made.clone();
        let routes = Box::new(move |ground| {
            let trigger = Trigger::new(vendor, seed, ground);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(trigger.clone());
            trigger.router()
        });
        let resolver = Arc::new(SystemResolver);
        let broker = Broker::start_with(settings, self.on_loopback, resolver, routes).await?;
        let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
        let trigger = made.ok_or(MockError::Stopped)?;
        *self.at_work() = Some(AtWork { broker, trigger });
        Ok(())
    }

    async fn end(&self) -> Result<(), MockError> {
        let before = self.at_work().take();
        match before {
            Some(AtWork { broker, .. }) => Ok(broker.stop().await?),
            None => Ok(()),
        }
    }
}
