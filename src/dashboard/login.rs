//! `/login` and `/logout`: a token for a session, and the end of it.

use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use hyper::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use hyper::{HeaderMap, StatusCode};
use url::form_urlencoded;

use super::failures::Trier;
use super::{Door, Shared, cookie, origin, pages};
use crate::clock::Timestamp;
use crate::inbound::problem::Problem;
use crate::inbound::server::Peer;

/// Where a browser goes on; relative, for a proxy may have put the server below a path.
const HOME: &str = "./";

const WRONG: &str = "That is not the admin token of this server.";
const TOO_OFTEN: &str =
    "Too many wrong tokens came from where you are. Wait a minute and try again.";

/// `GET /login`.
pub(super) async fn form(State(door): State<Shared>) -> Response {
    match door.has_lock() {
        true => pages::login(StatusCode::OK, ""),
        false => Redirect::to(HOME).into_response(),
    }
}

/// `POST /login`, from the form.
pub(super) async fn enter(
    State(door): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    // A foreign page must not use up its visitor's tries.
    origin::check(&head.method, headers)?;
    let who = Trier::of(peer, headers);
    if let Some(wait) = door.failures.wait(who, door.now()) {
        return Ok(too_often(wait));
    }
    let body = door.dashboard.bodies.read(headers, body).await?;
    let mut fields = form_urlencoded::parse(&body);
    let given = fields.find(|(name, _)| name == "token");
    if !door.has_lock() {
        // There is nothing to log in for.
        return Ok(Redirect::to(HOME).into_response());
    }
    let given = given.map_or_else(Default::default, |(_, given)| given);
    // Only now: others may have been judged while this one was read.
    if let Some(wait) = door.failures.take(who, door.now()) {
        return Ok(too_often(wait));
    }
    let is_right = || door.dashboard.tokens.get().match_one(given.trim());
    if !is_right() {
        return Ok(pages::login(StatusCode::UNAUTHORIZED, WRONG));
    }
    let id = door.dashboard.sessions.open();
    if !is_right() {
        // It was taken back in between, and the sessions that it had opened have been ended.
        door.dashboard.sessions.close(&id);
        return Ok(pages::login(StatusCode::UNAUTHORIZED, WRONG));
    }
    door.failures.give_back(who);
    Ok(going(HOME, &cookie::given(&id, headers)))
}

fn too_often(wait: Duration) -> Response {
    let mut response = pages::login(StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN);
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

/// `POST /logout`.
pub(super) async fn leave(
    State(door): State<Shared>,
    request: Request,
) -> Result<Response, Problem> {
    let headers: &HeaderMap = request.headers();
    origin::check(request.method(), headers)?;
    for id in cookie::ids(headers) {
        door.dashboard.sessions.close(id);
    }
    Ok(going("login", &cookie::taken(headers)))
}

fn going(to: &str, cookie: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

impl Door {
    pub(super) fn has_lock(&self) -> bool {
        !self.dashboard.tokens.get().is_empty()
    }

    fn now(&self) -> Timestamp {
        self.dashboard.clock.moment().steady()
    }
}
