//! `GET /v1/activity`: what came in and was attempted, step by step, since the start.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::request::page::{self, LIMIT};
use super::request::params::Params;
use crate::clock::Timestamp;
use crate::id::EndpointId;
use crate::inbound::problem::Problem;
use crate::telemetry::activity::OfEndpoint;
use crate::telemetry::past::Window;

/// What came in and was delivered, step by step.
#[derive(Serialize, JsonSchema)]
pub(super) struct Activity {
    now: Timestamp,
    /// When the oldest step begins.
    from: Timestamp,
    /// Nothing before it is known.
    started_at: Timestamp,
    /// How long a step is.
    step: &'static str,
    /// The newest step comes last, here and below.
    ingested: Vec<u64>,
    /// The one that was active last comes first.
    endpoints: Vec<Endpoint>,
    /// How many more endpoints were active.
    more: usize,
}

/// The ends of attempts to one endpoint.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ActivityOfEndpoint")]
struct Endpoint {
    id: EndpointId,
    name: String,
    delivered: Vec<u32>,
    failed: Vec<u32>,
}

impl Endpoint {
    fn of(of: &OfEndpoint) -> Self {
        Self {
            id: of.endpoint.id,
            name: of.endpoint.settings.name.clone(),
            delivered: of.ends.iter().map(|ends| ends.delivered).collect(),
            failed: of.ends.iter().map(|ends| ends.failed).collect(),
        }
    }
}

/// `GET /v1/activity?window=1h|24h|7d`, of every endpoint or of one.
pub(super) async fn show(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Activity>, Problem> {
    let mut params = Params::read(query.as_deref(), &["window", "endpoint", LIMIT]);
    let windows = Window::ALL.map(|window| (window.name(), window));
    let window = params.choice("window", &windows).unwrap_or(Window::Hour);
    let limit = page::limit(&mut params);
    let wanted = admin.filtered_endpoint(&mut params);
    params.check()?;
    let now = admin.clock.now();
    let activity = &admin.telemetry.activity;
    let view = match wanted {
        Some(wanted) => activity.view_of(&wanted, window, now),
        None => activity.view(window, now, limit),
    };
    Ok(Json(Activity {
        now,
        from: window.from(now),
        started_at: admin.telemetry.started_at,
        step: window.step(),
        ingested: view.ingested,
        endpoints: view.endpoints.iter().map(Endpoint::of).collect(),
        more: view.more,
    }))
}
