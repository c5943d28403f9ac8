//! Who may ask.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Method, StatusCode};

use crate::api::{Admin, Shared};
use crate::current::Current;
use crate::inbound::browser;
use crate::inbound::problem::Problem;
use crate::secret::Tokens;

/// Those who have logged in with a browser, which then sends a cookie instead of the token.
pub trait Sessions: Send + Sync + 'static {
    /// Whether a request comes from one of them: false if it brings no session at all.
    ///
    /// # Errors
    /// 401 if its session has ended, 403 if a page of another origin can have made the browser send
    /// it: a browser adds cookies whoever asks.
    fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<bool, Problem>;
}

/// The tokens that counted when a request was let in.
#[derive(Clone)]
pub(in crate::api) struct LetIn(Arc<Tokens>);

impl LetIn {
    /// Resolves when one of them has been taken back: what lasts, such as a stream, was let in by it
    /// perhaps. Tokens that are added end nothing.
    pub(in crate::api) async fn is_over(self, tokens: Arc<Current<Tokens>>) {
        let mut present = tokens.watch();
        let lacks_one = |present: &Arc<Tokens>| !self.0.are_among(present);
        // They are not dropped as long as they are here.
        let _ = present.wait_for(lacks_one).await;
    }
}

/// Lets a request under `/v1`, or for metrics, through if it brings the token, or, where there is
/// none, if no foreign web page can have made a browser send it.
pub(in crate::api) async fn guard(
    State(admin): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let tokens = admin.tokens.get();
    if (path.starts_with("/v1/") || path == "/metrics")
        && let Err(problem) = check_by(&tokens, &admin, request.method(), request.headers())
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(LetIn(tokens));
    next.run(request).await
}

/// The rule for what lies under `/v1`.
pub(in crate::api) fn check(
    admin: &Admin,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    check_by(&admin.tokens.get(), admin, method, headers)
}

fn check_by(
    tokens: &Tokens,
    admin: &Admin,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    if tokens.is_empty() {
        return browser::check(headers, "admin_token");
    }
    // Who brings a token is judged by it alone.
    if let Some(sessions) = &admin.sessions
        && !headers.contains_key(AUTHORIZATION)
        && sessions.admit(method, headers)?
    {
        return Ok(());
    }
    check_token(headers, tokens)
}

fn check_token(headers: &HeaderMap, tokens: &Tokens) -> Result<(), Problem> {
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
            if tokens.match_one(given.trim()) {
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

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;
    use crate::secret::Secret;

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
        let tokens = Tokens::new(Some(Secret::new("hunter2")), vec![Secret::new("hunter1")]);
        let given = |value| check_token(&headers(&[("authorization", value)]), &tokens);
        assert!(given("Bearer hunter2").is_ok());
        assert!(given("bearer hunter2").is_ok());
        assert!(given("Bearer hunter1").is_ok());
        for wrong in ["Bearer hunter", "Basic hunter2", "hunter2", "Bearer "] {
            let problem = given(wrong).unwrap_err();
            assert_eq!(problem.status.as_u16(), 401);
            assert!(!problem.detail.contains("hunter"));
        }
        assert!(check_token(&headers(&[]), &tokens).is_err());
    }
}
