//! A request that is to bring events, from its head to its answer, for the one who wants to know.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};

use crate::clock::Timestamp;
use crate::inbound::observer::{Answered, Brought, Observer};
use crate::trace::{TRACEPARENT, TraceContext};

/// One that is not answered yet.
pub(in crate::api) struct Watched<'a> {
    observer: &'a Arc<dyn Observer>,
    route: &'static str,
    method: Method,
    caller: Option<TraceContext>,
    began: Timestamp,
    brought: Brought,
}

impl<'a> Watched<'a> {
    /// It has come at `began`, and is told from now on to write down what it brings.
    pub fn begin<B>(
        observer: &'a Arc<dyn Observer>,
        route: &'static str,
        request: &mut Request<B>,
        began: Timestamp,
    ) -> Self {
        let brought = Brought::default();
        request.extensions_mut().insert(brought.clone());
        let caller = request.headers().get(TRACEPARENT);
        Self {
            observer,
            route,
            method: request.method().clone(),
            caller: caller.and_then(|caller| caller.to_str().ok()?.parse().ok()),
            began,
            brought,
        }
    }

    /// It is answered, under the id that it has in the log.
    pub fn end(self, id: &HeaderValue, status: StatusCode, took: Duration) {
        self.observer.answered(Answered {
            method: self.method,
            route: self.route,
            id: id.to_str().ok().map(str::to_owned),
            caller: self.caller,
            status,
            began: self.began,
            took,
            taken: self.brought.take(),
        });
    }
}
