//! What a mock is to be like, said step by step.

use std::time::Duration;

use super::plan::Plan;
use super::running::{Mock, MockError};
use crate::clock::ClockKind;
use crate::duration::format_duration;
use crate::endpoint::{BasicAuth, Check, EndpointDraft, Field, FieldError};
use crate::fault::Rule;
use crate::secret::Secret;
use crate::vendor::Profile;

/// Makes a [`Mock`]. Its clock is manual unless [`clock`](Self::clock) says otherwise.
#[derive(Clone, Debug)]
pub struct Builder {
    vendor: Profile,
    draft: EndpointDraft,
    clock: ClockKind,
    seed: u64,
    faults: Vec<Rule>,
}

/// Why a mock cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// What was said of it is not right.
    #[error("{}", listed(.0))]
    Invalid(Vec<FieldError>),
    /// It does not start.
    #[error(transparent)]
    Start(#[from] MockError),
}

fn listed(errors: &[FieldError]) -> String {
    let each = errors.iter().map(|error| error.detail.clone());
    each.collect::<Vec<_>>().join("; ")
}

impl Builder {
    pub(super) fn new(vendor: Profile, to: &str) -> Self {
        let draft = EndpointDraft {
            url: Field::Set(to.to_owned()),
            ..EndpointDraft::default()
        };
        Self {
            vendor,
            draft,
            clock: ClockKind::Manual,
            seed: 0,
            faults: Vec::new(),
        }
    }

    /// What requests are signed with: a site's key (HOT-30), or a `whsec_…` secret.
    #[must_use]
    pub fn signing_key(mut self, key: &str) -> Self {
        self.draft.signing_key = Field::Set(Secret::new(key));
        self
    }

    /// Credentials of HTTP Basic (ESP-04).
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.draft.basic_auth = Field::Set(BasicAuth {
            user: user.to_owned(),
            password: Secret::new(password),
        });
        self
    }

    /// Time for one attempt, instead of the vendor's.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.draft.timeout = Field::Set(format_duration(timeout));
        self
    }

    /// The GET on save, instead of the vendor's.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.draft.check = Field::Set(check);
        self
    }

    /// Real, scaled or manual.
    #[must_use]
    pub fn clock(mut self, clock: ClockKind) -> Self {
        self.clock = clock;
        self
    }

    /// The seed of its samples.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Something that it does wrong on purpose, such as `"cut".parse()?`. May be said again.
    #[must_use]
    pub fn fault(mut self, rule: Rule) -> Self {
        self.faults.push(rule);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`BuildError::Invalid`] with everything that is not right at once; [`BuildError::Start`] if
    /// the receiver does not pass the vendor's check, or the system has no thread.
    pub async fn start(self) -> Result<Mock, BuildError> {
        let plan = Plan::new(self.vendor, self.draft, self.clock, self.seed);
        let plan = plan.map_err(BuildError::Invalid)?;
        let plan = plan.with_faults(self.faults).map_err(|error| {
            BuildError::Invalid(vec![FieldError {
                at: "/faults".to_owned(),
                detail: error.to_string(),
            }])
        })?;
        Ok(Mock::start(plan, true).await?)
    }
}
