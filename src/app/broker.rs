//! A broker without a listener: everything between an open store and the routes.

use std::sync::Arc;

use rand::RngExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::opening::blocking;
use super::polling::Polling;
use super::routes::{self, Ground, Routes};
use super::{
    AppError, Settings, alerting, keeping, opening, reading, register, sources, store_options,
};
use crate::alerts::Alerts;
use crate::alerts::watch::Parts;
use crate::analytics::Analytics;
use crate::api::sse::Streams;
use crate::api::{Admin, Front};
use crate::clock::SharedClock;
use crate::deliver::advance::Advance;
use crate::deliver::agenda::Agenda;
use crate::deliver::courier::Courier;
use crate::deliver::dispatcher::Dispatcher;
use crate::deliver::faults::Faults;
use crate::deliver::guard::{AddressGuard, Resolve};
use crate::deliver::outcomes::Outcomes;
use crate::deliver::recorder::Recorder;
use crate::deliver::transport::{Network, Transport};
use crate::inbound::Ingest;
use crate::inbound::body::Bodies;
use crate::inbound::zebline::Zebline;
use crate::poll::Tools;
use crate::store::{Options, Store, StoreError};
use crate::vendor;

/// A running broker that is spoken to through its [`front`](Self::front).
pub struct Broker {
    clock: SharedClock,
    store: Arc<dyn Store>,
    advance: Arc<Advance>,
    outcomes: Outcomes,
    faults: Option<Arc<Faults>>,
    front: Front,
    stop: watch::Sender<bool>,
    dispatcher: JoinHandle<Result<(), StoreError>>,
    /// Reads the log for websites, if there are any.
    reader: Option<JoinHandle<()>>,
    /// Watches for alerts, if there are any.
    watcher: Option<JoinHandle<()>>,
    /// Lets what is old expire, if anything does.
    keeper: Option<JoinHandle<()>>,
    /// Why the dispatcher has ended, if it could not go on.
    undelivered: watch::Receiver<Option<StoreError>>,
    polling: Polling,
    committer: std::thread::JoinHandle<()>,
}

impl Broker {
    /// Starts a broker: when this returns, it delivers. Whether those who ask it and those whom it
    /// delivers to may be on this machine is for the caller to say, by `on_loopback`.
    pub async fn start(
        settings: Settings,
        on_loopback: bool,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, AppError> {
        Self::start_with(settings, on_loopback, resolver, routes::none()).await
    }

    /// As [`start`](Self::start), with more routes.
    pub async fn start_with(
        settings: Settings,
        on_loopback: bool,
        resolver: Arc<dyn Resolve>,
        more: Routes,
    ) -> Result<Self, AppError> {
        let options = Options {
            accept_loss: settings.accept_loss,
            accept_lost_transitions: settings.accept_lost_transitions,
            ..store_options(&settings.config)
        };
        let config = settings.config;
        let clock = settings.clock.start()?;
        let limits = &config.server.limits;
        let relay = sources::relay(&config.sources, clock.clone(), on_loopback)?;
        let (store, committer) =
            opening::open(settings.keep, &config, clock.clone(), options).await?;
        let mut policies = vendor::builtin_policies();
        for policy in config.policies.iter().cloned() {
            policies.insert(policy);
        }
        let policies = Arc::new(policies);
        let guard = AddressGuard {
            allow: config.server.allow_private.clone(),
            allow_loopback: on_loopback,
        };
        let transport = Transport::over(guard, Network::system().with_resolver(resolver))?;
        let courier = Courier::new(transport.clone(), clock.clone(), policies.clone());
        let recorder = settings.record.map(|bytes| Arc::new(Recorder::new(bytes)));
        let agenda = Agenda::default();
        let faults = (!settings.faults.is_empty())
            .then(|| Arc::new(Faults::new(settings.faults, clock.clone(), agenda.clone())));
        let courier = courier.with_recorder(recorder).with_faults(faults.clone());
        let courier = Arc::new(courier);
        register::endpoints(&*store, &config.endpoints, &policies, &courier).await?;
        let dispatcher = Arc::new(Dispatcher::new(
            store.clone(),
            courier.clone(),
            clock.clone(),
            limits.deliveries_in_flight_max,
            rand::rng().random(),
        ));
        let advance = Advance::new(store.clone(), dispatcher.clone(), clock.clone());
        let advance = Arc::new(advance.with_agenda(agenda.clone()));
        let (stop, stopping) = watch::channel(false);
        let bodies = Bodies::new(limits);
        let ingest = Ingest::new(store.clone(), bodies.clone(), stopping.clone()).with_relay(relay);
        let zebline = Zebline::new(&config.sources, ingest.clone(), clock.clone());
        let zebline = Arc::new(zebline);
        read_types(zebline.clone());
        let streams = Streams::new(limits);
        let polling = Polling::start(&config.sources, &|| Tools {
            transport: transport.clone(),
            ingest: ingest.clone(),
            store: store.clone(),
            clock: clock.clone(),
            agenda: agenda.clone(),
            stopping: stopping.clone(),
        });
        let (retention, stop_keeping) = (&config.retention, stopping.clone());
        let keeper = keeping::start(
            retention,
            store.clone(),
            clock.clone(),
            &agenda,
            stop_keeping,
        );
        let (websites, views_max) = (&config.websites, limits.analytics_views_max);
        let analytics = Arc::new(Analytics::new(websites, views_max));
        let alerts = Arc::new(Alerts::new(config.alerts, websites, views_max));
        let drain_timeout = limits.drain_timeout;
        let admin = Admin {
            outcomes: dispatcher.outcomes().clone(),
            streams: streams.clone(),
            pollers: polling.gauges.clone(),
            zebline,
            alerts: alerts.clone(),
            store: store.clone(),
            clock: clock.clone(),
            clock_kind: settings.clock,
            policies,
            courier,
            advance: Some(advance.clone()),
            token: config.server.admin_token.clone(),
            bodies,
            draining: stopping.clone(),
        };
        let outcomes = admin.outcomes.clone();
        let more = more(Ground {
            ingest: ingest.clone(),
            bodies: admin.bodies.clone(),
            clock: clock.clone(),
        });
        let (routes, reader) = reading::start(
            (config.websites, config.exports),
            analytics.clone(),
            store.clone(),
            clock.clone(),
            agenda.clone(),
            stopping.clone(),
            streams,
        );
        let parts = Parts {
            analytics,
            store: store.clone(),
            ingest: ingest.clone(),
            clock: clock.clone(),
            agenda,
            stopping: stopping.clone(),
        };
        let watcher = alerting::start(alerts, parts);
        let front = Front::with(admin, ingest, more, routes);
        let (ended, undelivered) = watch::channel(None);
        let delivering = dispatcher.run(stopping, drain_timeout);
        let dispatcher = tokio::spawn(async move {
            let result = delivering.await;
            ended.send_replace(result.as_ref().err().cloned());
            result
        });
        Ok(Self {
            clock,
            store,
            advance,
            outcomes,
            faults,
            front,
            stop,
            dispatcher,
            reader,
            watcher,
            keeper,
            undelivered,
            polling,
            committer,
        })
    }

    /// What answers requests.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Its clock.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What moves its clock, if that is a manual one.
    pub fn advance(&self) -> &Arc<Advance> {
        &self.advance
    }

    /// How its attempts end.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// What does faults on demand, if there is a plan.
    pub fn faults(&self) -> Option<&Arc<Faults>> {
        self.faults.as_ref()
    }

    /// Turns true when it begins to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Resolves if the store stops for good, or nothing is delivered from it any more: then nothing
    /// is left but to end the process.
    pub async fn failed(&self) -> StoreError {
        let unknown = || StoreError::Stopped("for an unknown reason".to_owned());
        let (mut stopped, mut undelivered) = (self.store.stopped(), self.undelivered.clone());
        tokio::select! {
            Ok(error) = stopped.wait_for(Option::is_some) => error.clone().unwrap_or_else(unknown),
            // No sender: the dispatcher has panicked.
            error = undelivered.wait_for(Option::is_some) => {
                error.ok().and_then(|error| error.clone()).unwrap_or_else(unknown)
            }
        }
    }

    /// Has everything begin to stop: requests are answered, but none is waited for any more.
    pub fn drain(&self) {
        self.stop.send_replace(true);
    }

    /// Stops: attempts under way are waited for up to the drain time-out, then everything is
    /// written.
    pub async fn stop(self) -> Result<(), AppError> {
        self.drain();
        if let Ok(result) = self.dispatcher.await {
            result?;
        }
        self.polling.stopped().await;
        for task in [self.reader, self.watcher, self.keeper]
            .into_iter()
            .flatten()
        {
            let _ = task.await;
        }
        let store = self.store;
        blocking(move || store.close()).await?;
        // It ends once the store is closed.
        let committer = self.committer;
        let _ = tokio::task::spawn_blocking(move || committer.join()).await;
        Ok(())
    }
}

/// In the background: a long log takes a while, and deliveries need not wait for it.
fn read_types(zebline: Arc<Zebline>) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = zebline.read_types() {
            tracing::error!(%error, "the types of attributes cannot be read from the log; Zebline's events are refused");
        }
    });
}
