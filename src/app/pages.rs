//! The dashboard and its sessions.

use std::sync::Arc;

use axum::Router;
use rand::RngExt;

use crate::clock::{SharedClock, WatchedClock};
use crate::config::Server;
use crate::current::Current;
use crate::dashboard::session::Sessions;
use crate::dashboard::{self, Dashboard};
use crate::inbound::body::Bodies;
use crate::secret::Tokens;

/// Its routes, and who has logged in; no routes and nobody where it is switched off.
pub(super) fn of(
    server: &Server,
    tokens: &Arc<Current<Tokens>>,
    bodies: &Bodies,
) -> (Router, Option<Arc<Sessions>>) {
    if !server.dashboard {
        return (Router::new(), None);
    }
    // Whatever clock the broker keeps, people live by this one.
    let clock: SharedClock = Arc::new(WatchedClock::default());
    let sessions = Arc::new(Sessions::new(rand::rng().random(), clock.clone()));
    let routes = dashboard::router(Dashboard {
        tokens: tokens.clone(),
        sessions: sessions.clone(),
        clock,
        bodies: bodies.clone(),
    });
    (routes, Some(sessions))
}
