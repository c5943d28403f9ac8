//! The composition root: the only place that names a concrete store, clock and transport.
//!
//! ```text
//!   start:  clock ─ store ─ committer ─ endpoints of the configuration ─ dispatcher ─ pollers ─
//!           reader of the log for websites ─ alerts ─ listener
//!   stop:   listener ─ dispatcher (drain) ─ pollers ─ committer ─ snapshot
//! ```

mod alerting;
mod descriptors;
mod error;
mod opening;
mod polling;
mod reading;
mod register;
mod settings;
mod sources;

use std::net::SocketAddr;
use std::sync::Arc;

use rand::RngExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerts::Alerts;
use crate::alerts::watch::Parts;
use crate::analytics::Analytics;
use crate::api::sse::Streams;
use crate::api::{self, Admin};
use crate::clock::SharedClock;
use crate::deliver::advance::Advance;
use crate::deliver::agenda::Agenda;
use crate::deliver::courier::Courier;
use crate::deliver::dispatcher::Dispatcher;
use crate::deliver::guard::{AddressGuard, Resolve, SystemResolver};
use crate::deliver::transport::{Network, Transport};
use crate::inbound::Ingest;
use crate::inbound::body::Bodies;
use crate::inbound::server::{self, ServerLimits};
use crate::inbound::zebline::Zebline;
use crate::poll::Tools;
use crate::store::disk::Disk;
use crate::store::{Log, Options, Store, StoreError, committer};
use crate::vendor;

pub use error::AppError;
use opening::{blocking, open_store};
pub use opening::{entropy, store_options};
use polling::Polling;
pub use settings::Settings;

/// A running broker.
pub struct App {
    address: SocketAddr,
    clock: SharedClock,
    store: Arc<Log<Disk>>,
    advance: Arc<Advance>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    dispatcher: JoinHandle<Result<(), StoreError>>,
    /// Reads the log for websites, if there are any.
    reader: Option<JoinHandle<()>>,
    /// Watches for alerts, if there are any.
    watcher: Option<JoinHandle<()>>,
    /// Why the dispatcher has ended, if it could not go on.
    undelivered: watch::Receiver<Option<StoreError>>,
    polling: Polling,
    committer: std::thread::JoinHandle<()>,
}

impl App {
    /// Starts a broker: when this returns, it accepts connections and delivers.
    pub async fn start(settings: Settings) -> Result<Self, AppError> {
        Self::start_with_resolver(settings, Arc::new(SystemResolver)).await
    }

    /// As [`start`](Self::start), with the names of receivers resolved by `resolver`.
    pub async fn start_with_resolver(
        settings: Settings,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, AppError> {
        let Settings {
            mut config,
            clock: kind,
            accept_loss,
            accept_lost_transitions,
            ..
        } = settings;
        let options = Options {
            accept_loss,
            accept_lost_transitions,
            ..store_options(&config)
        };
        let clock = kind.start()?;
        config.server.limits = descriptors::fit(config.server.limits);
        let limits = config.server.limits.clone();
        // Bound first: an address in use is found before a large store is read.
        let listener = listen(config.server.listen).await?;
        let address = listener.local_addr().map_err(|cause| AppError::Listen {
            address: config.server.listen,
            cause,
        })?;
        let on_loopback = address.ip().to_canonical().is_loopback();
        let relay = sources::relay(&config.sources, clock.clone(), on_loopback)?;
        let store = open_store(&config, clock.clone(), options).await?;
        let runtime = tokio::runtime::Handle::current();
        store.answer_by(Box::new(move |answers| {
            runtime.spawn(async { answers.send() });
        }));
        let committer = committer::spawn(store.clone()).map_err(|cause| AppError::System {
            what: "a thread",
            cause,
        })?;
        let mut policies = vendor::builtin_policies();
        for policy in config.policies.iter().cloned() {
            policies.insert(policy);
        }
        let policies = Arc::new(policies);
        let guard = AddressGuard {
            allow: config.server.allow_private.clone(),
            allow_loopback: on_loopback,
        };
        if guard.allow_loopback {
            tracing::info!("listening on loopback, so receivers on loopback are allowed");
        }
        let transport = Transport::over(guard, Network::system().with_resolver(resolver))?;
        let courier = Courier::new(transport.clone(), clock.clone(), policies.clone());
        let courier = Arc::new(courier);
        register::endpoints(&*store, &config.endpoints, &policies, &courier).await?;
        let dispatcher = Arc::new(Dispatcher::new(
            store.clone(),
            courier.clone(),
            clock.clone(),
            limits.deliveries_in_flight_max,
            rand::rng().random(),
        ));
        let agenda = Agenda::default();
        let advance = Advance::new(store.clone(), dispatcher.clone(), clock.clone());
        let advance = Arc::new(advance.with_agenda(agenda.clone()));
        let (stop, stopping) = watch::channel(false);
        let bodies = Bodies::new(&limits);
        let ingest = Ingest::new(store.clone(), bodies.clone(), stopping.clone()).with_relay(relay);
        let zebline = Zebline::new(&config.sources, ingest.clone(), clock.clone());
        let zebline = Arc::new(zebline);
        read_types(zebline.clone());
        let streams = Streams::new(&limits);
        let polling = Polling::start(&config.sources, &|| Tools {
            transport: transport.clone(),
            ingest: ingest.clone(),
            store: store.clone(),
            clock: clock.clone(),
            agenda: agenda.clone(),
            stopping: stopping.clone(),
        });
        let (websites, views_max) = (&config.websites, limits.analytics_views_max);
        let analytics = Arc::new(Analytics::new(websites, views_max));
        let alerts = Arc::new(Alerts::new(config.alerts, websites, views_max));
        let admin = Admin {
            outcomes: dispatcher.outcomes().clone(),
            streams: streams.clone(),
            pollers: polling.gauges.clone(),
            zebline,
            alerts: alerts.clone(),
            store: store.clone(),
            clock: clock.clone(),
            clock_kind: kind,
            policies,
            courier,
            advance: Some(advance.clone()),
            token: config.server.admin_token.clone(),
            bodies,
            draining: stopping.clone(),
        };
        let (routes, reader) = reading::start(
            (config.websites, config.exports),
            analytics.clone(),
            store.clone(),
            clock.clone(),
            stopping.clone(),
            streams,
        );
        let parts = Parts {
            analytics,
            store: store.clone(),
            ingest: ingest.clone(),
            clock: clock.clone(),
            stopping: stopping.clone(),
        };
        let watcher = alerting::start(alerts, parts);
        let front = api::Front::beside(admin, ingest, routes);
        let (ended, undelivered) = watch::channel(None);
        let delivering = dispatcher.run(stopping.clone(), limits.drain_timeout);
        let dispatcher = tokio::spawn(async move {
            let result = delivering.await;
            ended.send_replace(result.as_ref().err().cloned());
            result
        });
        let server = tokio::spawn(server::serve(
            listener,
            front,
            ServerLimits::from(&limits),
            stopped(stopping),
        ));
        Ok(Self {
            address,
            clock,
            store,
            advance,
            stop,
            server,
            dispatcher,
            reader,
            watcher,
            undelivered,
            polling,
            committer,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its clock.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Its store.
    pub fn store(&self) -> &Arc<Log<Disk>> {
        &self.store
    }

    /// What moves its clock, if that is a manual one.
    pub fn advance(&self) -> &Arc<Advance> {
        &self.advance
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

    /// Stops: no new connections, attempts under way are waited for up to the drain time-out,
    /// then everything is written.
    pub async fn stop(self) -> Result<(), AppError> {
        // Nobody listens only if all have ended already.
        let _ = self.stop.send(true);
        let _ = self.server.await;
        if let Ok(result) = self.dispatcher.await {
            result?;
        }
        self.polling.stopped().await;
        for task in [self.reader, self.watcher].into_iter().flatten() {
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

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender is gone: the app was dropped, which is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn listen(address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| AppError::Listen { address, cause })
}
