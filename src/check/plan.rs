//! What a run is told, and what keeps it from being one.

use std::time::Duration;

use super::drill::Run;
use super::duties::duties;
use super::duty::{Duty, Need};
use super::probe::{Probe, ProbeError};
use crate::deliver::transport::SendError;
use crate::policy::Policy;
use crate::vendor::{KeyError, Profile, esputnik, hotjar, standard};

pub use super::crafted::Credentials;

/// What is looked at, and with what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose messages are sent, and what makes them genuine.
    pub credentials: Credentials,
    /// How far a timestamp of Standard Webhooks may be from the receiver's clock.
    pub tolerance: Duration,
    /// Who sees the receiver's effects.
    pub probe: Option<Probe>,
    /// How long an effect may take to be seen.
    pub settle: Duration,
    /// How the receiver is restarted.
    pub restart: Option<Restart>,
    /// What makes this run's messages its own.
    pub run: Run,
}

/// How a receiver is restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The shell command.
    pub command: String,
    /// Time for it, and then again for the receiver to answer.
    pub timeout: Duration,
}

impl Plan {
    /// The duties that are looked at, in order.
    pub fn duties(&self) -> Vec<Duty> {
        duties(self.credentials.profile, self.tolerance)
    }

    /// Whether what `need` asks for was given.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Key => self.credentials.signing_key.is_some(),
            Need::Basic => self.credentials.basic.is_some(),
            Need::Probe => self.probe.is_some(),
            Need::Restart => self.restart.is_some(),
        }
    }
}

/// The policy of the vendor whose messages are of `profile`.
pub fn policy(profile: Profile) -> Policy {
    match profile {
        Profile::Hotjar => hotjar::policy(),
        Profile::Esputnik => esputnik::policy(),
        Profile::Standard => standard::policy(),
    }
}

/// Why a receiver cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Nobody is there.
    #[error("the receiver cannot be reached: {0}")]
    OutOfReach(#[source] SendError),
    /// It verifies, and there is nothing to sign with.
    #[error(
        "the receiver answers {0} to a message without a signature, and there is no signing key"
    )]
    Unsigned(u16),
    /// Nobody can see what it does, though somebody should.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The key or the login cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
