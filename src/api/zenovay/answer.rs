//! Answers with the vendor's headers.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Shared;
use crate::analytics::uuid::{Made, uuid};
use crate::clock::Timestamp;
use crate::vendor::window::Allowance;
use crate::vendor::zenovay::Refusal;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// JSON that nobody on the way may keep.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal, in the vendor's envelope.
pub(super) fn refused(refusal: &Refusal, now: Timestamp) -> Response {
    let status = StatusCode::from_u16(refusal.code.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, refusal.body(now));
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Says what is left of the minute.
pub(super) fn tell_allowance(response: &mut Response, allowance: Allowance) {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", allowance.limit.into());
    headers.insert("x-ratelimit-remaining", allowance.remaining.into());
    // In whole seconds, and never too early.
    let reset = allowance.reset.moved(999).as_seconds();
    headers.insert("x-ratelimit-reset", reset.into());
}

/// Lets pages of every website read the answer (ZRT-04).
pub(super) fn open_to_browsers(response: &mut Response) {
    let anyone = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
}

/// The ids of requests: numbers, hashed by a key of this start, so that nobody can guess the next.
pub(super) struct RequestIds {
    key: [u8; 16],
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self {
            key,
            next: AtomicU64::new(0),
        }
    }

    fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(number);
        uuid(Made::Random, hasher.finish128().as_u128())
    }
}

/// Gives every answer its `x-request-id`.
pub(super) async fn number(State(side): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&side.request_ids.next()) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}
