//! A server of mocks: the door, a listener, and their end.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::door::Door;
use super::registry::{Mocks, NoMock};
use crate::app;
use crate::app::AppError;
use crate::config::Limits;
use crate::inbound::server::{ServerLimits, serve};

/// Mocks behind one address.
pub struct Server {
    address: SocketAddr,
    mocks: Arc<Mocks>,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
}

impl Server {
    /// Listens on `address`; there are no mocks yet. Nobody is asked for a token, so `address` had
    /// better be on loopback.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(address: SocketAddr) -> Result<Self, AppError> {
        let (listener, address) = app::listen(address).await?;
        let mocks = Arc::new(Mocks::new(address.ip().to_canonical().is_loopback()));
        let (stop, mut stopping) = watch::channel(false);
        let stopped = async move {
            // The sender is gone: the server was dropped, which is a stop too.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let limits = ServerLimits::from(&app::fitting(Limits::default()));
        let door = Door::to(mocks.clone());
        Ok(Self {
            address,
            mocks,
            stop,
            listening: tokio::spawn(serve(listener, door, limits, stopped)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mocks behind it.
    pub fn mocks(&self) -> &Arc<Mocks> {
        &self.mocks
    }

    /// Takes every mock away, and stops listening.
    pub async fn stop(self) -> Result<(), NoMock> {
        // Nobody listens only if it has ended already.
        let _ = self.stop.send(true);
        // Before the listener's end: streams of a mock would be waited for.
        let closed = self.mocks.close().await;
        let _ = self.listening.await;
        closed
    }
}
