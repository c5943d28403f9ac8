//! Which receivers are told to which trace an attempt belongs.

use hyper::header::HeaderValue;

use crate::store::Claim;
use crate::trace::TraceContext;

/// In the place of a name: every endpoint.
const EVERY: &str = "*";

/// Whether an event's trace is recorded.
pub type Sampled = Box<dyn Fn(&TraceContext) -> bool + Send + Sync>;

/// Tells receivers of traces, those of the endpoints that the operator named: what a vendor sends
/// has exactly that vendor's headers, and no endpoint is named by itself.
pub struct Propagation {
    endpoints: Vec<String>,
    sampled: Sampled,
}

impl Propagation {
    /// To `endpoints`, by their names; `*` is all of them.
    pub fn new(endpoints: Vec<String>, sampled: Sampled) -> Self {
        Self { endpoints, sampled }
    }

    /// The `traceparent` of this attempt, if its receiver is told.
    pub(super) fn header(&self, claim: &Claim) -> Option<HeaderValue> {
        let name = &claim.endpoint.settings.name;
        let is_told = |told: &String| told == EVERY || told == name;
        if !self.endpoints.iter().any(is_told) {
            return None;
        }
        let (event, number) = (claim.event.id, claim.attempt);
        let mut context = TraceContext::of_attempt(event, claim.endpoint.number, number);
        context.is_sampled = (self.sampled)(&context);
        HeaderValue::try_from(context.to_string()).ok()
    }
}
