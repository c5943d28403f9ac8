//! One attempt: the vendor's request, the deadline, the verdict.

use std::sync::Arc;

use crate::clock::SharedClock;
use crate::delivery::Attempt;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::policy::Policies;

use super::guard::AddressGuard;
use super::transport::Transport;

/// Makes and sends requests to endpoints.
pub struct Courier {
    transport: Transport,
    clock: SharedClock,
    policies: Arc<Policies>,
}

/// Why an endpoint did not pass the GET on save (ESP-08): for the operator, who mends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckFailed {
    /// It answered, but not as it must.
    #[error("GET {url} answered {status}; the check asks for {wanted}")]
    Status {
        /// Where, without its query.
        url: String,
        /// What it answered.
        status: u16,
        /// What would pass.
        wanted: &'static str,
    },
    /// It did not answer.
    #[error("GET {url} failed: {cause}")]
    NoAnswer {
        /// Where, without its query.
        url: String,
        /// Why not.
        cause: String,
    },
}

impl Courier {
    /// A courier that sends by `transport` under `policies`.
    pub fn new(transport: Transport, clock: SharedClock, policies: Arc<Policies>) -> Self {
        Self {
            transport,
            clock,
            policies,
        }
    }

    /// Which addresses may be sent to.
    pub fn guard(&self) -> &AddressGuard {
        self.transport.guard()
    }

    /// Sends the profile's test message (HOT-58) once, now; nothing is stored.
    pub async fn test(&self, endpoint: &Endpoint) -> (Attempt, bool) {
        let _ = (endpoint, &self.clock, &self.policies);
        unimplemented!()
    }

    /// Sends the GET on save (ESP-07), unless the endpoint asks for none.
    pub async fn check(&self, settings: &EndpointSettings) -> Result<(), CheckFailed> {
        let _ = settings;
        unimplemented!()
    }
}
