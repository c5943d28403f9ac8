//! Liveness and readiness, open to all.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use crate::inbound::problem::Problem;

/// That the server is well.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok` or `ready`.
    status: &'static str,
}

/// The process lives.
pub(super) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Events are taken.
pub(super) async fn ready(State(admin): State<Shared>) -> Result<Json<Health>, Problem> {
    if *admin.draining.borrow() {
        return Err(Problem::unavailable("the server is shutting down"));
    }
    let stopped = admin.store.stopped().borrow().clone();
    match stopped {
        Some(error) => Err(error.into()),
        None => Ok(Json(Health { status: "ready" })),
    }
}
