//! The composition root: the only place that names a concrete store, clock and transport.
//!
//! ```text
//!   start:  listener ─ [ clock ─ store ─ committer ─ endpoints of the configuration ─ dispatcher ─
//!           pollers ─ reader of the log for websites ─ alerts ] ─ server
//!   stop:   server ─ [ dispatcher (drain) ─ pollers ─ committer ─ snapshot ]
//! ```
//!
//! What stands in brackets is a [`Broker`], of which one process can have several.

mod alerting;
mod broker;
mod descriptors;
mod error;
mod keeping;
mod locks;
mod observers;
mod opening;
mod pages;
mod polling;
mod reading;
mod register;
mod reload;
mod routes;
mod settings;
mod sources;
mod tasking;
mod tracer;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::config::{Config, EndpointEntry, Server};
use crate::deliver::advance::Advance;
use crate::deliver::faults::Faults;
use crate::deliver::guard::{AddressGuard, Resolve, SystemResolver};
use crate::deliver::outcomes::Outcomes;
use crate::inbound::server::{self, ServerLimits};
use crate::store::{Store, StoreError};

pub use broker::Broker;
pub use error::AppError;
pub use opening::{entropy, store_options};
pub use reload::Reloaded;
pub use routes::{Ground, Routes};
pub use settings::{Keep, Settings};

pub(crate) use descriptors::fit as fitting;

/// A running broker that listens.
pub struct App {
    address: SocketAddr,
    broker: Broker,
    server: JoinHandle<()>,
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
        Self::begin(settings, resolver, routes::none()).await
    }

    /// As [`start`](Self::start), with more routes.
    pub async fn start_with(settings: Settings, more: Routes) -> Result<Self, AppError> {
        Self::begin(settings, Arc::new(SystemResolver), more).await
    }

    /// The endpoints that a start would refuse without asking anybody, each with its line and why.
    pub fn refused(config: &Config) -> Vec<(usize, String)> {
        let server = &config.server;
        let on_loopback = server.listen.ip().to_canonical().is_loopback();
        let guard = guard(server, on_loopback);
        let refused = |entry: &EndpointEntry| {
            let why = register::mistake(&entry.settings, &guard)?;
            Some((
                entry.line,
                format!("endpoint {}: {why}", entry.settings.name),
            ))
        };
        config.endpoints.iter().filter_map(refused).collect()
    }

    async fn begin(
        mut settings: Settings,
        resolver: Arc<dyn Resolve>,
        more: Routes,
    ) -> Result<Self, AppError> {
        let server = &mut settings.config.server;
        server.limits = descriptors::fit(server.limits.clone());
        let limits = ServerLimits::from(&server.limits);
        // Bound first: an address in use is found before a large store is read.
        let (listener, address) = listen(server.listen).await?;
        let on_loopback = address.ip().to_canonical().is_loopback();
        if on_loopback {
            tracing::info!("listening on loopback, so receivers on loopback are allowed");
        }
        let broker = Broker::start_with(settings, on_loopback, resolver, more).await?;
        let stopped = stopped(broker.stopping());
        let server = server::serve(listener, broker.front().clone(), limits, stopped);
        Ok(Self {
            address,
            broker,
            server: tokio::spawn(server),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its clock.
    pub fn clock(&self) -> &SharedClock {
        self.broker.clock()
    }

    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.broker.store()
    }

    /// What moves its clock, if that is a manual one.
    pub fn advance(&self) -> &Arc<Advance> {
        self.broker.advance()
    }

    /// How its attempts end.
    pub fn outcomes(&self) -> &Outcomes {
        self.broker.outcomes()
    }

    /// What does faults on demand, if there is a plan.
    pub fn faults(&self) -> Option<&Arc<Faults>> {
        self.broker.faults()
    }

    /// Brings endpoints, policies and alerts into line with `config` while everything goes on.
    ///
    /// # Errors
    /// As those of [`Broker::reload`].
    pub async fn reload(&self, mut config: Config) -> Result<Reloaded, AppError> {
        config.server.limits = descriptors::fit(config.server.limits);
        self.broker.reload(config).await
    }

    /// Resolves if the store stops for good, or nothing is delivered from it any more: then nothing
    /// is left but to end the process.
    pub async fn failed(&self) -> StoreError {
        self.broker.failed().await
    }

    /// Stops: no new connections, attempts under way are waited for up to the drain time-out,
    /// then everything is written.
    pub async fn stop(self) -> Result<(), AppError> {
        self.broker.drain();
        // It has ended already only if it has panicked.
        let _ = self.server.await;
        self.broker.stop().await
    }
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender is gone: the broker was dropped, which is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Which addresses receivers may be at.
fn guard(server: &Server, on_loopback: bool) -> AddressGuard {
    AddressGuard {
        allow: server.allow_private.clone(),
        allow_loopback: on_loopback,
    }
}

/// Listens on `address`; says which one it is.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let refused = |cause| AppError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}
