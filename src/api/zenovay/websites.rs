//! `GET /v1/websites`: each website's figures, for operators.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ReadSide, Shared};
use crate::api::request::page::Listed;
use crate::api::request::params::Params;
use crate::clock::Timestamp;
use crate::inbound::problem::Problem;
use crate::vendor::zenovay::bodies::Summary;
use crate::vendor::zenovay::{Code, Range, Refusal};

/// What the totals are of, as those of the stream are.
const SHOWN: Range = Range::LastDay;

/// A website, as it is answered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebsiteFigures")]
pub(in crate::api) struct Website {
    id: String,
    name: String,
    domain: String,
    tracking_code: String,
    /// Visitors at this moment: the same figure as `/e/live/{code}`.
    live: u64,
    /// Of the last 24 hours.
    summary: Summary,
    now: Timestamp,
}

/// Every website of the configuration, in its order.
pub(super) async fn list(
    State(side): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Website>>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    side.catch_up().await?;
    let data = side.ask(ReadSide::figures).await?;
    Ok(Json(Listed { data, next: None }))
}

impl ReadSide {
    fn figures(&self, now: Timestamp) -> Vec<Website> {
        let figures = self.websites.iter().enumerate().map(|(number, website)| {
            let site = self.analytics.site(number);
            Website {
                id: website.id.clone(),
                name: website.name.clone(),
                domain: website.domain.clone(),
                tracking_code: website.tracking_code.clone(),
                live: site.live(now),
                summary: site.summary(SHOWN, now),
                now,
            }
        });
        figures.collect()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            Code::Unavailable => Self::unavailable(refusal.message),
            _ => Self::internal(refusal.message),
        }
    }
}
