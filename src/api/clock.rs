//! The broker's clock.

use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::request::input::{self, Reader};
use super::request::params::Params;
use crate::clock::Timestamp;
use crate::deliver::advance::{AdvanceError, Advanced};
use crate::duration::{InvalidDuration, parse_duration};
use crate::inbound::problem::Problem;

/// How long an advance waits, in real time, for a receiver that hangs, unless it is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest that it may be told: the request may take as long for each receiver that hangs, and
/// two thirds more.
const PATIENCE_MAX: Duration = Duration::from_secs(60);

/// The broker's clock.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Clock")]
pub(super) struct Shown {
    now: Timestamp,
    /// `real`, `scaled` or `manual`.
    kind: &'static str,
}

/// `GET /v1/clock`.
pub(super) async fn show(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    Ok(Json(Shown {
        now: admin.clock.now(),
        kind: admin.clock_kind.name(),
    }))
}

/// `POST /v1/clock/advance`. By zero it answers when what is due now has happened.
pub(super) async fn advance(
    State(admin): State<Shared>,
    request: Request,
) -> Result<Json<Advanced>, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let Some(advance) = &admin.advance else {
        return Err(AdvanceError::NotManual.into());
    };
    let mut reader = Reader::new(members, &["by", "patience"]);
    let by = duration(&mut reader, "by");
    if by.is_none() && !reader.is_wrong("by") {
        reader.add("by", "by is missing; write for example \"38m30s\"");
    }
    let patience = duration(&mut reader, "patience").unwrap_or(PATIENCE);
    if patience > PATIENCE_MAX {
        reader.add(
            "patience",
            "patience is longer than 60 s; give a shorter time",
        );
    }
    reader.check()?;
    let advanced = advance.advance(by.unwrap_or_default(), patience).await?;
    Ok(Json(advanced))
}

fn duration(reader: &mut Reader, name: &str) -> Option<Duration> {
    let text: String = reader.get(name, "a text with a unit; write for example \"38m30s\"")?;
    match parse_duration(&text) {
        Ok(duration) => Some(duration),
        Err(InvalidDuration::Zero(_)) if name == "by" => Some(Duration::ZERO),
        Err(error) => {
            reader.add(name, format!("{name} {error}"));
            None
        }
    }
}

impl From<AdvanceError> for Problem {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::NotManual => Self::conflict(error.to_string()),
            AdvanceError::Stopped => Self::unavailable(error.to_string()),
        }
    }
}
