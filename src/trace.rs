//! Traces: which one an event belongs to, and how a place in one is written (W3C Trace Context).
//!
//! An event is one trace, from its receipt to its last attempt, however many restarts lie between.
//! Nothing is stored for it: every id follows from the event's own.

use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

use hyper::header::HeaderName;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::id::EventId;

/// Where a request says to which trace it belongs.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Any number will do, but it has to stay: a trace outlives the process that began it.
const KEY: (u64, u64) = (0x7265_6465_6c69_7665, 0x722d_7472_6163_6573);

/// A place in a trace: a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never 0.
    pub trace: u128,
    /// The span; never 0.
    pub span: u64,
    /// Whether the one who says so may have recorded it.
    pub is_sampled: bool,
}

impl TraceContext {
    /// The beginning of an event's trace. Hashed, not the event's id itself: samplers take the
    /// right half of a trace's id for random, where an event's id has its position.
    pub fn of_event(event: EventId) -> Self {
        Self {
            trace: hash(event, None).max(1),
            span: span(event, (0, 0)),
            is_sampled: true,
        }
    }

    /// The beginning of a trace that is no event's: number `number` of the process that drew `seed`.
    pub fn made(seed: u64, number: u64) -> Self {
        let mut hasher = SipHasher13::new_with_keys(seed, KEY.1);
        hasher.write(&number.to_le_bytes());
        let trace = hasher.finish128().as_u128().max(1);
        hasher.write(&[0]);
        Self {
            trace,
            span: (hasher.finish128().as_u128() as u64).max(1),
            is_sampled: true,
        }
    }

    /// Attempt `number` (from 1) at bringing the event to the endpoint of that number. One that is
    /// repeated after a crash, under the same number, is the same span.
    pub fn of_attempt(event: EventId, endpoint: u32, number: u32) -> Self {
        Self {
            span: span(event, (endpoint, number)),
            ..Self::of_event(event)
        }
    }
}

/// Attempts are numbered from 1, so that (0, 0) is the event's own.
fn span(event: EventId, attempt: (u32, u32)) -> u64 {
    (hash(event, Some(attempt)) as u64).max(1)
}

fn hash(event: EventId, attempt: Option<(u32, u32)>) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
    // By bytes: they are the same on every machine.
    hasher.write(&event.bits().to_le_bytes());
    if let Some((endpoint, number)) = attempt {
        hasher.write(&endpoint.to_le_bytes());
        hasher.write(&number.to_le_bytes());
    }
    hasher.finish128().as_u128()
}

/// As a `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, .. } = self;
        write!(
            f,
            "00-{trace:032x}-{span:016x}-{:02x}",
            u8::from(self.is_sampled)
        )
    }
}

/// A text that is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no traceparent of the form 00-TRACE-SPAN-FLAGS")]
pub struct InvalidTraceparent;

/// Of `00-TRACE-SPAN-FLAGS`, or of what a later version begins with.
impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        read(text).ok_or(InvalidTraceparent)
    }
}

fn read(text: &str) -> Option<TraceContext> {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, len| {
        let part = part?;
        // Capitals are refused by the specification.
        let hex = part
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(part, 16).ok();
        number.filter(|_| part.len() == len && hex)
    };
    let version = digits(parts.next(), 2)?;
    let trace = digits(parts.next(), 32)?;
    let span = digits(parts.next(), 16)? as u64;
    let flags = digits(parts.next(), 2)?;
    let more = parts.next().is_some();
    let wrong = version == 0xff || trace == 0 || span == 0 || (more && version == 0);
    (!wrong).then_some(TraceContext {
        trace,
        span,
        is_sampled: flags & 1 == 1,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::clock::Timestamp;

    fn event(seq: u64) -> EventId {
        EventId::new(Timestamp::from_millis(1_700_000_000_000), seq, 9)
    }

    #[test]
    fn the_trace_of_an_event_is_the_same_in_every_version() {
        let told = [
            TraceContext::of_event(event(77)).to_string(),
            TraceContext::of_attempt(event(77), 3, 2).to_string(),
        ];
        assert_eq!(
            told,
            [
                "00-da075df02ae5b7b8936aca668ec8075e-8f7b9d37bbd8d6fe-01",
                "00-da075df02ae5b7b8936aca668ec8075e-d144aec5bd83c228-01",
            ]
        );
    }

    #[test]
    fn attempts_share_their_events_trace_and_are_spans_of_their_own() {
        let root = TraceContext::of_event(event(1));
        let mut spans = HashSet::from([root.span]);
        for (endpoint, number) in [(0, 1), (1, 1), (1, 2), (2, 1)] {
            let attempt = TraceContext::of_attempt(event(1), endpoint, number);
            assert_eq!(attempt.trace, root.trace);
            assert!(spans.insert(attempt.span));
        }
        assert_ne!(TraceContext::of_event(event(2)).trace, root.trace);
    }

    #[test]
    fn a_tenth_of_the_traces_is_below_a_tenth_of_the_numbers_that_samplers_compare() {
        let below = |seq: &u64| {
            let right = TraceContext::of_event(event(*seq)).trace as u64;
            right < u64::MAX / 10
        };
        let count = (1..=10_000).filter(below).count();
        assert!((900..=1_100).contains(&count), "{count}");
    }

    #[test]
    fn a_traceparent_is_read_as_it_is_written_and_nothing_else_is() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read: TraceContext = text.parse().unwrap();
        assert_eq!((read.to_string(), read.is_sampled), (text.to_owned(), true));
        let unsampled = text.replace("-01", "-00").parse::<TraceContext>();
        assert!(!unsampled.unwrap().is_sampled);
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what";
        assert_eq!(later.parse(), Ok(read));
        for wrong in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-+0f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-01",
            "",
        ] {
            assert_eq!(
                wrong.parse::<TraceContext>(),
                Err(InvalidTraceparent),
                "{wrong}"
            );
        }
    }
}
