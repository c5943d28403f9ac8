//! `/v1/deliveries`.

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use hyper::StatusCode;
use serde::Serialize;

use super::events::expired;
use super::explained::Explained;
use super::input::Named;
use super::objects::Delivery;
use super::page::{self, CURSOR, LIMIT, Listed};
use super::params::Params;
use super::{Admin, Shared, input};
use crate::delivery::Status;
use crate::endpoint::{Filter, FilterOn};
use crate::id::DeliveryId;
use crate::inbound::problem::Problem;
use crate::store::{DeliveryQuery, DeliveryView, ReplayRequest};
use crate::words::quoted;

/// Every status by its name.
pub(super) const STATUSES: [(&str, Status); 7] = [
    ("pending", Status::Pending),
    ("waiting", Status::Waiting),
    ("in_flight", Status::InFlight),
    ("delivered", Status::Delivered),
    ("dead", Status::Dead),
    ("removed", Status::Removed),
    ("filtered", Status::Filtered),
];

const LIST: u8 = b'd';

/// `GET /v1/deliveries`: newest event first.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let known = ["endpoint", "type", "status", LIMIT, CURSOR];
    let mut params = Params::read(query.as_deref(), &known);
    let limit = page::limit(&mut params);
    let statuses = params.choices("status", &STATUSES);
    let after = page::read_cursor(&mut params, LIST);
    let wanted = params.text("endpoint").map(str::to_owned);
    let events = params.text("type").map(|kind| Filter {
        on: FilterOn::Kind,
        patterns: vec![kind.to_owned()],
    });
    params.check()?;
    let endpoint = match wanted {
        Some(wanted) => Some(admin.endpoint(&wanted)?.number),
        None => None,
    };
    let query = DeliveryQuery {
        endpoint,
        events,
        statuses,
        after,
        limit,
        ..DeliveryQuery::default()
    };
    let found = admin.ask(move |store| store.deliveries(&query)).await?;
    let now = admin.clock.now();
    let data = found.items.iter();
    Ok(Json(Listed {
        data: data
            .map(|view| Delivery::of(view, &admin.policies, now))
            .collect(),
        next: found.next.map(|next| page::write_cursor(LIST, next)),
    }))
}

/// A delivery by itself.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    delivery: Delivery,
    #[serde(flatten)]
    explained: Explained,
}

/// `GET /v1/deliveries/{id}`.
pub(super) async fn show(
    State(admin): State<Shared>,
    Named(id): Named,
) -> Result<Json<Shown>, Problem> {
    let view = find(&admin, &id).await?;
    let delivery = Delivery::of(&view, &admin.policies, admin.clock.now());
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
    let refused = match view.status {
        Status::Waiting | Status::Delivered | Status::Dead => None,
        Status::Pending => Some("is due already"),
        Status::InFlight => Some("is being attempted"),
        Status::Removed => Some("has no endpoint any more"),
        Status::Filtered => Some("was never queued; replay the endpoint to send it"),
    };
    if let Some(refused) = refused {
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
        return Err(Problem::conflict(format!(
            "delivery {} cannot be put back: its endpoint is removed, no longer selects the event, \
             or has just taken it up",
            view.id
        )));
    }
    let view = find(&admin, &id).await?;
    let delivery = Delivery::of(&view, &admin.policies, admin.clock.now());
    Ok((StatusCode::ACCEPTED, Json(delivery)))
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
