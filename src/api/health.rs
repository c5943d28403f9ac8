//! Liveness and readiness, open to all.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
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

/// That no event is taken, for want of room on the disk.
#[derive(Serialize, JsonSchema)]
pub(super) struct DiskFull {
    /// `disk_full`.
    status: &'static str,
    /// How much room is wanted.
    detail: String,
}

/// The process lives.
pub(super) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Events are taken. A full disk is said in words of its own: a restart makes no room.
pub(super) async fn ready(State(admin): State<Shared>) -> Result<Response, Problem> {
    if *admin.draining.borrow() {
        return Err(Problem::unavailable("the server is shutting down"));
    }
    let stopped = admin.store.stopped().borrow().clone();
    if let Some(error) = stopped {
        return Err(error.into());
    }
    if admin.store.is_disk_full() {
        let reserve_bytes = admin.limits.disk_reserve_bytes;
        let full = DiskFull {
            status: "disk_full",
            detail: format!(
                "the disk is full: less than {reserve_bytes} bytes are left, so events are refused; deliveries go on; make room, or set [retention]"
            ),
        };
        return Ok((StatusCode::SERVICE_UNAVAILABLE, Json(full)).into_response());
    }
    Ok(Json(Health { status: "ready" }).into_response())
}
