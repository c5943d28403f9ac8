//! `GET /v1/overview`: all endpoints at a glance, those that need somebody first. It is counted and
//! sorted here, so that whoever looks at ten thousand endpoints is sent fifty.

mod glance;

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use self::glance::{Glance, Health, Sort, Totals};
use super::Shared;
use super::answer::objects;
use super::request::params::Params;
use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::id::{DeliveryId, Seq};
use crate::inbound::problem::Problem;
use crate::store::{DeliveryQuery, EndpointView, Store, StoreError};
use crate::telemetry::activity::Streak;

const LIMIT_DEFAULT: usize = 50;

/// Each endpoint that is shown costs a look at its last failure.
const LIMIT_MAX: usize = 200;

/// The longest text that is searched for: no name is longer.
const SEARCH_MAX: usize = 200;

/// Sums over all endpoints, and some of them.
#[derive(Serialize, JsonSchema)]
pub(super) struct Overview {
    now: Timestamp,
    clock: &'static str,
    /// The position of the newest event.
    last_seq: Seq,
    totals: Totals,
    /// How many endpoints the search and the state select; `data` is a part of them.
    matched: usize,
    data: Vec<Row>,
}

/// An endpoint, and how it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewRow")]
struct Row {
    #[serde(flatten)]
    endpoint: objects::Endpoint,
    health: Health,
    last_failure: Option<Failure>,
}

/// The last attempt of a delivery that has failed and not ended, or that has ended so.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LastFailure")]
struct Failure {
    delivery_id: DeliveryId,
    attempt: u32,
    at: Timestamp,
    status: Option<u16>,
    error: Option<String>,
}

/// `GET /v1/overview?search=&health=&sort=&limit=&offset=`.
pub(super) async fn show(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Overview>, Problem> {
    let known = ["search", "health", "sort", "limit", "offset"];
    let mut params = Params::read(query.as_deref(), &known);
    let limit = params.value("limit", "a whole number from 1 to 200", |limit| {
        (1..=LIMIT_MAX).contains(limit)
    });
    let offset = params.value("offset", "a whole number from 0 on", |_: &usize| true);
    let sort = params.choice("sort", &Sort::ALL).unwrap_or_default();
    let health = params.choices("health", &Health::ALL);
    let search = params.text("search").map(str::to_lowercase);
    if search
        .as_ref()
        .is_some_and(|search| search.len() > SEARCH_MAX)
    {
        params.add("search", "search is longer than 200 bytes; shorten it");
    }
    params.check()?;
    let views = admin.ask(|store| store.endpoints()).await?;
    let now = admin.clock.now();
    let is_failing = |streak: Streak| {
        let from = admin.failing.failing_from(streak.since, streak.attempts);
        from.is_some_and(|from| from <= now)
    };
    let failing = admin.telemetry.activity.failing(is_failing);
    let mut glance = Glance::at(views, &failing);
    glance.select(&health, search.as_deref());
    let matched = glance.selected.len();
    let page = glance.page(sort, offset.unwrap_or(0), limit.unwrap_or(LIMIT_DEFAULT));
    let rows = admin.ask(move |store| {
        let failure = |view: &EndpointView, health| match health {
            Health::Failing | Health::Retrying | Health::DeadLetters => {
                last_failure(store, view, health)
            }
            // One that is paused may have failed before.
            Health::Paused => last_failure(store, view, Health::Failing),
            Health::Busy | Health::Well | Health::Removed => Ok(None),
        };
        let row = |(view, health): (EndpointView, Health)| {
            let failure = failure(&view, health)?;
            Ok((view, health, failure))
        };
        page.into_iter().map(row).collect::<Result<Vec<_>, _>>()
    });
    let data = rows.await?.into_iter();
    Ok(Json(Overview {
        now: admin.clock.now(),
        clock: admin.clock_kind.name(),
        last_seq: *admin.store.tail().borrow(),
        totals: glance.totals,
        matched,
        data: data
            .map(|(view, health, last_failure)| Row {
                endpoint: objects::Endpoint::of(&view, &admin.policies.get()),
                health,
                last_failure,
            })
            .collect(),
    }))
}

fn last_failure(
    store: &dyn Store,
    view: &EndpointView,
    health: Health,
) -> Result<Option<Failure>, StoreError> {
    let status = match health {
        Health::DeadLetters => Status::Dead,
        _ => Status::Waiting,
    };
    let query = DeliveryQuery {
        endpoint: Some(view.endpoint.number),
        statuses: vec![status],
        limit: 1,
        ..DeliveryQuery::default()
    };
    let newest = store.deliveries(&query)?.items.pop();
    Ok(newest.and_then(|delivery| {
        let last = delivery.attempts.last()?;
        Some(Failure {
            delivery_id: delivery.id,
            attempt: last.number,
            at: last.ended_at,
            status: last.status,
            error: last.error.clone(),
        })
    }))
}
