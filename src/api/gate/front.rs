//! What stands before the routes: the one request that comes thousands of times a second is
//! answered without asking the router, which would cost as much again.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::header::HeaderValue;
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::service::TowerToHyperService;
use tracing::{Instrument, Level};

use super::request_id::REQUEST_ID;
use super::watched::Watched;
use crate::api::{Admin, Shared, auth, router};
use crate::clock::Stopwatch;
use crate::inbound::Ingest;
use crate::inbound::relay;
use crate::inbound::server::{Answers, Peer};
use crate::inbound::unread::Lent;
use crate::inbound::zebline;
use crate::words::quoted;

/// Answers every request: of administration and of ingest.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    admin: Shared,
    ingest: Ingest,
    router: TowerToHyperService<Router>,
}

impl Front {
    /// The front of a server.
    pub fn new(admin: Admin, ingest: Ingest) -> Self {
        Self::beside(admin, ingest, Router::new())
    }

    /// The front of a server with more `routes`, which the admin token does not guard.
    pub fn beside(admin: Admin, ingest: Ingest, routes: Router) -> Self {
        Self::with(admin, ingest, Router::new(), routes)
    }

    /// As [`beside`](Self::beside), with more routes that the token guards.
    pub fn with(admin: Admin, ingest: Ingest, guarded: Router, routes: Router) -> Self {
        let admin = Arc::new(admin);
        let router = router(admin.clone(), ingest.clone(), guarded).merge(routes);
        let router = TowerToHyperService::new(router);
        Self(Arc::new(Inner {
            admin,
            ingest,
            router,
        }))
    }
}

impl Answers for Front {
    async fn answer(&self, mut request: Request<Lent>, peer: Peer) -> Response<Body> {
        request.extensions_mut().insert(peer);
        let way = Way::of(&request);
        let id = self.0.admin.request_ids.of(request.headers());
        let mut response = match tracing::enabled!(Level::DEBUG) {
            false => self.answer_by(way, request, &id).await,
            true => self.answer_in_a_span(way, request, &id).await,
        };
        // A full queue answers 503 to thousands a second, and is told by what it is full of.
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
            let request = id.to_str().unwrap_or_default();
            tracing::warn!(request, "a request failed by a fault of ours");
        }
        // Zenovay's read side has ids of its own form.
        response.headers_mut().entry(REQUEST_ID).or_insert(id);
        response
    }

    fn came(&self) {
        self.0.admin.telemetry.came();
    }

    fn left(&self) {
        self.0.admin.telemetry.left();
    }
}

impl Front {
    /// Every line of the log about it has its id.
    async fn answer_in_a_span(
        &self,
        way: Way,
        request: Request<Lent>,
        id: &HeaderValue,
    ) -> Response<Body> {
        let span = tracing::debug_span!(
            "request",
            id = id.to_str().unwrap_or_default(),
            method = %request.method(),
            path = quoted(request.uri().path()),
        );
        let answering = async {
            let watch = Stopwatch::start();
            let response = self.answer_by(way, request, id).await;
            let (status, took) = (response.status().as_u16(), watch.elapsed());
            tracing::debug!(status, took_us = took.as_micros() as u64, "answered");
            response
        };
        answering.instrument(span).await
    }

    async fn answer_by(
        &self,
        way: Way,
        mut request: Request<Lent>,
        id: &HeaderValue,
    ) -> Response<Body> {
        let Inner {
            admin,
            ingest,
            router,
        } = &*self.0;
        let watched = admin.observer.as_ref().zip(way.route());
        let watched = watched.map(|(observer, route)| {
            Watched::begin(observer, route, &mut request, admin.clock.now())
        });
        let watch = Stopwatch::start();
        let response = match way {
            Way::Native => match auth::check(admin, request.method(), request.headers()) {
                Ok(()) => ingest.post(request).await,
                Err(problem) => problem.into_response(),
            },
            // It has keys of its own, and errors in its own words.
            Way::Zebline => admin.zebline.answer(request).await,
            Way::Relay | Way::Other => {
                let Ok(response) = router.call(request).await;
                response
            }
        };
        if way != Way::Other {
            let (status, is_native) = (response.status(), way == Way::Native);
            let telemetry = &admin.telemetry;
            let took = watch.elapsed();
            telemetry.answered(status, is_native, took);
            if let Some(watched) = watched {
                watched.end(id, status, took);
            }
        }
        response
    }
}

/// By which way a request comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It brings an event.
    Native,
    /// It brings an event of Zebline's.
    Zebline,
    /// It brings what a vendor sends.
    Relay,
    /// It brings no event.
    Other,
}

impl Way {
    /// As a framework would name the route, if the way brings events.
    fn route(self) -> Option<&'static str> {
        match self {
            Self::Native => Some("/v1/events"),
            Self::Zebline => Some("/v1/accounts/{license}/events"),
            Self::Relay => Some("/in/{source}"),
            Self::Other => None,
        }
    }

    fn of(request: &Request<Lent>) -> Self {
        let path = request.uri().path();
        if request.method() == Method::POST && path == "/v1/events" {
            Self::Native
        } else if path.starts_with(zebline::PREFIX) || path == zebline::PREFIX.trim_end_matches('/')
        {
            Self::Zebline
        } else if path.starts_with(relay::PREFIX) {
            Self::Relay
        } else {
            Self::Other
        }
    }
}
