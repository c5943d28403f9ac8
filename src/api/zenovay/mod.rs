//! Zenovay's read side over our own log: the live count, its stream, and the external API.
//!
//! None of it stands behind the admin token, as the API has keys of its own and the live count is
//! open to every web page; but for the figures of all websites, which operators see without a key.
//!
//! | file | what is in it |
//! |---|---|
//! | `external` | `/api/external/v1` |
//! | `live` | `/e/live/{code}`, `/api/sse/live` |
//! | `websites` | `/v1/websites`, for operators |
//! | `keys` | who may read what, and how often |
//! | `answer` | answers with the vendor's headers |

mod answer;
mod external;
mod keys;
mod live;
pub(super) mod websites;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get};
use tokio::sync::watch;

use self::answer::RequestIds;
use self::keys::Keys;
use super::streaming::sse::Streams;
use crate::analytics::Analytics;
use crate::clock::{SharedClock, Timestamp};
use crate::config::Website;
use crate::id::Seq;
use crate::vendor::zenovay::{Code, Refusal};

/// How long a request waits, in real time, until what was in the log before it is counted.
const PATIENCE: Duration = Duration::from_secs(1);

type Shared = Arc<ReadSide>;

/// What the read side needs.
pub struct ReadSide {
    analytics: Arc<Analytics>,
    websites: Vec<Website>,
    keys: Keys,
    clock: SharedClock,
    tail: watch::Receiver<Seq>,
    /// Where the log ended at the start. Before that is counted every figure would be too small.
    began: Seq,
    draining: watch::Receiver<bool>,
    streams: Streams,
    request_ids: RequestIds,
}

impl ReadSide {
    /// Over `analytics` of these websites, whose log grows as `tail` says. The ids of its
    /// requests follow from `key`.
    pub fn new(
        analytics: Arc<Analytics>,
        websites: Vec<Website>,
        clock: SharedClock,
        tail: watch::Receiver<Seq>,
        draining: watch::Receiver<bool>,
        streams: Streams,
        key: [u8; 16],
    ) -> Self {
        let began = *tail.borrow();
        Self {
            analytics,
            keys: Keys::of(&websites),
            websites,
            clock,
            tail,
            began,
            draining,
            streams,
            request_ids: RequestIds::new(key),
        }
    }

    /// Waits until everything is counted that was in the log when the request came.
    async fn catch_up(&self) -> Result<(), Refusal> {
        let wanted = *self.tail.borrow();
        let mut reached = self.analytics.reached();
        let waited = tokio::time::timeout(PATIENCE, reached.wait_for(|seq| *seq >= wanted));
        let is_there = waited.await.is_ok();
        // Later on figures that are a second late are better than none.
        if is_there || *reached.borrow() >= self.began {
            return Ok(());
        }
        let message = "The log is still being read; its figures are not complete";
        Err(Refusal::new(Code::Unavailable, message).again_in(1))
    }

    /// Asks what may take some milliseconds of computing.
    async fn ask<T: Send + 'static>(
        self: &Shared,
        question: impl FnOnce(&Self, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let side = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let now = side.clock.now();
            question(&side, now)
        });
        answer.await.map_err(|error| {
            tracing::error!(%error, "a question about a website ended in a panic");
            Refusal::new(Code::Internal, "Internal error")
        })
    }
}

/// The routes that the admin token guards.
pub fn guarded(side: Arc<ReadSide>) -> Router {
    Router::new()
        .route("/v1/websites", get(websites::list))
        .with_state(side)
}

/// Every other route of the read side.
pub fn router(side: Arc<ReadSide>) -> Router {
    let external = Router::new()
        .route("/usage", get(external::usage).fallback(method_not_allowed))
        .route(
            "/websites",
            get(external::websites).fallback(method_not_allowed),
        )
        .route("/analytics/{id}", external::about(external::overview))
        .route(
            "/analytics/{id}/visitors",
            external::about(external::visitors),
        )
        .route("/analytics/{id}/pages", external::about(external::pages))
        .route(
            "/analytics/{id}/countries",
            external::about(external::countries),
        )
        .route(
            "/analytics/{id}/technology",
            external::about(external::technology),
        )
        .route(
            "/errors/{id}/groups",
            external::about(external::error_groups),
        )
        .route("/", any(not_found))
        .route("/{*rest}", any(not_found));
    Router::new()
        .nest("/api/external/v1", external)
        .route("/api/external/v1/", any(not_found))
        .route(
            "/e/live/{code}",
            get(live::count)
                .options(live::preflight)
                .fallback(method_not_allowed),
        )
        .route(
            "/api/sse/live",
            get(live::stream).fallback(method_not_allowed),
        )
        .layer(middleware::from_fn_with_state(side.clone(), answer::number))
        .with_state(side)
}

/// An unknown path is answered in JSON too, which the clients parse before all else (ZSS-09).
async fn not_found(State(side): State<Shared>) -> Response {
    let refusal = Refusal::new(Code::NotFound, "Endpoint not found");
    answer::refused(&refusal, side.clock.now())
}

async fn method_not_allowed(State(side): State<Shared>) -> Response {
    let refusal = Refusal::new(Code::MethodNotAllowed, "Method not allowed; use GET");
    answer::refused(&refusal, side.clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::config::Limits;

    fn side(tail: watch::Receiver<Seq>, draining: watch::Receiver<bool>) -> ReadSide {
        ReadSide::new(
            Arc::new(Analytics::new(&[], 1000)),
            Vec::new(),
            Arc::new(ManualClock::new(Timestamp::from_millis(0))),
            tail,
            draining,
            Streams::new(&Limits::default()),
            [0; 16],
        )
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_answered_before_the_log_was_read_to_where_it_ended_at_the_start() {
        let (_tail, tail) = watch::channel(5);
        let (_stop, draining) = watch::channel(false);
        let side = side(tail, draining);
        let refusal = side.catch_up().await.unwrap_err();
        assert_eq!(refusal.code.status(), 503);
        assert_eq!(refusal.retry_after, Some(1));
        side.analytics.reach(4);
        assert!(side.catch_up().await.is_err());
        side.analytics.reach(5);
        assert_eq!(side.catch_up().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn later_on_a_request_waits_for_what_was_there_before_it_and_a_second_at_most() {
        let (tail, tails) = watch::channel(5);
        let (_stop, draining) = watch::channel(false);
        let side = Arc::new(side(tails, draining));
        side.analytics.reach(5);
        tail.send(6).unwrap();
        let waits = {
            let side = side.clone();
            tokio::spawn(async move { side.catch_up().await })
        };
        tokio::time::sleep(PATIENCE / 2).await;
        assert!(!waits.is_finished());
        side.analytics.reach(6);
        assert_eq!(waits.await.unwrap(), Ok(()));
        // What is late is answered from what there is.
        tail.send(7).unwrap();
        assert_eq!(side.catch_up().await, Ok(()));
    }
}
