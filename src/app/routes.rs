//! Routes that a broker has beside its own.

use axum::Router;

use crate::clock::SharedClock;
use crate::inbound::Ingest;
use crate::inbound::body::Bodies;

/// What such routes stand on.
pub struct Ground {
    /// Puts events into the log.
    pub ingest: Ingest,
    /// Reads requests' bodies.
    pub bodies: Bodies,
    /// The broker's clock.
    pub clock: SharedClock,
}

/// Makes the routes once there is a broker to make them for. The admin token guards them.
pub type Routes = Box<dyn FnOnce(Ground) -> Router + Send>;

/// No routes.
pub fn none() -> Routes {
    Box::new(|_| Router::new())
}
