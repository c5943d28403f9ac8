//! Many mocks behind one address.
//!
//! | path | whose |
//! |---|---|
//! | `/mocks`, `/mocks/{name}`, `/mocks/{name}/reset`, `/openapi.json` | the server's own |
//! | `/mocks/{name}/…` | what `/…` is of a server of its own, of the mock called so |
//! | everything else | of the mock called `default`, if there is one |

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request as AxumRequest, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as AxumResponse};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use hyper::header::{HeaderValue, LOCATION};
use hyper::http::uri::PathAndQuery;
use hyper::service::Service;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value, json};

use super::plan::Plan;
use super::registry::{DEFAULT, Mocks, NoMock};
use super::running::{Mock, MockError};
use crate::api::document::{self, Subject};
use crate::api::request::input::{self, Named};
use crate::app::AppError;
use crate::config::Limits;
use crate::inbound::body::Bodies;
use crate::inbound::browser;
use crate::inbound::problem::Problem;
use crate::inbound::server::{Answers, Peer};
use crate::inbound::unread::Lent;

const PREFIX: &str = "/mocks/";

/// Answers for every mock of a server.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    mocks: Arc<Mocks>,
    router: TowerToHyperService<Router>,
}

#[derive(Clone)]
struct Shared {
    mocks: Arc<Mocks>,
    bodies: Bodies,
}

impl Door {
    /// The door to these mocks, through which others can be made.
    pub fn to(mocks: Arc<Mocks>) -> Self {
        let shared = Shared {
            mocks: mocks.clone(),
            bodies: Bodies::new(&Limits::default()),
        };
        let router = Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/openapi.json", get(described))
            .route("/mocks", get(list))
            .route("/mocks/{name}", get(show).put(put).delete(remove))
            .route("/mocks/{name}/reset", post(reset))
            .fallback(not_found)
            .with_state(shared)
            .layer(middleware::from_fn(guard));
        let router = TowerToHyperService::new(router);
        Self(Arc::new(Inner { mocks, router }))
    }
}

impl Answers for Door {
    async fn answer(&self, mut request: Request<Lent>, peer: Peer) -> Response<Body> {
        let Inner { mocks, router } = &*self.0;
        let (name, rest) = addressed(request.uri());
        let Some(mock) = rest.as_ref().and_then(|_| mocks.get(&name).ok()) else {
            let Ok(response) = router.call(request).await;
            return response;
        };
        let Some(front) = mock.front().await else {
            return Problem::from(NoMock::Unknown).into_response();
        };
        let behind_name = request.uri().path().starts_with(PREFIX);
        if let Some(rest) = rest {
            *request.uri_mut() = rest;
        }
        let mut response = front.answer(request, peer).await;
        // A place that the broker names is one without the name.
        let headers = response.headers_mut();
        if behind_name && let Some(place) = headers.get(LOCATION).and_then(|at| at.to_str().ok()) {
            let whole = format!("{PREFIX}{name}{place}");
            if let Ok(whole) = HeaderValue::try_from(whole) {
                headers.insert(LOCATION, whole);
            }
        }
        response
    }
}

/// Whose request it is, and what it is for him; nothing if it is the server's own.
fn addressed(uri: &Uri) -> (String, Option<Uri>) {
    let Some(inside) = uri.path().strip_prefix(PREFIX) else {
        let is_own = ["/mocks", "/openapi.json"].contains(&uri.path());
        return (DEFAULT.to_owned(), (!is_own).then(|| uri.clone()));
    };
    let Some((name, rest)) = inside.split_once('/') else {
        return (inside.to_owned(), None);
    };
    if rest == "reset" {
        return (name.to_owned(), None);
    }
    let rest = match uri.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    };
    // A part of a path is one, too.
    let rest = PathAndQuery::try_from(rest).map(Uri::from).ok();
    (name.to_owned(), rest)
}

/// As the brokers themselves: a web page of another site has no business here.
async fn guard(request: AxumRequest, next: Next) -> AxumResponse {
    match browser::check(request.headers(), "admin_token") {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn described(headers: HeaderMap, RawQuery(query): RawQuery) -> Result<AxumResponse, Problem> {
    document::answer(Subject::Mocks, &headers, query.as_deref())
}

async fn not_found(request: AxumRequest) -> Problem {
    // A mock that there is has answered before.
    if request.uri().path().starts_with(PREFIX) {
        return NoMock::Unknown.into();
    }
    let path = crate::words::quoted(request.uri().path());
    Problem::not_found(format!(
        "there is nothing at {path}; the mocks are at /mocks, and what each answers at /mocks/NAME/…"
    ))
}

async fn list(State(shared): State<Shared>) -> Json<Value> {
    let all = shared.mocks.list();
    let all = all.iter().map(|(name, mock)| shown(name, mock));
    Json(json!({ "data": all.collect::<Vec<_>>() }))
}

async fn show(
    State(shared): State<Shared>,
    Named(name): Named,
) -> Result<Json<Map<String, Value>>, Problem> {
    let mock = shared.mocks.get(&name)?;
    Ok(Json(shown(&name, &mock)))
}

async fn put(
    State(shared): State<Shared>,
    Named(name): Named,
    request: AxumRequest,
) -> Result<(StatusCode, Json<Map<String, Value>>), Problem> {
    let members = input::members(&shared.bodies, request).await?;
    let plan = Plan::read(members)?;
    let mock = shared.mocks.put(&name, plan).await?;
    Ok((StatusCode::CREATED, Json(shown(&name, &mock))))
}

async fn remove(State(shared): State<Shared>, Named(name): Named) -> Result<StatusCode, Problem> {
    shared.mocks.remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(
    State(shared): State<Shared>,
    Named(name): Named,
) -> Result<Json<Map<String, Value>>, Problem> {
    let mock = shared.mocks.get(&name)?;
    mock.reset().await.map_err(NoMock::from)?;
    Ok(Json(shown(&name, &mock)))
}

fn shown(name: &str, mock: &Mock) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("name".to_owned(), name.into());
    shown.insert("path".to_owned(), format!("{PREFIX}{name}").into());
    shown.extend(mock.plan().about());
    shown.insert("now".to_owned(), json!(mock.now().ok()));
    shown
}

impl From<NoMock> for Problem {
    fn from(error: NoMock) -> Self {
        let words = error.to_string();
        match error {
            NoMock::Unknown => Self::not_found(words),
            NoMock::Name => Self::malformed(words),
            NoMock::TooMany | NoMock::Mock(MockError::Lasting) => Self::conflict(words),
            NoMock::Mock(MockError::NotChecked(_)) => Self::field("/to", words),
            // The receiver's address: all else was found right before.
            NoMock::Mock(MockError::Start(AppError::Endpoints(all))) => {
                let words = all
                    .iter()
                    .map(|text| text.split_once("): ").map_or(&**text, |(_, why)| why));
                Self::field("/to", words.collect::<Vec<_>>().join("; "))
            }
            NoMock::Mock(MockError::Refused(problem)) => problem,
            NoMock::Closed | NoMock::Mock(_) => Self::unavailable(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_behind_a_name_is_what_it_would_be_without_it() {
        for (given, name, rest) in [
            ("/v1/events?limit=1", "default", Some("/v1/events?limit=1")),
            ("/", "default", Some("/")),
            ("/mocks", "default", None),
            ("/openapi.json", "default", None),
            ("/mocks/a/openapi.json", "a", Some("/openapi.json")),
            ("/mocks/a", "a", None),
            ("/mocks/a/reset", "a", None),
            ("/mocks/a/", "a", Some("/")),
            ("/mocks/a/v1/wait?count=2", "a", Some("/v1/wait?count=2")),
            ("/mocks/a/in/b%20c", "a", Some("/in/b%20c")),
        ] {
            let rest = rest.map(|rest| Uri::try_from(rest).unwrap());
            let uri = Uri::try_from(given).unwrap();
            assert_eq!(addressed(&uri), (name.to_owned(), rest), "{given}");
        }
    }
}
