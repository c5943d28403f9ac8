//! What tells a request from every other one, in its answer and in the log.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::trace::{TRACEPARENT, TraceContext};

/// Where a request brings its id, and where its answer has it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a request: it stands in every line about it.
const LEN_MAX: usize = 128;

/// Makes the ids of requests that bring none.
#[derive(Debug)]
pub struct RequestIds {
    seed: u64,
    made: AtomicU64,
}

impl RequestIds {
    /// Ids of which another process makes none; `seed` is by chance.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            made: AtomicU64::new(0),
        }
    }

    /// The request's own id, if it has one that is fit for a log: `x-request-id`, else the trace of
    /// `traceparent` (W3C Trace Context). Otherwise one that is made here.
    pub fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let own = headers.get(REQUEST_ID).filter(|id| is_fit(id.as_bytes()));
        if let Some(id) = own {
            return id.clone();
        }
        let trace = headers.get(TRACEPARENT).and_then(trace);
        trace.unwrap_or_else(|| self.make())
    }

    fn make(&self) -> HeaderValue {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mut text = String::with_capacity(32);
        // A String takes everything.
        let _ = write!(text, "{:016x}{number:016x}", self.seed);
        // Hexadecimal digits are fit for a header.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }
}

fn is_fit(id: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte);
    (1..=LEN_MAX).contains(&id.len()) && id.iter().all(known)
}

fn trace(header: &HeaderValue) -> Option<HeaderValue> {
    let context: TraceContext = header.to_str().ok()?.parse().ok()?;
    HeaderValue::try_from(format!("{:032x}", context.trace)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        let id = RequestIds::new(7).of(&headers);
        id.to_str().unwrap().to_owned()
    }

    #[test]
    fn an_id_that_is_fit_is_kept_and_any_other_is_replaced() {
        let made = "00000000000000070000000000000000";
        for fit in ["5f1d", "a/b:c=d+e_f.g-h", &"x".repeat(128)] {
            assert_eq!(of("x-request-id", fit.as_bytes()), fit);
        }
        for unfit in ["", "two words", "a\"b", &"x".repeat(129), "a\tb"] {
            assert_eq!(of("x-request-id", unfit.as_bytes()), made);
        }
        assert_eq!(of("x-request-id", "é".as_bytes()), made);
    }

    #[test]
    fn the_trace_of_a_traceparent_is_an_id() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let made = "00000000000000070000000000000000";
        for (parent, id) in [
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                trace,
            ),
            (
                "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
                trace,
            ),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
                made,
            ),
            (
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                made,
            ),
            (
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                made,
            ),
            (
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                made,
            ),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                made,
            ),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-01", made),
            ("", made),
        ] {
            assert_eq!(of("traceparent", parent.as_bytes()), id, "{parent}");
        }
    }

    #[test]
    fn no_two_ids_that_are_made_are_the_same() {
        let ids = RequestIds::new(1);
        let made: std::collections::HashSet<_> =
            (0..1000).map(|_| ids.of(&HeaderMap::new())).collect();
        assert_eq!(made.len(), 1000);
    }
}
