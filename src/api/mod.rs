//! The administration: endpoints, events, deliveries, the clock; and the read side. Read models
//! over the store.
//!
//! | file | what is in it |
//! |---|---|
//! | [`endpoints`], [`actions`] | making, changing and removing endpoints; pause, resume, test, replay, retry, rotate-key |
//! | `in_file` | what only the configuration file may change of an endpoint |
//! | [`events`], [`deliveries`] | the log, and what became of it |
//! | `stream`, [`sse`] | the log as it grows, and how attempts end; server-sent events |
//! | `wait`, `wanted`, `waiter` | deliveries that somebody waits for |
//! | [`tasks`] | bulk operations that go on by themselves |
//! | [`zebline`] | what became of a request to Zebline's API; the attributes of its events |
//! | `overview` | all endpoints at a glance, the worst first |
//! | [`alerts`] | the alerts, and how each stands |
//! | [`sources`] | what came in through each source, and what was refused |
//! | [`clock`], [`health`] | the clock; liveness and readiness |
//! | [`status`], [`activity`] | the broker at a glance; what happened over time |
//! | `metrics` | what a Prometheus scrapes |
//! | [`objects`], [`attempt`], [`explain`] | what is answered; why a delivery is where it is |
//! | `backup` | the log as a whole, for another machine |
//! | [`carry`], [`lines`] | events from one store to another, line by line |
//! | `stream_body` | an answer that is sent as it is made |
//! | `faults` | what was done on purpose |
//! | `explained` | a delivery's rule, clock, and what its signature is made of |
//! | `names` | which endpoints and policies there are, for whoever names another |
//! | [`evidence`] | what a test sees of an attempt beside its end |
//! | [`page`], [`params`], [`input`] | cursors, query parameters, bodies |
//! | [`zenovay`] | Zenovay's read side, with keys of its own |
//! | [`document`] | `/openapi.json`: all of this, described |
//! | [`sse`] | server-sent events |
//! | `front` | what stands before the routes |
//! | [`auth`] | who may ask |
//! | [`request_id`] | what tells a request from every other one |

pub mod actions;
pub mod activity;
pub mod alerts;
pub mod attempt;
pub mod auth;
mod backup;
pub mod carry;
pub mod clock;
pub mod deliveries;
pub mod document;
pub mod endpoints;
pub mod events;
pub mod evidence;
pub mod explain;
mod explained;
mod faults;
mod front;
pub mod health;
mod in_file;
pub mod input;
pub mod lines;
mod metrics;
mod names;
pub mod objects;
mod over;
mod overview;
pub mod page;
pub mod params;
pub mod request_id;
pub mod sources;
pub mod sse;
pub mod status;
mod stream;
mod stream_body;
pub mod tasks;
mod wait;
mod waiter;
mod wanted;
mod watched;
pub mod zebline;
pub mod zenovay;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::routing::{get, post};
use hyper::StatusCode;
use tokio::sync::watch;

use crate::alerts::Alerts;
use crate::clock::{ClockKind, SharedClock};
use crate::config::{Limits, Operations};
use crate::current::Current;
use crate::deliver::advance::Advance;
use crate::deliver::courier::Courier;
use crate::deliver::outcomes::Outcomes;
use crate::inbound::body::Bodies;
use crate::inbound::observer::Observer;
use crate::inbound::problem::Problem;
use crate::inbound::zebline::Zebline;
use crate::inbound::{self, Ingest};
use crate::policy::Policies;
use crate::poll::gauge::Gauge;
use crate::secret::Tokens;
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;
use crate::telemetry::Telemetry;

pub use self::front::Front;
use self::request_id::RequestIds;
use self::sse::Streams;

/// What the administration needs.
pub struct Admin {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The broker's clock.
    pub clock: SharedClock,
    /// What kind of clock that is.
    pub clock_kind: ClockKind,
    /// The policies that endpoints can name.
    pub policies: Arc<Current<Policies>>,
    /// The names of the endpoints that the configuration file states.
    pub in_file: Arc<Current<BTreeSet<String>>>,
    /// Checks and tests endpoints.
    pub courier: Arc<Courier>,
    /// Moves the clock; only where it is a manual one.
    pub advance: Option<Arc<Advance>>,
    /// What administrators authenticate with. Without one the server must listen on loopback only.
    pub tokens: Arc<Current<Tokens>>,
    /// Who has logged in instead, where there is a dashboard.
    pub sessions: Option<Arc<dyn auth::Sessions>>,
    /// How attempts end.
    pub outcomes: Outcomes,
    /// How many streams may be open.
    pub streams: Streams,
    /// How the pollers are getting on.
    pub pollers: Vec<Arc<Gauge>>,
    /// What is known of the attributes of Zebline's events.
    pub zebline: Arc<Zebline>,
    /// The alerts, and how each stands.
    pub alerts: Arc<Current<Alerts>>,
    /// Bulk operations.
    pub tasks: Arc<Tasks>,
    /// Who wants to know of requests that bring events, if anybody does.
    pub observer: Option<Arc<dyn Observer>>,
    /// When an endpoint counts as failing, whether that is told as an event or not.
    pub failing: Operations,
    /// What is known of this broker since its start.
    pub telemetry: Arc<Telemetry>,
    /// Makes the ids of requests that bring none.
    pub request_ids: RequestIds,
    /// What `/openapi.json` describes.
    pub document: document::Subject,
    /// What is never exceeded.
    pub limits: Limits,
    /// Reads the requests' bodies.
    pub bodies: Bodies,
    /// Turns true when the server begins to stop.
    pub draining: watch::Receiver<bool>,
}

type Shared = Arc<Admin>;

/// Every route of the administration and of ingest, and `more`. A router with routes alone can be
/// merged into it; only what is in it already is guarded by the token.
fn router(admin: Shared, ingest: Ingest, more: Router) -> Router {
    let all = sources::All {
        relay: ingest.relay().clone(),
        zebline: admin.zebline.clone(),
        pollers: admin.pollers.clone().into(),
    };
    let sources = Router::new()
        .route("/v1/sources", get(sources::list))
        .with_state(all.clone());
    let metrics = Router::new()
        .route("/metrics", get(metrics::scrape))
        .with_state(metrics::Looked {
            admin: admin.clone(),
            sources: all,
        });
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(document::serve))
        .route(
            "/v1/endpoints",
            get(endpoints::list).post(endpoints::create),
        )
        .route(
            "/v1/endpoints/{endpoint}",
            get(endpoints::show)
                .patch(endpoints::change)
                .delete(endpoints::remove),
        )
        .route("/v1/endpoints/{endpoint}/pause", post(actions::pause))
        .route("/v1/endpoints/{endpoint}/resume", post(actions::resume))
        .route("/v1/endpoints/{endpoint}/test", post(actions::test))
        .route("/v1/endpoints/{endpoint}/replay", post(actions::replay))
        .route("/v1/endpoints/{endpoint}/retry", post(actions::retry))
        .route(
            "/v1/endpoints/{endpoint}/rotate-key",
            post(actions::rotate_key),
        )
        .route("/v1/events", get(events::list))
        .route("/v1/events/{event}", get(events::show))
        .route("/v1/events/{event}/body", get(events::body))
        .route("/v1/events/{event}/deliveries", get(events::deliveries))
        .route("/v1/overview", get(overview::show))
        .route("/v1/deliveries", get(deliveries::list))
        .route("/v1/deliveries/{delivery}", get(deliveries::show))
        .route("/v1/deliveries/{delivery}/retry", post(deliveries::retry))
        .route(
            "/v1/deliveries/{delivery}/discard",
            post(deliveries::discard),
        )
        .route(
            "/v1/deliveries/{delivery}/give-up",
            post(deliveries::give_up),
        )
        .route("/v1/tasks", get(tasks::list).post(tasks::create))
        .route("/v1/tasks/{task}", get(tasks::show))
        .route("/v1/tasks/{task}/cancel", post(tasks::cancel))
        .route("/v1/stream", get(stream::stream))
        .route("/v1/wait", get(wait::wait))
        .route("/v1/track/{track}", get(zebline::track))
        .route("/v1/attributes", get(zebline::attributes))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/status", get(status::show))
        .route("/v1/activity", get(activity::show))
        .route("/v1/backup", get(backup::backup))
        .route("/v1/export", get(carry::export))
        .route("/v1/import", post(carry::import))
        .route("/v1/faults", get(faults::list))
        .route("/v1/clock", get(clock::show))
        .route("/v1/clock/advance", post(clock::advance))
        .with_state(admin.clone())
        .merge(sources)
        .merge(metrics)
        .merge(inbound::router(ingest))
        .merge(more)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(admin, auth::guard))
}

async fn not_found(request: Request) -> Problem {
    Problem::not_found(format!(
        "there is nothing at {}",
        crate::words::quoted(request.uri().path())
    ))
}

async fn method_not_allowed(request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!(
            "{} does not take {}; see the Allow header",
            crate::words::quoted(request.uri().path()),
            request.method()
        ),
    )
}

impl Admin {
    /// Asks the store something that may wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || question(&*store)).await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the store ended in a panic");
                Err(Problem::internal(
                    "the store could not be read; see the server's log",
                ))
            }
        }
    }
}
