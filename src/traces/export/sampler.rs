//! Which traces are recorded. Pure.

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry_sdk::trace::{Sampler as Sdk, SamplingDecision, ShouldSample};

use crate::traces::settings::Sampling;

/// Says so by a trace's id alone, so that all its spans are recorded, or none is.
#[derive(Clone, Debug)]
pub struct Sampler(Sdk);

impl Sampler {
    /// One that samples so.
    pub fn new(sampling: Sampling) -> Self {
        Self(match sampling {
            Sampling::All => Sdk::AlwaysOn,
            Sampling::None => Sdk::AlwaysOff,
            Sampling::Ratio(ratio) => Sdk::TraceIdRatioBased(ratio),
        })
    }

    /// Whether this trace is recorded.
    pub fn takes(&self, trace: u128) -> bool {
        let trace = TraceId::from_bytes(trace.to_be_bytes());
        let asked = self
            .0
            .should_sample(None, trace, "", &SpanKind::Internal, &[], &[]);
        asked.decision == SamplingDecision::RecordAndSample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::EventId;
    use crate::trace::TraceContext;

    #[test]
    fn a_ratio_takes_about_that_part_of_events_that_follow_one_another() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let taken = |sampling| {
            let sampler = Sampler::new(sampling);
            let traces = (1..=10_000).map(|seq| TraceContext::of_event(EventId::new(at, seq, 7)));
            traces.filter(|it| sampler.takes(it.trace)).count()
        };
        assert_eq!(taken(Sampling::All), 10_000);
        assert_eq!(taken(Sampling::None), 0);
        let quarter = taken(Sampling::Ratio(0.25));
        assert!((2_300..=2_700).contains(&quarter), "{quarter}");
    }
}
