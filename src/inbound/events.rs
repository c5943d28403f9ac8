//! `POST /v1/events`: one event in, answered once it is on disk.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::Extensions;
use hyper::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::checks::{Checks, check_no_query};
use super::media::{self, Media};
use super::problem::Problem;
use super::{Ingest, cloudevents, native};
use crate::id::{EventId, Seq};
use crate::store::Appended;

/// The header that makes an event idempotent; it counts more than an id in the body.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// An event that is on disk.
#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    /// Its id; of the first one, if it is a duplicate.
    id: EventId,
    /// Its position in the log; of the first one, if it is a duplicate.
    seq: Seq,
    /// Whether its idempotency key was used before, within the window.
    pub(super) duplicate: bool,
}

/// Events that are on disk.
#[derive(Serialize)]
struct AcceptedBatch {
    /// One for each, in their order.
    events: Vec<Accepted>,
}

impl From<Appended> for Accepted {
    fn from(Appended { id, seq, duplicate }: Appended) -> Self {
        Self { id, seq, duplicate }
    }
}

/// The handler, as a router wants it.
pub(super) async fn post(State(ingest): State<Ingest>, request: Request) -> Response {
    ingest.post(request).await
}

impl Ingest {
    /// Answers `POST /v1/events`.
    pub async fn post<B>(&self, request: hyper::Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        take(self, request)
            .await
            .unwrap_or_else(Problem::into_response)
    }
}

async fn take<B>(ingest: &Ingest, request: hyper::Request<B>) -> Result<Response, Problem>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    ingest.check_open()?;
    let (head, body) = request.into_parts();
    check_no_query(head.uri.query())?;
    let form = EventForm::of(&head.headers)?;
    media::check_unpacked(&head.headers)?;
    // Looked at where it does not count, too: one that was lost on its way is a mistake anywhere.
    let key = idempotency_key(&head.headers)?;
    let body = ingest.bodies.read(&head.headers, body).await?;
    let read = match form {
        EventForm::Native => native::read(&body),
        EventForm::Structured => cloudevents::read_structured(&body),
        EventForm::Binary => cloudevents::read_binary(&head.headers, &body),
        EventForm::Batch => return take_batch(ingest, &head.extensions, &body).await,
    }?;
    let mut event = ingest.event(&ingest.source, read);
    if key.is_some() {
        event.idempotency_key = key;
    }
    let appended = ingest.keep_of(&head.extensions, vec![event]).await?;
    let Some(&appended) = appended.first() else {
        return Err(Problem::internal("the store took no event"));
    };
    tracing::debug!(
        event = %appended.id,
        seq = appended.seq,
        duplicate = appended.duplicate,
        "event taken"
    );
    Ok(accepted(&Accepted::from(appended)))
}

/// All of them or none. An `Idempotency-Key` could not tell one from another, and does not count:
/// each has its own id.
async fn take_batch(
    ingest: &Ingest,
    request: &Extensions,
    body: &Bytes,
) -> Result<Response, Problem> {
    let events = cloudevents::read_batch(body)?.into_iter();
    let events: Vec<_> = events
        .map(|read| ingest.event(&ingest.source, read))
        .collect();
    let appended = match events.is_empty() {
        true => Vec::new(),
        false => ingest.keep_of(request, events).await?,
    };
    tracing::debug!(events = appended.len(), "batch taken");
    let events = appended.into_iter().map(Accepted::from).collect();
    Ok(accepted(&AcceptedBatch { events }))
}

fn accepted(accepted: &impl Serialize) -> Response {
    match serde_json::to_vec(accepted) {
        Ok(json) => {
            let mut response = Response::new(Body::from(json));
            *response.status_mut() = StatusCode::ACCEPTED;
            let json = HeaderValue::from_static(media::JSON);
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Err(error) => Problem::internal(error.to_string()).into_response(),
    }
}

/// In which form a request brings its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventForm {
    Native,
    Structured,
    Binary,
    Batch,
}

impl EventForm {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let media = Media::of(headers)?;
        let essence = media.map_or("", |media| media.essence);
        match media {
            Some(media) if media.is(media::CLOUDEVENTS) => Ok(Self::Batch),
            Some(media) if media.is(media::CLOUDEVENT) => Ok(Self::Structured),
            _ if essence
                .get(..23)
                .is_some_and(|start| start.eq_ignore_ascii_case("application/cloudevents")) =>
            {
                Err(not_accepted(media))
            }
            _ if cloudevents::is_binary(headers) => Ok(Self::Binary),
            Some(media) if media.is(media::JSON) => Ok(Self::Native),
            _ => Err(not_accepted(media)),
        }
    }
}

fn not_accepted(media: Option<Media<'_>>) -> Problem {
    let given = match media {
        Some(media) => format!("the Content-Type {}", crate::words::quoted(media.text)),
        None => "a request without a Content-Type".to_owned(),
    };
    Problem::unsupported(format!(
        "{given} is not accepted; send application/json, application/cloudevents+json or \
         application/cloudevents-batch+json, in UTF-8, or a CloudEvent with ce- headers"
    ))
}

/// The key that the header holds, if it is there.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let mut checks = Checks::default();
    if values.next().is_some() {
        checks.add(
            IDEMPOTENCY_KEY,
            "Idempotency-Key is given twice; keep one of the two",
        );
    }
    let key = std::str::from_utf8(value.as_bytes()).ok();
    match key {
        Some(key) => checks.key(IDEMPOTENCY_KEY, key),
        None => checks.add(IDEMPOTENCY_KEY, "Idempotency-Key is not UTF-8"),
    }
    checks.done(key.map(|key| Some(key.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(headers: &[(&'static str, &'static str)]) -> Result<EventForm, u16> {
        let headers = headers.iter().map(|(name, value)| {
            (
                hyper::header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        EventForm::of(&headers.collect()).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn the_form_is_told_by_the_media_type_and_then_by_the_ce_headers() {
        let of = |media| form(&[("content-type", media)]);
        assert_eq!(of("application/json; charset=UTF-8"), Ok(EventForm::Native));
        assert_eq!(
            of("application/cloudevents+json"),
            Ok(EventForm::Structured)
        );
        assert_eq!(
            of("application/cloudevents-batch+json"),
            Ok(EventForm::Batch)
        );
        assert_eq!(of("application/cloudevents+avro"), Err(415));
        assert_eq!(of("application/json; charset=latin1"), Err(415));
        assert_eq!(of("text/plain"), Err(415));
        assert_eq!(form(&[]), Err(415));
        assert_eq!(
            form(&[("content-type", "text/plain"), ("ce-specversion", "1.0")]),
            Ok(EventForm::Binary)
        );
    }
}
