//! The alerts, and how each stands.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::request::params::Params;
use crate::alerts::View;
use crate::clock::Timestamp;
use crate::config::alert::{Bound, Period, Rule};
use crate::duration::format_duration;
use crate::inbound::problem::Problem;

/// `GET /v1/alerts`, as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Alerts {
    data: Vec<Alert>,
    /// There are no more: all are told at once.
    next: Option<String>,
}

/// An alert of the configuration, and how it stands.
#[derive(Debug, Serialize, JsonSchema)]
struct Alert {
    name: String,
    /// The website's id.
    website: String,
    /// `above`, `below`, `traffic-spike` or `high-value-visitor`.
    when: &'static str,
    /// How many times the usual traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<f64>,
    /// `live`, `total_visitors` or `total_page_views`.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'static str>,
    /// The metric's time, such as `24h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'static str>,
    /// The bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    /// How often it is checked.
    every: String,
    /// `event` or `slack`: what its events look like.
    shape: &'static str,
    /// `firing` or `armed`.
    state: &'static str,
    last_checked_at: Option<Timestamp>,
    last_fired_at: Option<Timestamp>,
    last_value: Option<f64>,
}

impl Alert {
    fn of(view: &View<'_>) -> Self {
        let (factor, threshold, metric) = match view.rule {
            Rule::HighValueVisitor { threshold } => (None, Some(threshold), None),
            Rule::TrafficSpike { factor } => (Some(factor), None, None),
            Rule::Above(Bound { metric, threshold }) | Rule::Below(Bound { metric, threshold }) => {
                (None, Some(threshold), Some(metric))
            }
        };
        let period = metric.and_then(|metric| metric.period());
        Self {
            name: view.name.to_owned(),
            website: view.website.to_owned(),
            when: view.rule.word(),
            factor,
            metric: metric.map(|metric| metric.word()),
            range: period.map(Period::word),
            threshold,
            every: format_duration(view.every),
            shape: view.shape.word(),
            state: match view.is_firing {
                true => "firing",
                false => "armed",
            },
            last_checked_at: view.last_checked_at,
            last_fired_at: view.last_fired_at,
            last_value: view.last_value,
        }
    }
}

/// Every alert of the configuration, in its order.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Alerts>, Problem> {
    Params::read(query.as_deref(), &[]).check()?;
    let alerts = admin.alerts.get();
    let alerts = alerts.views(admin.clock.now());
    Ok(Json(Alerts {
        data: alerts.map(|view| Alert::of(&view)).collect(),
        next: None,
    }))
}
