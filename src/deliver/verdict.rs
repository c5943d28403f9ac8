//! What follows from an attempt under its policy. Pure.

use std::time::Duration;

use crate::delivery::Attempt;
use crate::policy::{self, Action, Input, Phase, Policy};
use crate::store::{Claim, Effect, Outcome, Settlement};

/// What is to be settled; `jitter` is from 0 up to 1.
pub(super) fn judge(
    claim: &Claim,
    policy: &Policy,
    attempt: Attempt,
    input: Input,
    jitter: f64,
) -> Settlement {
    let phase = Phase::InFlight {
        failures: claim.failures,
    };
    let ended_at = attempt.ended_at;
    let reason = || match attempt.status {
        Some(status) => format!(
            "answered {status} to attempt {} at {ended_at}",
            attempt.number
        ),
        None => format!("failed attempt {} at {ended_at}", attempt.number),
    };
    let (outcome, effect) = match policy::step(phase, input, policy, ended_at, jitter) {
        Ok((phase, action)) => {
            let outcome = match phase {
                Phase::Delivered => Outcome::Delivered,
                Phase::Dead => Outcome::Dead,
                Phase::Removed => Outcome::Gone,
                Phase::Waiting { due, .. } => Outcome::Retry {
                    after: due.since(ended_at),
                },
                // No answer leads here; a retry at once is the careful reading.
                Phase::Pending | Phase::InFlight { .. } => Outcome::Retry {
                    after: Duration::ZERO,
                },
            };
            let effect = match action {
                Action::None => Effect::None,
                Action::RemoveEndpoint => Effect::Remove(reason()),
                Action::PauseEndpoint => Effect::Pause(reason()),
            };
            (outcome, effect)
        }
        // An attempt under way takes every answer; were it not so, nothing would be lost.
        Err(illegal) => {
            tracing::error!(%illegal, "trying again after the longest delay");
            let after = policy.schedule.delay(u32::MAX);
            (Outcome::Retry { after }, Effect::None)
        }
    };
    Settlement {
        attempt,
        outcome,
        effect,
    }
}
