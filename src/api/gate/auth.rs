//! Who may ask.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{AUTHORIZATION, COOKIE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Method, StatusCode};
use tokio::sync::watch;

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

    /// Changes when one has ended before its time.
    fn ends(&self) -> watch::Receiver<u64>;
}

/// How long at most a session has ended by its time before what it has opened ends, of the machine's
/// own time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// By what a request was let in.
#[derive(Clone)]
pub(in crate::api) struct LetIn {
    /// The tokens that counted then.
    tokens: Arc<Tokens>,
    /// The cookies that it brought instead of one.
    cookies: Option<HeaderMap>,
}

impl LetIn {
    fn of(tokens: Arc<Tokens>, headers: &HeaderMap) -> Self {
        let is_by_session = !tokens.is_empty() && !headers.contains_key(AUTHORIZATION);
        let cookies = is_by_session.then(|| {
            let cookies = headers.get_all(COOKIE).iter();
            cookies.map(|cookie| (COOKIE, cookie.clone())).collect()
        });
        Self { tokens, cookies }
    }

    /// Resolves when one of the tokens has been taken back, or the session has ended: what lasts,
    /// such as a stream, was let in by it perhaps. Tokens that are added end nothing.
    pub(in crate::api) async fn until_over(
        self,
        tokens: Arc<Current<Tokens>>,
        sessions: Option<Arc<dyn Sessions>>,
    ) {
        let mut present = tokens.watch();
        let lacks_one = |present: &Arc<Tokens>| !self.tokens.are_among(present);
        let session = sessions.zip(self.cookies);
        let ended = async {
            match session {
                Some((sessions, cookies)) => has_ended(&*sessions, &cookies).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // They are not dropped as long as they are here.
            _ = present.wait_for(lacks_one) => {}
            () = ended => {}
        }
    }
}

async fn has_ended(sessions: &dyn Sessions, cookies: &HeaderMap) {
    let mut ends = sessions.ends();
    while sessions.admit(&Method::GET, cookies).is_ok() {
        tokio::select! {
            _ = ends.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
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
    let let_in = LetIn::of(tokens, request.headers());
    request.extensions_mut().insert(let_in);
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
