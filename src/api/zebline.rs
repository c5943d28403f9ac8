//! What became of a request to Zebline's API, and the attributes of its events.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::answer::objects::{Delivery, Event};
use super::events::{deliveries_of, find};
use super::request::input::Alone;
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use crate::delivery::Status;
use crate::inbound::problem::Problem;
use crate::inbound::zebline::types::Attribute;
use crate::vendor::zebline::track::{InvalidTrackId, TrackId};
use crate::words::quoted;

const ATTRIBUTES: u8 = b'a';

/// Deliveries that are shown; the rest are at the event's own list.
const DELIVERIES_MAX: usize = 100;

/// Where a request is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Progress {
    /// Some delivery has not ended (ZEB-30).
    Queued,
    /// Every delivery has ended, and none of them dead.
    Processed,
    /// Some delivery was given up.
    Failed,
    /// It was accepted and led to no event.
    Dropped,
}

/// A request that was accepted.
#[derive(Serialize, JsonSchema)]
pub(super) struct Track<'a> {
    #[serde(rename = "trackID")]
    track_id: String,
    status: Progress,
    /// What it led to, if it led to an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Event<'a>>,
    /// The event's deliveries, a hundred at most.
    deliveries: Vec<Delivery>,
}

/// `GET /v1/track/{trackID}`.
pub(super) async fn track(
    State(admin): State<Shared>,
    Alone(text): Alone,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found(format!("there is no request {}", quoted(&text)));
    let track_id: TrackId = text.parse().map_err(|error| match error {
        InvalidTrackId::Form => Problem::malformed(format!("{} {error}", quoted(&text))),
        InvalidTrackId::Foreign => unknown(),
    })?;
    let Some(id) = track_id.event() else {
        return Ok(Json(Track {
            track_id: track_id.to_string(),
            status: Progress::Dropped,
            event: None,
            deliveries: Vec::new(),
        })
        .into_response());
    };
    let none = |problem: Problem| match problem.status {
        StatusCode::NOT_FOUND => unknown(),
        _ => problem,
    };
    let event = find(&admin, &id.to_string()).await.map_err(none)?;
    let found = admin
        .ask(move |store| deliveries_of(store, id.seq(), &[], None, usize::MAX))
        .await?;
    let now = admin.clock.now();
    let deliveries = found.items.iter().take(DELIVERIES_MAX);
    Ok(Json(Track {
        track_id: track_id.to_string(),
        status: progress(found.items.iter().map(|view| view.status)),
        event: Some(Event::of(&event)),
        deliveries: deliveries
            .map(|view| Delivery::of(view, &admin.policies.get(), now))
            .collect(),
    })
    .into_response())
}

fn progress(statuses: impl Iterator<Item = Status> + Clone) -> Progress {
    let is_open = |status| matches!(status, Status::Pending | Status::Waiting | Status::InFlight);
    if statuses.clone().any(is_open) {
        Progress::Queued
    } else if statuses.clone().any(|status| status == Status::Dead) {
        Progress::Failed
    } else {
        Progress::Processed
    }
}

/// `GET /v1/attributes`: by source, event and name; `source` and `event` narrow it down.
pub(super) async fn attributes(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Attribute>>, Problem> {
    let mut params = Params::read(query.as_deref(), &["source", "event", LIMIT, CURSOR]);
    let part = Part::read(&mut params, ATTRIBUTES);
    let (limit, offset) = (part.limit, part.after.map_or(0, |(offset, _)| offset));
    let [source, event] = ["source", "event"].map(|name| params.text(name).map(str::to_owned));
    params.check()?;
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let types = admin.zebline.types();
    let mut data = types.list(source.as_deref(), event.as_deref(), start, limit + 1);
    let more = data.len() > limit;
    data.truncate(limit);
    let next = offset.saturating_add(limit as u64);
    Ok(Json(Listed {
        data,
        next: more.then(|| part.next((next, 0))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_processed_when_its_last_delivery_has_ended_zeb_30() {
        use Status::{Dead, Delivered, InFlight, Pending, Removed, Waiting};
        for (statuses, expected) in [
            (&[][..], Progress::Processed),
            (&[Delivered, Removed], Progress::Processed),
            (&[Delivered, Dead], Progress::Failed),
            (&[Dead, Pending], Progress::Queued),
            (&[Waiting], Progress::Queued),
            (&[InFlight], Progress::Queued),
        ] {
            assert_eq!(progress(statuses.iter().copied()), expected);
        }
    }
}
