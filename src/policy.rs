//! The retry state machine and its schedules. Pure: time and chance come in as arguments.
//!
//! | from | input | to |
//! |---|---|---|
//! | `Pending`, or `Waiting` once due | `Claim` | `InFlight` |
//! | `InFlight` | `Answer` with success | `Delivered` |
//! | `InFlight` | `Answer` without, `NoAnswer` | `Waiting`; `Dead` after the last attempt; `Removed` by a 410 that removes |
//! | `InFlight` | `Release` | as before its `Claim` |
//! | `Waiting`, `Delivered`, `Dead` | `Retry` | `Pending`, with no failures |
//! | `Pending`, `Waiting`, `InFlight` | `Remove` | `Removed` |
//!
//! Every other move is an [`IllegalTransition`]; nothing leaves `Removed`.

mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::endpoint::{Check, FilterOn, Order};

pub use schedule::Schedule;

/// Which statuses count as delivered. A redirect never does (A-04b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// 200 to 299 (HOT-16).
    Any2xx,
    /// 200 and nothing else (ESP-12).
    Only200,
}

impl Success {
    /// Whether `status` counts as delivered.
    pub fn accepts(self, status: u16) -> bool {
        match self {
            Self::Any2xx => (200..300).contains(&status),
            Self::Only200 => status == 200,
        }
    }
}

/// What a 410 Gone means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On410 {
    /// The endpoint is removed, at whichever attempt (HOT-28, HOT-29).
    Remove,
    /// A failure like any other.
    Retry,
    /// A failure, and the endpoint is paused.
    Pause,
}

/// One retry contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What endpoints name it by.
    pub name: String,
    /// Whether events wait for one another.
    pub order: Order,
    /// Which statuses count as delivered.
    pub success: Success,
    /// How long to wait after a failure.
    pub schedule: Schedule,
    /// Attempts in all, the first included; none means never give up.
    pub give_up_after: Option<u32>,
    /// What a 410 means.
    pub on_410: On410,
    /// Time for one attempt, all told (HOT-15).
    pub timeout: Duration,
    /// Each delay is lengthened or shortened by up to this part of itself, 0.0 to 1.0.
    pub jitter: f64,
    /// Whether the answer's `Retry-After` may lengthen a delay, up to the schedule's next step.
    pub honours_retry_after: bool,
    /// Whether a plain `http` URL is refused unless its host is loopback (HOT-14, A-07).
    pub requires_tls: bool,
    /// What an endpoint's `events` are matched against.
    pub filter_on: FilterOn,
    /// How signing keys are written.
    pub key_form: KeyForm,
    /// The GET on save, where the endpoint does not say otherwise (ESP-07).
    pub check: Check,
}

/// How a signing key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// A text, in the endpoint's `key_encoding`.
    Text,
    /// As Standard Webhooks has it: `whsec_` and base64, several with spaces between.
    StandardSecret,
}

/// Where a delivery stands in its policy. `failures` counts those in a row, of this delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not attempted, or put back by the operator.
    Pending,
    /// Due again at `due`.
    Waiting {
        /// Failed attempts so far.
        failures: u32,
        /// When the next attempt may leave.
        due: Timestamp,
    },
    /// An attempt is under way.
    InFlight {
        /// Failed attempts before this one.
        failures: u32,
    },
    /// Done.
    Delivered,
    /// Given up.
    Dead,
    /// Its endpoint is gone.
    Removed,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// An attempt begins.
    Claim,
    /// The receiver answered.
    Answer {
        /// The HTTP status.
        status: u16,
        /// What the answer's `Retry-After` asked for.
        retry_after: Option<Duration>,
    },
    /// No usable answer: refused, reset, timed out.
    NoAnswer,
    /// The attempt was stopped by us, not by the receiver: it does not count.
    Release,
    /// The operator wants it sent again, or its endpoint was resumed: from the schedule's start
    ///
    Retry,
    /// The endpoint was removed.
    Remove,
}

/// What must happen to the endpoint because of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Remove it, for good (HOT-28).
    RemoveEndpoint,
    /// Pause it until the operator resumes it.
    PauseEndpoint,
}

/// A move that the state machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery in phase {phase:?} cannot take {input:?}")]
pub struct IllegalTransition {
    /// Where the delivery stood.
    pub phase: Phase,
    /// What was asked of it.
    pub input: Input,
}

/// The whole retry contract: from a phase and what happened, to the next phase and what must
/// happen to the endpoint.
///
/// `jitter` is a number from 0.0 up to 1.0, drawn by the caller; 0.5 is the middle, which changes
/// nothing. `now` is the end of the attempt.
pub fn step(
    phase: Phase,
    input: Input,
    policy: &Policy,
    now: Timestamp,
    jitter: f64,
) -> Result<(Phase, Action), IllegalTransition> {
    let illegal = Err(IllegalTransition { phase, input });
    match (phase, input) {
        (Phase::Pending, Input::Claim) => Ok((Phase::InFlight { failures: 0 }, Action::None)),
        // Never early: the schedule is a promise to the receiver.
        (Phase::Waiting { due, .. }, Input::Claim) if now < due => illegal,
        (Phase::Waiting { failures, .. }, Input::Claim) => {
            Ok((Phase::InFlight { failures }, Action::None))
        }
        (
            Phase::InFlight { failures },
            Input::Answer {
                status,
                retry_after,
            },
        ) => {
            if policy.success.accepts(status) {
                return Ok((Phase::Delivered, Action::None));
            }
            let action = match (status, policy.on_410) {
                (410, On410::Remove) => return Ok((Phase::Removed, Action::RemoveEndpoint)),
                (410, On410::Pause) => Action::PauseEndpoint,
                _ => Action::None,
            };
            let asked = retry_after.filter(|_| policy.honours_retry_after);
            Ok((policy.after_failure(failures, asked, now, jitter), action))
        }
        (Phase::InFlight { failures }, Input::NoAnswer) => Ok((
            policy.after_failure(failures, None, now, jitter),
            Action::None,
        )),
        (Phase::InFlight { failures: 0 }, Input::Release) => Ok((Phase::Pending, Action::None)),
        (Phase::InFlight { failures }, Input::Release) => {
            Ok((Phase::Waiting { failures, due: now }, Action::None))
        }
        (Phase::Pending | Phase::Waiting { .. } | Phase::InFlight { .. }, Input::Remove) => {
            Ok((Phase::Removed, Action::None))
        }
        (Phase::Waiting { .. } | Phase::Delivered | Phase::Dead, Input::Retry) => {
            Ok((Phase::Pending, Action::None))
        }
        (
            Phase::Pending,
            Input::Answer { .. } | Input::NoAnswer | Input::Release | Input::Retry,
        )
        | (Phase::Waiting { .. }, Input::Answer { .. } | Input::NoAnswer | Input::Release)
        | (Phase::InFlight { .. }, Input::Claim | Input::Retry)
        | (
            Phase::Delivered | Phase::Dead,
            Input::Claim | Input::Answer { .. } | Input::NoAnswer | Input::Release | Input::Remove,
        )
        | (Phase::Removed, _) => illegal,
    }
}

impl Policy {
    fn after_failure(
        &self,
        failures_before: u32,
        retry_after: Option<Duration>,
        now: Timestamp,
        jitter: f64,
    ) -> Phase {
        let failures = failures_before.saturating_add(1);
        if self.give_up_after.is_some_and(|limit| failures >= limit) {
            return Phase::Dead;
        }
        let step = self.schedule.delay(failures);
        // "Within the step": a receiver may ask for more, but not for more than the next delay.
        let longest = self.schedule.delay(failures.saturating_add(1)).max(step);
        let asked = retry_after.unwrap_or_default().min(longest);
        // Chance spreads our own schedule only: it never sends earlier than the receiver asked.
        let delay = schedule::spread(step, self.jitter, jitter).max(asked);
        Phase::Waiting {
            failures,
            due: now.plus(delay),
        }
    }
}

/// The policies that endpoints can name.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<String, Arc<Policy>>);

impl Policies {
    /// Adds `policy` under its name, in place of one that had it.
    pub fn insert(&mut self, policy: Policy) {
        self.0.insert(policy.name.clone(), Arc::new(policy));
    }

    /// The policy called `name`.
    pub fn get(&self, name: &str) -> Option<&Arc<Policy>> {
        self.0.get(name)
    }

    /// Each of them.
    pub fn all(&self) -> Vec<Policy> {
        self.0.values().map(|policy| (**policy).clone()).collect()
    }

    /// Every name, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
