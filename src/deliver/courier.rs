//! One attempt: the vendor's request, the deadline, the verdict.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::confidence::masked;
use super::faults::Faults;
use super::guard::GuardError;
use super::outgoing::{Outgoing, Unsendable};
use super::propagation::Propagation;
use super::recorder::{Record, Recorder, Sent};
use super::transport::{Answer, Request, SendError, Transport};
use crate::clock::{Moment, SharedClock, Sleep, Timestamp};
use crate::current::Current;
use crate::delivery::Attempt;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::event::Event;
use crate::id::EventId;
use crate::policy::{Input, Policies, Policy, Success};
use crate::store::Claim;
use crate::trace::TRACEPARENT;
use crate::vendor::Profile;

/// What every request says it comes from.
pub const AGENT: &str = concat!("redeliver/", env!("CARGO_PKG_VERSION"));

/// Time for a request under a policy that has left the configuration.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Time to resolve a name that is only looked at: whoever asks for it waits.
const LOOKUP: Duration = Duration::from_secs(5);

/// Makes and sends requests to endpoints.
pub struct Courier {
    pub(super) transport: Transport,
    pub(super) clock: SharedClock,
    policies: Arc<Current<Policies>>,
    pub(super) outgoing: Outgoing,
    recorder: Option<Arc<Recorder>>,
    faults: Option<Arc<Faults>>,
    propagation: Option<Propagation>,
}

/// The beginning of an attempt, and the end of its time.
pub(super) struct Began {
    pub(super) moment: Moment,
    pub(super) deadline: Sleep,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the connection was closed before the answer was read: a fault on demand")]
    OnDemand,
}

impl Failed {
    fn input(&self) -> Input {
        match self {
            // The receiver never heard of it: our shortage burns none of its retries.
            Self::Send(SendError::Starved(_)) => Input::Release,
            _ => Input::NoAnswer,
        }
    }
}

impl Courier {
    /// A courier that sends by `transport` under `policies`.
    pub fn new(transport: Transport, clock: SharedClock, policies: Arc<Current<Policies>>) -> Self {
        Self {
            transport,
            clock,
            policies,
            outgoing: Outgoing::default(),
            recorder: None,
            faults: None,
            propagation: None,
        }
    }

    /// With faults on demand.
    #[must_use]
    pub fn with_faults(mut self, faults: Option<Arc<Faults>>) -> Self {
        self.faults = faults;
        self
    }

    /// What does faults on demand, if there is a plan.
    pub fn faults(&self) -> Option<&Arc<Faults>> {
        self.faults.as_ref()
    }

    /// Also tells receivers to which traces attempts belong.
    #[must_use]
    pub fn with_propagation(mut self, propagation: Option<Propagation>) -> Self {
        self.propagation = propagation;
        self
    }

    /// Also keeps what it sends.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Option<Arc<Recorder>>) -> Self {
        self.recorder = recorder;
        self
    }

    /// What keeps what is sent, if anything does.
    pub fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    /// Whether requests may be sent to `url`, as its host resolves now; unresolvable is one that
    /// does not within a few seconds of the machine's own time.
    pub async fn check_url(&self, url: &Url) -> Result<(), GuardError> {
        let checked = tokio::time::timeout(LOOKUP, self.transport.check_url(url));
        checked.await.unwrap_or_else(|_| {
            Err(GuardError::Unresolvable {
                host: url.host_str().unwrap_or_default().to_owned(),
                reason: format!("no answer came within {} s", LOOKUP.as_secs()),
                our_shortage: false,
            })
        })
    }

    /// The policy of an endpoint, unless it has left the configuration.
    pub fn policy(&self, endpoint: &Endpoint) -> Option<Arc<Policy>> {
        self.policies.get().get(&endpoint.settings.policy).cloned()
    }

    /// When an attempt that begins at `start` is given up.
    pub fn deadline(&self, settings: &EndpointSettings, start: Timestamp) -> Timestamp {
        start.plus(self.timeout(settings))
    }

    /// How long an attempt may take: as the endpoint says, or its policy.
    pub fn timeout(&self, settings: &EndpointSettings) -> Duration {
        let policies = self.policies.get();
        let policy = policies.get(&settings.policy);
        let timeout = settings.timeout.or(policy.map(|policy| policy.timeout));
        timeout.unwrap_or(TIMEOUT)
    }

    /// Makes one attempt, and says what it means to the policy.
    pub async fn attempt(&self, claim: &Claim) -> (Attempt, Input) {
        if let Some(faults) = &self.faults {
            return faults.attempt(self, claim).await;
        }
        let settings = &claim.endpoint.settings;
        let began = self.began(settings);
        let at = began.moment.now;
        let mut request = self.request(&claim.endpoint, &claim.event, claim.attempt, at);
        if let (Some(propagation), Ok(request)) = (&self.propagation, &mut request)
            && let Some(header) = propagation.header(claim)
        {
            request.headers.insert(TRACEPARENT, header);
        }
        let sent = self.sent(&request, settings);
        let answer = self.send(request, began.deadline).await;
        let ended = self.clock.moment();
        self.record(claim, sent, answer.as_ref().ok());
        Self::conclude(answer, settings, claim.attempt, began.moment, ended)
    }

    async fn send(
        &self,
        request: Result<Request, Unsendable>,
        deadline: Sleep,
    ) -> Result<Answer, Failed> {
        Ok(self.transport.send(request?, deadline).await?)
    }

    /// What is to be recorded of a request, if anything is.
    pub(super) fn sent(
        &self,
        request: &Result<Request, Unsendable>,
        settings: &EndpointSettings,
    ) -> Option<Sent> {
        self.recorder.as_ref()?;
        Sent::of(request.as_ref().ok()?, settings).ok()
    }

    pub(super) fn record(&self, claim: &Claim, sent: Option<Sent>, answer: Option<&Answer>) {
        if let (Some(recorder), Some(sent)) = (&self.recorder, sent) {
            let key = (claim.endpoint.number, claim.event.seq, claim.attempt);
            recorder.keep(key, Record::of(sent, answer, &claim.endpoint.settings));
        }
    }

    /// Sends the profile's test message (HOT-58) once, now; nothing is stored. Says what came back
    /// and whether the policy takes it for a success.
    pub async fn test(&self, endpoint: &Endpoint) -> (Attempt, bool) {
        let began = self.began(&endpoint.settings);
        let started_at = began.moment.now;
        let event = Event {
            id: EventId::new(started_at, 0, 0),
            seq: 0,
            received_at: started_at,
            content: Profile::of(&endpoint.settings.policy).test_event(),
        };
        let request = self.request(endpoint, &event, 1, started_at);
        let answer = self.send(request, began.deadline).await;
        let ended = self.clock.moment();
        let (attempt, input) = Self::conclude(answer, &endpoint.settings, 1, began.moment, ended);
        let success = self
            .policy(endpoint)
            .map_or(Success::Any2xx, |policy| policy.success);
        let delivered = matches!(input, Input::Answer { status, .. } if success.accepts(status));
        (attempt, delivered)
    }

    pub(super) fn began(&self, settings: &EndpointSettings) -> Began {
        Began {
            moment: self.clock.moment(),
            deadline: self.clock.sleep(self.timeout(settings)),
        }
    }

    /// What an attempt came to that ended at `ended`.
    pub(super) fn conclude(
        answer: Result<Answer, Failed>,
        settings: &EndpointSettings,
        number: u32,
        began: Moment,
        ended: Moment,
    ) -> (Attempt, Input) {
        // An attempt takes as long as it takes, even if the clock was set meanwhile.
        let set_ms = ended.stepped_ms.saturating_sub(began.stepped_ms);
        let mut attempt = Attempt {
            number,
            started_at: began.now.moved(set_ms),
            ended_at: ended.now,
            status: None,
            error: None,
            response_excerpt: None,
        };
        let input = match answer {
            Ok(Answer {
                status,
                retry_after,
                excerpt,
                excerpt_is_cut,
                ..
            }) => {
                attempt.status = Some(status);
                attempt.response_excerpt =
                    excerpt.map(|text| masked(text, excerpt_is_cut, settings));
                Input::Answer {
                    status,
                    retry_after,
                }
            }
            Err(failed) => {
                attempt.error = Some(failed.to_string());
                failed.input()
            }
        };
        (attempt, input)
    }

    fn request(
        &self,
        endpoint: &Endpoint,
        event: &Event,
        number: u32,
        at: Timestamp,
    ) -> Result<Request, Unsendable> {
        let settings = &endpoint.settings;
        let outbound = Profile::of(&settings.policy).request(event, settings, at)?;
        self.outgoing.request(endpoint, event, number, outbound)
    }
}
