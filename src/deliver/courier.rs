//! One attempt: the vendor's request, the deadline, the verdict.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Method;
use hyper::header::{
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use url::Url;

use super::confidence::masked;
use super::guard::GuardError;
use super::transport::{Answer, Request, SendError, Transport};
use crate::clock::{Moment, SharedClock, Sleep, Timestamp};
use crate::delivery::Attempt;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::event::Event;
use crate::id::{DeliveryId, EventId};
use crate::policy::{Input, Policies, Policy, Success};
use crate::store::Claim;
use crate::vendor::{KeyError, Profile};

/// What every request says it comes from.
pub const AGENT: &str = concat!("redeliver/", env!("CARGO_PKG_VERSION"));

/// Time for a request under a policy that has left the configuration.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Endpoints whose parsed form is kept; more are parsed again at each attempt.
const PREPARED_LIMIT: usize = 16_384;

/// What comes to the endpoint's own headers: ours, the vendor's, and those that frame the message.
const HEADERS_OF_ATTEMPT: usize = 12;

const EVENT_ID: HeaderName = HeaderName::from_static("redeliver-event-id");
const DELIVERY_ID: HeaderName = HeaderName::from_static("redeliver-delivery-id");
const ATTEMPT: HeaderName = HeaderName::from_static("redeliver-attempt");

/// Makes and sends requests to endpoints.
pub struct Courier {
    pub(super) transport: Transport,
    pub(super) clock: SharedClock,
    policies: Arc<Policies>,
    prepared: Mutex<HashMap<u32, Arc<Prepared>>>,
}

/// What is the same for every attempt at one revision of an endpoint.
struct Prepared {
    revision: u64,
    url: Arc<Url>,
    headers: HeaderMap,
    ca_pem: Option<Arc<str>>,
}

/// The beginning of an attempt, and the end of its time.
struct Began {
    moment: Moment,
    deadline: Sleep,
}

/// A request that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    #[error("the endpoint's URL cannot be used: {0}")]
    Url(#[from] url::ParseError),
    #[error("a header of the endpoint cannot be sent")]
    Header,
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<InvalidHeaderValue> for Unsendable {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Header
    }
}

impl Courier {
    /// A courier that sends by `transport` under `policies`.
    pub fn new(transport: Transport, clock: SharedClock, policies: Arc<Policies>) -> Self {
        Self {
            transport,
            clock,
            policies,
            prepared: Mutex::default(),
        }
    }

    /// Whether requests may be sent to `url`, as its host resolves now.
    pub async fn check_url(&self, url: &Url) -> Result<(), GuardError> {
        self.transport.check_url(url).await
    }

    /// The policy of an endpoint, unless it has left the configuration.
    pub fn policy(&self, endpoint: &Endpoint) -> Option<&Arc<Policy>> {
        self.policies.get(&endpoint.settings.policy)
    }

    /// When an attempt that begins at `start` is given up.
    pub fn deadline(&self, settings: &EndpointSettings, start: Timestamp) -> Timestamp {
        start.plus(self.timeout(settings))
    }

    pub(super) fn timeout(&self, settings: &EndpointSettings) -> Duration {
        let policy = self.policies.get(&settings.policy);
        let timeout = settings.timeout.or(policy.map(|policy| policy.timeout));
        timeout.unwrap_or(TIMEOUT)
    }

    /// Makes one attempt, and says what it means to the policy.
    pub async fn attempt(&self, claim: &Claim) -> (Attempt, Input) {
        let began = self.began(&claim.endpoint.settings);
        let started_at = began.moment.now;
        let request = self.request(&claim.endpoint, &claim.event, claim.attempt, started_at);
        let settings = &claim.endpoint.settings;
        self.send(request, settings, claim.attempt, began).await
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
        let (attempt, input) = self.send(request, &endpoint.settings, 1, began).await;
        let success = self
            .policy(endpoint)
            .map_or(Success::Any2xx, |policy| policy.success);
        let delivered = matches!(input, Input::Answer { status, .. } if success.accepts(status));
        (attempt, delivered)
    }

    fn began(&self, settings: &EndpointSettings) -> Began {
        Began {
            moment: self.clock.moment(),
            deadline: self.clock.sleep(self.timeout(settings)),
        }
    }

    async fn send(
        &self,
        request: Result<Request, Unsendable>,
        settings: &EndpointSettings,
        number: u32,
        began: Began,
    ) -> (Attempt, Input) {
        let started_at = began.moment.now;
        let mut attempt = Attempt {
            number,
            started_at,
            ended_at: started_at,
            status: None,
            error: None,
            response_excerpt: None,
        };
        let answer = match request {
            Ok(request) => {
                let answer = self.transport.send(request, began.deadline).await;
                answer.map_err(|error| match error {
                    // The receiver never heard of it: our shortage burns none of its retries.
                    SendError::Starved(_) => (error.to_string(), Input::Release),
                    error => (error.to_string(), Input::NoAnswer),
                })
            }
            Err(error) => Err((error.to_string(), Input::NoAnswer)),
        };
        let ended = self.clock.moment();
        attempt.ended_at = ended.now;
        // An attempt takes as long as it takes, even if the clock was set meanwhile.
        let set_ms = ended.stepped_ms.saturating_sub(began.moment.stepped_ms);
        attempt.started_at = started_at.moved(set_ms);
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
            Err((error, input)) => {
                attempt.error = Some(error);
                input
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
        let prepared = self.prepare(endpoint)?;
        let outbound =
            Profile::of(&endpoint.settings.policy).request(event, &endpoint.settings, at)?;
        // With room for all, the framing too: a map that grows is laid out anew.
        let mut headers = HeaderMap::with_capacity(prepared.headers.len() + HEADERS_OF_ATTEMPT);
        headers.extend(prepared.headers.clone());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::try_from(&*outbound.content_type)?,
        );
        let delivery = DeliveryId::new(event.id, endpoint.number);
        headers.insert(EVENT_ID, value(&event.id)?);
        headers.insert(DELIVERY_ID, value(&delivery)?);
        headers.insert(ATTEMPT, HeaderValue::from(number));
        for (name, text) in outbound.headers {
            headers.insert(name, HeaderValue::try_from(text)?);
        }
        Ok(Request {
            method: Method::POST,
            url: prepared.url.clone(),
            headers,
            body: outbound.body,
            ca_pem: prepared.ca_pem.clone(),
        })
    }

    fn prepare(&self, endpoint: &Endpoint) -> Result<Arc<Prepared>, Unsendable> {
        let mut kept = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = kept.get(&endpoint.number)
            && prepared.revision == endpoint.revision
        {
            return Ok(prepared.clone());
        }
        let settings = &endpoint.settings;
        let prepared = Arc::new(Prepared {
            revision: endpoint.revision,
            url: Arc::new(Url::parse(&settings.url)?),
            headers: own_headers(settings)?,
            ca_pem: settings.ca_pem.as_deref().map(Arc::from),
        });
        if kept.len() >= PREPARED_LIMIT {
            kept.clear();
        }
        kept.insert(endpoint.number, prepared.clone());
        Ok(prepared)
    }
}

fn value(id: &impl ToString) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::try_from(id.to_string())
}

pub(super) fn own_headers(settings: &EndpointSettings) -> Result<HeaderMap, Unsendable> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, text) in &settings.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| Unsendable::Header)?;
        headers.append(name, HeaderValue::try_from(text.as_str())?);
    }
    Ok(headers)
}
