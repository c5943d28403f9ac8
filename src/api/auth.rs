//! Who may ask.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};
use url::Url;

use super::{Admin, Shared};
use crate::inbound::problem::Problem;
use crate::secret::Secret;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a request under `/v1` through if it brings the token, or, where there is none, if no
/// foreign web page can have made a browser send it.
pub(super) async fn guard(State(admin): State<Shared>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/v1/")
        && let Err(problem) = check(&admin, request.headers())
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// The rule for what lies under `/v1`.
pub(super) fn check(admin: &Admin, headers: &HeaderMap) -> Result<(), Problem> {
    match &admin.token {
        Some(token) => check_token(headers, token),
        None => check_browser(headers),
    }
}

fn check_token(headers: &HeaderMap, token: &Secret) -> Result<(), Problem> {
    let refuse = |detail: &str| {
        Err(Problem::new(StatusCode::UNAUTHORIZED, detail).with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"redeliver\""),
        ))
    };
    let Some(given) = headers.get(AUTHORIZATION) else {
        return refuse("there is no token; send Authorization: Bearer TOKEN");
    };
    let given = given.to_str().unwrap_or_default();
    match given.split_once(' ') {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") => {
            if token.matches(given.trim()) {
                Ok(())
            } else {
                refuse("the token is not the admin token of this server")
            }
        }
        _ => {
            refuse("the Authorization header is of another kind; send Authorization: Bearer TOKEN")
        }
    }
}

/// A server without a token listens on loopback, which every page in a browser on the machine can
/// send requests to. Such a page gives itself away by its site, its origin, or, where it has had
/// its own name resolve to loopback, by the `Host` header.
fn check_browser(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if text(&SEC_FETCH_SITE).is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return refuse("this request was sent by a web page of another site");
    }
    let host = text(&HOST);
    if !host.is_none_or(is_local) {
        return refuse(
            "the Host header is neither localhost nor an IP address; to serve other names, set admin_token",
        );
    }
    // Older browsers send no Sec-Fetch-Site, but an origin with everything that changes something.
    let foreign = text(&ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none() || authority != host
    });
    if foreign {
        return refuse("this request was sent by a web page of another origin");
    }
    Ok(())
}

/// Whether `host` cannot be a foreign name: an address is nobody's name.
fn is_local(host: &str) -> bool {
    // As nearly everybody writes it.
    if host.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host_str() {
        Some(name) => {
            let bare = name.trim_matches(['[', ']']);
            bare.parse::<IpAddr>().is_ok() || crate::endpoint::url::is_loopback(&url)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn the_token_is_asked_for_and_compared() {
        let token = Secret::new("hunter2");
        let given = |value| check_token(&headers(&[("authorization", value)]), &token);
        assert!(given("Bearer hunter2").is_ok());
        assert!(given("bearer hunter2").is_ok());
        for wrong in ["Bearer hunter", "Basic hunter2", "hunter2", "Bearer "] {
            let problem = given(wrong).unwrap_err();
            assert_eq!(problem.status.as_u16(), 401);
            assert!(!problem.detail.contains("hunter"));
        }
        assert!(check_token(&headers(&[]), &token).is_err());
    }

    #[test]
    fn without_a_token_no_foreign_page_gets_in() {
        for (all, allowed) in [
            (&[("host", "127.0.0.1:7070")][..], true),
            (&[("host", "localhost:7070")], true),
            (&[("host", "[::1]:7070")], true),
            (&[], true),
            (&[("host", "evil.example:7070")], false),
            (&[("host", "localhost.evil.example")], false),
            (
                &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
                false,
            ),
            (
                &[("host", "localhost"), ("sec-fetch-site", "same-origin")],
                true,
            ),
            (
                &[("host", "localhost:1"), ("origin", "http://localhost:1")],
                true,
            ),
            (
                &[("host", "localhost:1"), ("origin", "https://evil.example")],
                false,
            ),
            (&[("host", "localhost:1"), ("origin", "null")], false),
        ] {
            assert_eq!(check_browser(&headers(all)).is_ok(), allowed, "{all:?}");
        }
    }
}
