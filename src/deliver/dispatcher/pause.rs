//! Pausing an endpoint whose policy is gone.

use super::Dispatcher;
use crate::endpoint::EndpointState;
use crate::store::{Claim, EndpointCommand};

/// Why an endpoint is paused whose policy is gone; the same words let it go on when that is back.
pub fn without_policy(policy: &str) -> String {
    format!("its policy {policy} is not in the configuration")
}

impl Dispatcher {
    /// Gives the claim back; the endpoint stands until somebody gives it a policy.
    pub(super) fn pause_without_policy(&self, claim: &Claim) {
        let settings = &claim.endpoint.settings;
        let now = self.store.endpoint_view(claim.endpoint.number);
        let now = now.ok().flatten().map(|view| view.endpoint);
        if now.is_some_and(|endpoint| endpoint.settings.policy != settings.policy) {
            // It was given another one after the claim.
            let _ = self.store.release(claim.token);
            return;
        }
        let reason = without_policy(&settings.policy);
        tracing::error!(endpoint = settings.name, reason, "pausing the endpoint");
        let pause =
            EndpointCommand::SetState(claim.endpoint.number, EndpointState::Paused, Some(reason));
        // Removed meanwhile: then there is nothing to pause.
        let _ = self.store.endpoint(pause);
        let _ = self.store.release(claim.token);
    }
}
