//! `/v1/deliveries`.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::explained::Explained;
use super::answer::objects::Delivery;
use super::events::expired;
use super::request::input::{self, Alone, Named};
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use super::request::statuses::STATUSES;
use super::{Admin, Shared};
use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::endpoint::EndpointState;
use crate::id::{DeliveryId, MAX_SEQ, Seq};
use crate::inbound::problem::Problem;
use crate::store::{
    DeliveryQuery, DeliveryView, ReplayRequest, Store, StoreError, UndeliveredQuery,
};
use crate::words::quoted;

const LIST: u8 = b'd';

/// `GET /v1/deliveries`: newest event first.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let known = [
        "endpoint",
        "type",
        "status",
        "since",
        "until",
        "last_status",
        LIMIT,
        CURSOR,
    ];
    let mut params = Params::read(query.as_deref(), &known);
    let part = Part::read(&mut params, LIST);
    let statuses = params.choices("status", &STATUSES);
    let endpoint = admin.filtered_endpoint(&mut params);
    let events = params.types();
    let (since, until) = (params.time("since"), params.time("until"));
    let last_status = params.value("last_status", "an HTTP status from 100 to 599", |status| {
        (100..=599).contains(status)
    });
    params.check()?;
    let mut query = DeliveryQuery {
        endpoint: endpoint.map(|endpoint| endpoint.number),
        events,
        statuses,
        last_status,
        after: part.after,
        limit: part.limit,
        ..DeliveryQuery::default()
    };
    let find = move |store: &dyn Store| {
        query.seqs = received(store, since, until)?;
        store.deliveries(&query)
    };
    let found = admin.ask(find).await?;
    let now = admin.clock.now();
    let data = found.items.iter();
    Ok(Json(Listed {
        data: data
            .map(|view| Delivery::of(view, &admin.policies.get(), now))
            .collect(),
        next: found.next.map(|next| part.next(next)),
    }))
}

/// The positions of what was received from `since` on and before `until`; none where neither is
/// said.
fn received(
    store: &dyn Store,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Option<RangeInclusive<Seq>>, StoreError> {
    if since.is_none() && until.is_none() {
        return Ok(None);
    }
    let first = since.map_or(Ok(1), |since| store.position_at(since))?;
    let behind = until.map(|until| store.position_at(until)).transpose()?;
    Ok(Some(first..=behind.map_or(MAX_SEQ, |behind| behind - 1)))
}

/// A delivery by itself.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeliveryDetail")]
pub(super) struct Shown {
    #[serde(flatten)]
    delivery: Delivery,
    #[serde(flatten)]
    explained: Explained,
}

/// `GET /v1/deliveries/{id}`.
pub(super) async fn show(
    State(admin): State<Shared>,
    Alone(id): Alone,
) -> Result<Json<Shown>, Problem> {
    let view = find(&admin, &id).await?;
    let delivery = Delivery::of(&view, &admin.policies.get(), admin.clock.now());
    Ok(Json(Shown {
        delivery: delivery.with_evidence(&view, &admin.courier),
        explained: Explained::of(&view, &admin),
    }))
}

/// `POST /v1/deliveries/{id}/retry`: due now, from the schedule's start.
pub(super) async fn retry(
    State(admin): State<Shared>,
    Named(id): Named,
    request: Request,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    input::Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let view = find(&admin, &id).await?;
    if let Some(refused) = refused(&view) {
        return Err(Problem::conflict(format!("delivery {} {refused}", view.id)));
    }
    let request = ReplayRequest {
        endpoint: view.endpoint.number,
        since: None,
        until: None,
        seq: Some(view.event.seq),
        only_dead: false,
        limit: 1,
        dry_run: false,
    };
    if admin.ask(move |store| store.replay(request)).await? == 0 {
        // Something came before: as it stands now, it says what.
        let view = find(&admin, &id).await?;
        let refused = refused(&view);
        let refused = refused.unwrap_or_else(|| "has just been taken up".to_owned());
        return Err(Problem::conflict(format!("delivery {} {refused}", view.id)));
    }
    let view = find(&admin, &id).await?;
    let delivery = Delivery::of(&view, &admin.policies.get(), admin.clock.now());
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

/// `POST /v1/deliveries/{id}/discard`: it ends as removed, and can be put back.
pub(super) async fn discard(
    State(admin): State<Shared>,
    Named(id): Named,
    request: Request,
) -> Result<Json<Delivery>, Problem> {
    input::Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let view = find(&admin, &id).await?;
    let (endpoint, seq) = (view.endpoint.number, view.event.seq);
    let query = UndeliveredQuery {
        endpoint,
        from: seq,
        until: seq,
        only: None,
        statuses: vec![Status::Pending, Status::Waiting, Status::Dead],
        kinds: None,
        limit: 1,
    };
    let discarded = admin.ask(move |store| {
        let found = store.find_undelivered(&query)?.items;
        store.discard(endpoint, &found, "not attempted: discarded by an operator")
    });
    if discarded.await?.count == 0 {
        let status = find(&admin, &id).await?.status.as_str();
        return Err(Problem::conflict(format!(
            "delivery {} is {status}; what is pending, waiting or dead can be discarded",
            view.id
        )));
    }
    let view = find(&admin, &id).await?;
    let now = admin.clock.now();
    Ok(Json(Delivery::of(&view, &admin.policies.get(), now)))
}

/// The longest reason for giving up: it is shown in one line.
const REASON_MAX_BYTES: usize = 500;

/// `POST /v1/deliveries/{id}/give-up`: a dead letter now, and what is behind it goes on.
pub(super) async fn give_up(
    State(admin): State<Shared>,
    Named(id): Named,
    request: Request,
) -> Result<Json<Delivery>, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let mut reader = input::Reader::new(members, &["reason"]);
    let reason: Option<String> = reader.get("reason", "a text; write it in quotation marks");
    let reason = reason.map(|reason| reason.trim().to_owned());
    if let Some(reason) = &reason
        && (reason.is_empty()
            || reason.len() > REASON_MAX_BYTES
            || reason.contains(char::is_control))
    {
        let detail = format!(
            "reason is empty, longer than {REASON_MAX_BYTES} bytes, or of more than one line; write a shorter one, or leave it out"
        );
        reader.add("reason", detail);
    }
    reader.check()?;
    let view = find(&admin, &id).await?;
    let (endpoint, seq) = (view.endpoint.number, view.event.seq);
    let given_up = admin.ask(move |store| store.give_up(endpoint, seq, reason.as_deref()));
    if !given_up.await? {
        let refused = match find(&admin, &id).await?.status {
            Status::InFlight => "is being attempted; try again when that has ended",
            Status::Pending | Status::Waiting => {
                "is too far back in a long queue; give up what is before it first"
            }
            Status::Delivered | Status::Dead | Status::Removed => "has ended already",
            Status::Filtered => "was never queued",
        };
        return Err(Problem::conflict(format!("delivery {} {refused}", view.id)));
    }
    let view = find(&admin, &id).await?;
    let now = admin.clock.now();
    Ok(Json(Delivery::of(&view, &admin.policies.get(), now)))
}

/// Why it cannot be put back, if it cannot.
fn refused(view: &DeliveryView) -> Option<String> {
    let endpoint = &view.endpoint;
    let settings = &endpoint.settings;
    let name = quoted(&settings.name);
    if endpoint.state == EndpointState::Removed {
        return Some(format!(
            "cannot be put back: its endpoint {name} is removed; make another, and replay to that"
        ));
    }
    let is_selected = || settings.filter.matches(&view.event.content);
    let refused = match (view.status, view.behind) {
        (Status::Waiting | Status::Delivered | Status::Filtered, _) if !is_selected() => {
            return Some(format!(
                "cannot be put back: the events of endpoint {name} do not select it; change those \
                 first"
            ));
        }
        (Status::Waiting | Status::Delivered | Status::Dead, _) => return None,
        (Status::Removed, _) if view.is_discarded() => return None,
        (Status::Pending, _) if endpoint.state == EndpointState::Paused => {
            "is due already, and goes when its endpoint is resumed"
        }
        (Status::Pending, Some(head)) => {
            return Some(format!(
                "waits behind {head}, as its endpoint is sent its events in order; retry that one, or give it up"
            ));
        }
        (Status::Pending, None) => "is due already",
        (Status::InFlight, _) => "is being attempted",
        (Status::Removed, _) => "was given up for good",
        (Status::Filtered, _) => "was never queued; replay the endpoint to send it",
    };
    Some(refused.to_owned())
}

async fn find(admin: &Admin, text: &str) -> Result<DeliveryView, Problem> {
    let none = || Problem::not_found(format!("there is no delivery {}", quoted(text)));
    let id: DeliveryId = text.parse().map_err(|_| none())?;
    let found = admin
        .ask(move |store| store.delivery(id.endpoint(), id.seq()))
        .await?;
    let found = found.filter(|view| view.id == id);
    found.ok_or_else(|| expired(admin, id.seq(), "delivery", text).unwrap_or_else(none))
}
