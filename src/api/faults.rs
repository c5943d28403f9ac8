//! `/v1/faults`: what was done on purpose.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use crate::clock::Timestamp;
use crate::deliver::faults::log::Entry;
use crate::fault::Fault;
use crate::id::{DeliveryId, EventId};
use crate::inbound::problem::Problem;

const LIST: u8 = b'f';

/// A fault, as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FaultDone")]
pub struct Shown {
    delivery_id: DeliveryId,
    event_id: EventId,
    /// The number of the attempt.
    attempt: u32,
    fault: Fault,
    at: Timestamp,
    /// Whether it was done: not everything can be.
    done: bool,
    /// What was done, in words.
    detail: String,
}

impl Shown {
    fn of(entry: &Entry) -> Self {
        Self {
            delivery_id: entry.delivery,
            event_id: entry.event,
            attempt: entry.attempt,
            fault: entry.fault,
            at: entry.at,
            done: entry.done,
            detail: entry.detail.clone(),
        }
    }
}

/// `GET /v1/faults`: newest first. Where there is no plan of faults, there are none.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Shown>>, Problem> {
    let mut params = Params::read(query.as_deref(), &[LIMIT, CURSOR]);
    let part = Part::read(&mut params, LIST);
    let before = part.after.map(|(number, _)| number);
    params.check()?;
    let faults = admin.courier.faults();
    // One more, to know whether there is one.
    let mut found = faults.map_or_else(Vec::new, |faults| {
        faults.log().before(before, part.limit + 1)
    });
    let more = found.len() > part.limit;
    found.truncate(part.limit);
    let last = found.last().filter(|_| more);
    Ok(Json(Listed {
        next: last.map(|last| part.next((last.number, 0))),
        data: found.iter().map(|entry| Shown::of(entry)).collect(),
    }))
}
