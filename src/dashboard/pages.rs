//! The two documents, and what a browser may do with them.

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{HeaderMap, StatusCode};

use super::Shared;
use super::assets::{ASSETS, Asset};
use crate::inbound::problem::Problem;

/// Everything is ours, nothing is inline, nobody frames us; and a text becomes markup through the
/// template library alone, whose templates hold no data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types lit-html";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Looked at again each time: it names the assets of this very build.
const DOCUMENT: &str = "no-cache";
/// The version is in its path, so that it never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Of an answer that is for one alone.
const NEVER: &str = "no-store";

/// `GET /`.
pub(super) async fn index(State(door): State<Shared>, head: Parts) -> Response {
    let asset = match door.has_lock() {
        true => &ASSETS.index_with_login,
        false => &ASSETS.index,
    };
    answer(asset, DOCUMENT, &head.headers)
}

/// `GET /dashboard/{version}/{*file}`.
pub(super) async fn asset(
    Path((version, file)): Path<(String, String)>,
    head: Parts,
) -> Result<Response, Problem> {
    let asset = ASSETS.find(&version, &file).ok_or_else(|| {
        Problem::not_found("there is no such file in this version; load the page again")
    })?;
    Ok(answer(asset, FOREVER, &head.headers))
}

/// The login's form, with what there is to say about the last try.
pub(super) fn login(status: StatusCode, message: &'static str) -> Response {
    let document = ASSETS.login.replace("{message}", message);
    let mut response = (status, Bytes::from(document)).into_response();
    guard(response.headers_mut(), NEVER, "text/html; charset=utf-8");
    response
}

fn answer(asset: &Asset, cache: &'static str, asked: &HeaderMap) -> Response {
    let known = asked.get(IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == asset.tag));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => asset.bytes.clone().into_response(),
    };
    let headers = response.headers_mut();
    guard(headers, cache, asset.media);
    if let Ok(tag) = HeaderValue::try_from(&asset.tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn guard(headers: &mut HeaderMap, cache: &'static str, media: &'static str) {
    for (name, value) in [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, cache),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER_POLICY, "same-origin"),
        (RESOURCE_POLICY, "same-origin"),
        (
            PERMISSIONS_POLICY,
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
