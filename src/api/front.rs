//! What stands before the routes: the one request that comes thousands of times a second is
//! answered without asking the router, which would cost as much again.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Method, Request, Response};
use hyper_util::service::TowerToHyperService;

use super::{Admin, Shared, auth, router};
use crate::inbound::Ingest;
use crate::inbound::server::Answers;
use crate::inbound::zebline;

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
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let Inner {
            admin,
            ingest,
            router,
        } = &*self.0;
        if request.method() == Method::POST && request.uri().path() == "/v1/events" {
            return match auth::check(admin, request.headers()) {
                Ok(()) => ingest.post(request).await,
                Err(problem) => problem.into_response(),
            };
        }
        if request.uri().path().starts_with(zebline::PREFIX) {
            // It has keys of its own, and errors in its own words.
            return admin.zebline.answer(request).await;
        }
        let Ok(response) = router.call(request).await;
        response
    }
}
