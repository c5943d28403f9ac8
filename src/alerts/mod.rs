//! Alerts: conditions over a website's figures that become events of the log, which are delivered
//! as all others are.
//!
//! An alert is told once: when its condition begins to hold, or once for each visit. What was told
//! is known by the log itself, so that no crash and no start tells it again; of conditions, which
//! may outlive the events that told them, by a file beside it.
//!
//! | file | what is in it |
//! |---|---|
//! | [`rule`] | when a condition holds: pure |
//! | [`notice`] | what is told of it, as an event: pure |
//! | [`memory`] | what was told, by the log's own events: pure |
//! | [`state`] | an alert between its checks: pure |
//! | [`watch`] | checks at its times, and tells |
//! | [`parts`] | what the alerts need of the broker |
//! | `remember` | reads what was told from the log, and keeps what outlives it |

pub mod memory;
pub mod notice;
pub mod parts;
mod remember;
pub mod rule;
pub mod state;
pub mod watch;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::alert::{Rule, Shape};
use crate::config::{Alert, Website};

use state::State;

/// Every alert, in the configuration's order.
#[derive(Debug, Default)]
pub struct Alerts {
    each: Vec<Watched>,
    /// What alerts have told that are not there any more, and may come back.
    others: Mutex<remember::Conditions>,
    /// Held by whoever tells, until what was told is kept: nothing else is on disk then.
    turn: tokio::sync::Mutex<()>,
}

/// An alert, and how it stands.
#[derive(Debug)]
struct Watched {
    alert: Alert,
    website: Website,
    /// The website's number among all.
    number: usize,
    state: Mutex<State>,
}

/// An alert, as it is shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Its name.
    pub name: &'a str,
    /// The id of its website.
    pub website: &'a str,
    /// What it waits for.
    pub rule: Rule,
    /// How often it looks.
    pub every: Duration,
    /// What its events look like.
    pub shape: Shape,
    /// Whether its condition holds and that was told; never of visits, which are told one by one.
    pub is_firing: bool,
    /// When it last looked, since the start.
    pub last_checked_at: Option<Timestamp>,
    /// When it last told of its condition.
    pub last_fired_at: Option<Timestamp>,
    /// What it last found: the figure, or the score of the last visit that was told.
    pub last_value: Option<f64>,
}

impl Alerts {
    /// These alerts over these websites; each website keeps up to `views_max` visits.
    pub fn new(alerts: Vec<Alert>, websites: &[Website], views_max: usize) -> Self {
        let each = alerts.into_iter().filter_map(|alert| {
            let number = websites.iter().position(|site| site.id == alert.website)?;
            Some(Watched {
                website: websites[number].clone(),
                number,
                state: Mutex::new(State::new(views_max)),
                alert,
            })
        });
        Self {
            each: each.collect(),
            others: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Each of them, as it is at `now`.
    pub fn views(&self, now: Timestamp) -> impl Iterator<Item = View<'_>> {
        self.each.iter().map(move |watched| {
            let state = watched.state();
            let checked_at = state.checked_at.map(|at| match state.rests {
                // Of looks that are left out, what they would have found is known.
                true => watch::last_look(now, at, watched.alert.every),
                false => at,
            });
            View {
                name: &watched.alert.name,
                website: &watched.alert.website,
                rule: watched.alert.rule,
                every: watched.alert.every,
                shape: watched.alert.shape,
                is_firing: state.memory.firing_since().is_some(),
                last_checked_at: checked_at,
                last_fired_at: state.memory.fired_at(),
                last_value: state.value,
            }
        })
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
