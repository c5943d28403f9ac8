//! Keeps idle connections for the requests that follow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;

use super::connection::Connection;

/// Idle connections kept for one receiver.
const PER_ORIGIN: usize = 64;

/// Idle connections kept in all: file descriptors are shared with the store and the clients.
const IN_ALL: usize = 512;

/// A connection is closed after one to two of these without use. Many servers close theirs after
/// five seconds; being earlier keeps a request from meeting that close on its way.
const SWEEP: Duration = Duration::from_secs(2);

/// One set of trusted authorities, with the connections that were opened under it.
pub(super) struct Realm {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) pool: Pool,
}

impl Realm {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self {
            tls,
            pool: Pool::default(),
        }
    }
}

/// Idle connections by origin; the most recently used is taken first, so that the rest may age.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Idle>>);

#[derive(Default)]
struct Idle {
    by_origin: HashMap<Box<str>, Vec<Kept>>,
    count: usize,
    sweeping: bool,
}

struct Kept {
    connection: Box<Connection>,
    swept: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kept connection to `origin` that is still open.
    pub(super) async fn take(&self, origin: &str) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.pop(origin)?;
            // What the receiver did meanwhile shows only when the connection is polled.
            if connection.is_idle().await {
                return Some(connection);
            }
        }
    }

    fn pop(&self, origin: &str) -> Option<Box<Connection>> {
        let mut idle = self.lock();
        let kept = idle.by_origin.get_mut(origin)?.pop()?;
        idle.count -= 1;
        Some(kept.connection)
    }

    /// Keeps `connection` for the next request to `origin`, if there is room.
    pub(super) fn put(&self, origin: &str, connection: Box<Connection>) {
        let kept = Kept {
            connection,
            swept: false,
        };
        let mut idle = self.lock();
        if idle.count >= IN_ALL {
            return;
        }
        match idle.by_origin.get_mut(origin) {
            Some(list) if list.len() >= PER_ORIGIN => return,
            Some(list) => list.push(kept),
            None => {
                idle.by_origin.insert(origin.into(), vec![kept]);
            }
        }
        idle.count += 1;
        if !std::mem::replace(&mut idle.sweeping, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Closes every kept connection; says whether there was one.
    pub(super) fn clear(&self) -> bool {
        let mut idle = self.lock();
        let closed = std::mem::take(&mut idle.by_origin);
        idle.count = 0;
        drop(idle);
        closed.values().any(|list| !list.is_empty())
    }

    /// Closes what is not used. Ends when nothing is left, and is started again with the next.
    async fn sweep(self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let mut old = Vec::new();
            let mut idle = self.lock();
            let Idle {
                by_origin,
                count,
                sweeping,
            } = &mut *idle;
            by_origin.retain(|_, list| {
                old.extend(list.extract_if(.., |kept| std::mem::replace(&mut kept.swept, true)));
                !list.is_empty()
            });
            *count -= old.len();
            *sweeping = !by_origin.is_empty();
            let go_on = *sweeping;
            // Closing sockets takes time that those who wait for the lock need not lose.
            drop(idle);
            drop(old);
            if !go_on {
                return;
            }
        }
    }
}
