//! A broker without a listener: everything between an open store and the routes.

mod view;

use std::sync::Arc;

use rand::RngExt;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::alerting::Alerting;
use super::locks::Locks;
use super::observers::Observers;
use super::opening::blocking;
use super::polling::Polling;
use super::reload::{self, Reloaded, Reloading};
use super::routes::{self, Ground, Routes};
use super::tracer::Tracer;
use super::{
    AppError, Settings, keeping, opening, pages, reading, register, sources, store_options, tasking,
};
use crate::alerts::Alerts;
use crate::alerts::parts as alerts;
use crate::analytics::Analytics;
use crate::api::gate::request_id::RequestIds;
use crate::api::streaming::sse::Streams;
use crate::api::{Admin, Front};
use crate::clock::SharedClock;
use crate::config::{Config, Fixed};
use crate::current::Current;
use crate::deliver::advance::Advance;
use crate::deliver::agenda::Agenda;
use crate::deliver::courier::Courier;
use crate::deliver::dispatcher::Dispatcher;
use crate::deliver::faults::Faults;
use crate::deliver::guard::Resolve;
use crate::deliver::outcomes::Outcomes;
use crate::deliver::recorder::Recorder;
use crate::deliver::transport::{Network, Transport};
use crate::inbound::Ingest;
use crate::inbound::body::Bodies;
use crate::inbound::zebline::Zebline;
use crate::operations::run as operations;
use crate::poll::Tools;
use crate::store::{Options, Store, StoreError};
use crate::telemetry::Telemetry;

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
    /// What follows the configuration.
    reloading: Reloading,
    /// Works on bulk operations.
    tasks: JoinHandle<()>,
    /// Tells operational events, if it is to.
    teller: Option<JoinHandle<()>>,
    /// Lets what is old expire, if anything does.
    keeper: Option<JoinHandle<()>>,
    /// Why the dispatcher has ended, if it could not go on.
    undelivered: watch::Receiver<Option<StoreError>>,
    polling: Polling,
    /// Exports traces, if anybody asked for them.
    tracer: Tracer,
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
        let fixed = Fixed::of(&config);
        let clock = settings.clock.start()?;
        let limits = &config.server.limits;
        let relay = sources::relay(&config.sources, clock.clone(), on_loopback)?;
        let telemetry = Arc::new(Telemetry::new(clock.now(), limits.metrics_endpoints_max));
        let agenda = Agenda::default();
        let tracer = Tracer::start(settings.traces, &telemetry.spans);
        let (told, traces) = (config.operations, tracer.traces());
        let observers = Observers::new(telemetry.clone(), traces, told, &agenda, &clock);
        let observers = Arc::new(observers);
        let observer = observers.clone();
        let (store, committer) =
            opening::open(settings.keep, &config, clock.clone(), options, observer).await?;
        let policies = Arc::new(Current::new(reload::policies(&config.policies)));
        let guard = super::guard(&config.server, on_loopback);
        let transport = Transport::over(guard, Network::system().with_resolver(resolver))?;
        let courier = Courier::new(transport.clone(), clock.clone(), policies.clone());
        let recorder = settings.record.map(|bytes| Arc::new(Recorder::new(bytes)));
        let faults = (!settings.faults.is_empty())
            .then(|| Arc::new(Faults::new(settings.faults, clock.clone(), agenda.clone())));
        let courier = courier.with_recorder(recorder).with_faults(faults.clone());
        let courier = courier.with_propagation(tracer.propagation(config.otel.clone()));
        let courier = Arc::new(courier);
        let in_file = register::begin(&*store, &config, &policies.get(), &courier).await?;
        let dispatcher = Dispatcher::new(
            store.clone(),
            courier.clone(),
            clock.clone(),
            limits.deliveries_in_flight_max,
            rand::rng().random(),
        );
        let dispatcher = dispatcher.with_observer(observers.clone());
        let dispatcher = Arc::new(dispatcher.with_agenda(agenda.clone()));
        observers.tell_watchers(dispatcher.outcomes());
        let advance = Arc::new(Advance::new(store.clone(), agenda.clone(), clock.clone()));
        let (stop, stopping) = watch::channel(false);
        let bodies = Bodies::new(limits);
        let ingest = Ingest::new(store.clone(), bodies.clone(), stopping.clone()).with_relay(relay);
        let ingest = ingest.with_observer(tracer.observer());
        let zebline = Zebline::new(&config.sources, ingest.clone(), clock.clone());
        let zebline = Arc::new(zebline);
        sources::read_types(zebline.clone());
        let streams = Streams::new(limits);
        let polling = Polling::start(&config.sources, &|| Tools {
            transport: transport.clone(),
            ingest: ingest.clone(),
            store: store.clone(),
            clock: clock.clone(),
            agenda: agenda.clone(),
            stopping: stopping.clone(),
        });
        let (retention, until) = (&config.retention, stopping.clone());
        let keeper = keeping::start(retention, store.clone(), clock.clone(), &agenda, until);
        let (websites, views_max) = (&config.websites, limits.analytics_views_max);
        let analytics = Arc::new(Analytics::new(websites, views_max));
        let alerts = Alerts::new(config.alerts, websites, views_max);
        let alerts = Arc::new(Current::new(alerts));
        let (keep, data_dir) = (settings.keep, &config.server.data_dir);
        let tasks = tasking::open(keep, data_dir, &store, &clock).await?;
        let tokens = Arc::new(Current::new(config.server.admin_tokens()));
        let (pages, sessions) = pages::of(&config.server, &tokens, &bodies);
        let doors = ingest.relay().tokens().chain(zebline.tokens());
        let locks = Locks::new(tokens.clone(), doors, sessions.clone());
        let admin = Admin {
            tasks: tasks.clone(),
            outcomes: dispatcher.outcomes().clone(),
            streams: streams.clone(),
            observer: tracer.observer(),
            failing: config.operations.unwrap_or_default(),
            telemetry,
            limits: limits.clone(),
            request_ids: RequestIds::new(rand::rng().random()),
            pollers: polling.gauges.clone(),
            zebline,
            alerts: alerts.clone(),
            store: store.clone(),
            clock: clock.clone(),
            clock_kind: settings.clock,
            document: settings.document,
            policies: policies.clone(),
            in_file: in_file.clone(),
            courier: courier.clone(),
            advance: Some(advance.clone()),
            tokens,
            sessions: sessions.map(|sessions| sessions as _),
            bodies,
            draining: stopping.clone(),
        };
        let outcomes = admin.outcomes.clone();
        let more = more(Ground {
            ingest: ingest.clone(),
            bodies: admin.bodies.clone(),
            clock: clock.clone(),
        });
        let (read, reader) = reading::start(
            (config.websites, config.exports),
            analytics.clone(),
            store.clone(),
            clock.clone(),
            agenda.clone(),
            stopping.clone(),
            streams,
        );
        let parts = alerts::Parts {
            analytics,
            store: store.clone(),
            ingest: ingest.clone(),
            clock: clock.clone(),
            agenda,
            kept: keep.beside(data_dir, alerts::KEPT),
            stopping: stopping.clone(),
        };
        let reloading = Reloading {
            fixed,
            in_file,
            store: store.clone(),
            courier,
            policies,
            alerting: Alerting::start(alerts, parts),
            locks,
            views_max,
            turn: Mutex::default(),
        };
        let tasks = tokio::spawn(tasks.run(stopping.clone()));
        let teller = observers.tell(operations::Parts {
            store: store.clone(),
            ingest: ingest.clone(),
            clock: clock.clone(),
            disk_reserve_bytes: limits.disk_reserve_bytes as u64,
            kept: keep.beside(data_dir, operations::KEPT),
            stopping: stopping.clone(),
        });
        let guarded = more.merge(read.guarded);
        let front = Front::with(admin, ingest, guarded, read.open.merge(pages));
        let (ended, undelivered) = watch::channel(None);
        let delivering = dispatcher.run(stopping, limits.drain_timeout);
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
            reloading,
            tasks,
            teller,
            keeper,
            undelivered,
            polling,
            tracer,
            committer,
        })
    }

    /// Brings endpoints, policies and alerts into line with `config`.
    ///
    /// # Errors
    /// [`AppError::Endpoints`] if an endpoint cannot be used: then nothing has changed. Others if
    /// the registry cannot be written.
    pub async fn reload(&self, config: Config) -> Result<Reloaded, AppError> {
        self.reloading.reload(config).await
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
        self.reloading.alerting.stopped().await;
        let others = [Some(self.tasks), self.reader, self.teller, self.keeper];
        for task in others.into_iter().flatten() {
            let _ = task.await;
        }
        // Nothing happens any more.
        self.tracer.stop().await;
        blocking(move || self.store.close()).await?;
        // It ends once the store is closed.
        let committer = self.committer;
        let _ = tokio::task::spawn_blocking(move || committer.join()).await;
        Ok(())
    }
}
