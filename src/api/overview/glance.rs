//! How well each endpoint is, which of them are asked for, and in which order. Pure.

use std::cmp::Reverse;
use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::store::EndpointView;

/// How an endpoint is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EndpointHealth")]
pub(super) enum Health {
    /// Each attempt has failed for as long as `endpoint.failing` waits (`failing_after`, five
    /// minutes unless it is set), two of them at least, and a delivery waits for its next one.
    Failing,
    /// Nothing is sent until somebody resumes it.
    Paused,
    /// Some deliveries were given up.
    DeadLetters,
    /// A delivery has failed and waits for its next attempt; others may arrive.
    Retrying,
    /// Deliveries are on their way.
    Busy,
    /// Nothing waits.
    Well,
    /// Gone; its history stays.
    Removed,
}

impl Health {
    /// Each by its name.
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("failing", Self::Failing),
        ("paused", Self::Paused),
        ("dead_letters", Self::DeadLetters),
        ("retrying", Self::Retrying),
        ("busy", Self::Busy),
        ("well", Self::Well),
        ("removed", Self::Removed),
    ];

    fn of(view: &EndpointView, fails: bool) -> Self {
        let waits = view.next_attempt_at.is_some();
        match view.endpoint.state {
            EndpointState::Removed => Self::Removed,
            EndpointState::Paused => Self::Paused,
            EndpointState::Active if waits && fails => Self::Failing,
            EndpointState::Active if view.ended.dead > 0 => Self::DeadLetters,
            EndpointState::Active if waits => Self::Retrying,
            EndpointState::Active if view.backlog > 0 => Self::Busy,
            EndpointState::Active => Self::Well,
        }
    }
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// The worst, and of those the one whose oldest delivery has waited the longest.
    #[default]
    Health,
    /// By name.
    Name,
    /// The longest queue.
    Backlog,
    /// Whose oldest delivery has waited the longest.
    Oldest,
    /// The most dead letters.
    Dead,
}

impl Sort {
    /// Each by its name.
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("health", Self::Health),
        ("name", Self::Name),
        ("backlog", Self::Backlog),
        ("oldest", Self::Oldest),
        ("dead", Self::Dead),
    ];
}

/// Sums over every endpoint that is not removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OverviewTotals")]
pub(super) struct Totals {
    pub endpoints: u64,
    pub failing: u64,
    pub paused: u64,
    /// Endpoints of which deliveries were given up, and that are neither failing nor paused.
    pub dead_letters: u64,
    pub retrying: u64,
    pub busy: u64,
    pub well: u64,
    /// Beside them, those that are.
    pub removed: u64,
    /// Deliveries that have not ended.
    pub backlog: u64,
    /// Deliveries that arrived; unlike those of `/v1/status` without those of removed endpoints.
    pub delivered: u64,
    /// Deliveries that were given up, at whichever of these endpoints.
    pub dead: u64,
    pub oldest_waiting_at: Option<Timestamp>,
    /// Of those that are not paused.
    pub next_attempt_at: Option<Timestamp>,
}

impl Totals {
    fn add(&mut self, view: &EndpointView, health: Health) {
        let of_its_kind = match health {
            Health::Failing => &mut self.failing,
            Health::Paused => &mut self.paused,
            Health::DeadLetters => &mut self.dead_letters,
            Health::Retrying => &mut self.retrying,
            Health::Busy => &mut self.busy,
            Health::Well => &mut self.well,
            Health::Removed => {
                self.removed += 1;
                return;
            }
        };
        *of_its_kind += 1;
        self.endpoints += 1;
        self.backlog += view.backlog;
        self.delivered += view.ended.delivered;
        self.dead += view.ended.dead;
        self.oldest_waiting_at = earlier(self.oldest_waiting_at, view.oldest_waiting_at);
        // One that is paused attempts nothing, whatever is due.
        let next = view.next_attempt_at.filter(|_| health != Health::Paused);
        self.next_attempt_at = earlier(self.next_attempt_at, next);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// Every endpoint, and those that are asked for.
pub(super) struct Glance {
    pub totals: Totals,
    pub selected: Vec<(EndpointView, Health)>,
}

impl Glance {
    /// At all of them; every attempt fails at those whose numbers are in `failing`.
    pub(super) fn at(views: Vec<EndpointView>, failing: &HashSet<u32>) -> Self {
        let mut totals = Totals::default();
        let selected = views.into_iter().map(|view| {
            let health = Health::of(&view, failing.contains(&view.endpoint.number));
            totals.add(&view, health);
            (view, health)
        });
        let selected = selected.collect();
        Self { totals, selected }
    }

    /// Keeps those in one of these healths, without any all but the removed ones, that have
    /// `search`, in lower case, in their name or URL.
    pub(super) fn select(&mut self, healths: &[Health], search: Option<&str>) {
        self.selected.retain(|(view, health)| {
            let settings = &view.endpoint.settings;
            let is_in_one = match healths {
                [] => *health != Health::Removed,
                healths => healths.contains(health),
            };
            is_in_one
                && search.is_none_or(|search| {
                    settings.name.to_lowercase().contains(search)
                        || settings.url.to_lowercase().contains(search)
                })
        });
    }

    /// A part of what is selected, sorted.
    pub(super) fn page(
        &mut self,
        sort: Sort,
        offset: usize,
        limit: usize,
    ) -> Vec<(EndpointView, Health)> {
        // Nothing waits: after all that wait.
        let oldest =
            |view: &EndpointView| view.oldest_waiting_at.map_or(i64::MAX, |at| at.as_millis());
        // Stable, so that those that are alike stay in the order of their making.
        let rows = &mut self.selected;
        match sort {
            Sort::Health => rows.sort_by_key(|(view, health)| (*health, oldest(view))),
            Sort::Name => {
                rows.sort_by_cached_key(|(view, _)| view.endpoint.settings.name.to_lowercase())
            }
            Sort::Backlog => rows.sort_by_key(|(view, _)| Reverse(view.backlog)),
            Sort::Oldest => rows.sort_by_key(|(view, _)| oldest(view)),
            Sort::Dead => rows.sort_by_key(|(view, _)| Reverse(view.ended.dead)),
        }
        let behind = rows.iter().skip(offset);
        behind.take(limit).cloned().collect()
    }
}
