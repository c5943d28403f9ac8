//! Why a request to a source is refused, for its sender and for the tally.

use axum::http::HeaderValue;
use hyper::StatusCode;
use hyper::header::{ALLOW, WWW_AUTHENTICATE};

use crate::inbound::problem::Problem;
use crate::inbound::tally::Reason;
use crate::vendor::VerifyError;

/// A refusal: what is answered, and what it is counted as.
#[derive(Debug)]
pub struct Refusal {
    /// What it is counted as.
    pub reason: Reason,
    /// What is answered.
    pub problem: Problem,
}

impl Refusal {
    /// 401: who sends it does not show that they may. `challenges` are the ways to.
    pub fn unauthenticated(detail: &str, challenges: &[&'static str]) -> Self {
        Self {
            reason: Reason::Unauthenticated,
            problem: unauthorized(detail, challenges),
        }
    }

    /// 405: the source takes only the methods in `allowed`.
    pub fn method(detail: String, allowed: &'static str) -> Self {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        Self {
            reason: Reason::Method,
            problem: problem.with_header(ALLOW, HeaderValue::from_static(allowed)),
        }
    }

    /// 403: a web page of another site.
    pub fn foreign_page(problem: Problem) -> Self {
        Self {
            reason: Reason::ForeignPage,
            problem,
        }
    }

    /// What is wrong with a signature, `challenge` being the way to sign: 401 where it is missing
    /// or wrong, 403 where it is right and its time is not, 400 where there is no time.
    pub fn signature(error: &VerifyError, challenge: &'static str) -> Self {
        let detail = error.to_string();
        let (reason, problem) = match error {
            VerifyError::Missing => (Reason::Unauthenticated, unauthorized(&detail, &[challenge])),
            VerifyError::Malformed { .. } | VerifyError::Mismatch | VerifyError::DottedId => {
                (Reason::Forged, unauthorized(&detail, &[challenge]))
            }
            VerifyError::Stale { .. } | VerifyError::Future { .. } => {
                (Reason::Stale, Problem::new(StatusCode::FORBIDDEN, detail))
            }
            VerifyError::NoTimestamp => (Reason::Malformed, Problem::malformed(detail)),
            VerifyError::Key(_) => (Reason::Failed, Problem::internal(detail)),
        };
        Self { reason, problem }
    }
}

fn unauthorized(detail: &str, challenges: &[&'static str]) -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, detail);
    challenges.iter().fold(problem, |problem, challenge| {
        problem.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    })
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let reason = Reason::of(problem.status);
        Self { reason, problem }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::header::HeaderName;

    use super::*;
    use crate::store::{AppendError, StoreError};

    #[test]
    fn what_the_store_and_the_reading_refuse_is_counted_by_its_status() {
        for (problem, reason) in [
            (AppendError::Full.into(), Reason::Unavailable),
            (
                AppendError::DiskFull { reserve_bytes: 1 }.into(),
                Reason::DiskFull,
            ),
            (StoreError::Read("EIO".into()).into(), Reason::Failed),
            (Problem::malformed("x"), Reason::Malformed),
            (Problem::field("/a", "x"), Reason::Invalid),
            (Problem::unsupported("x"), Reason::Unsupported),
            (
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "x"),
                Reason::TooLarge,
            ),
            (
                Problem::new(StatusCode::REQUEST_TIMEOUT, "x"),
                Reason::TooSlow,
            ),
        ] {
            assert_eq!(Refusal::from(problem).reason, reason);
        }
    }

    #[test]
    fn hot_34_a_wrong_signature_is_401_and_a_right_one_at_the_wrong_time_403() {
        use axum::response::IntoResponse;
        let (age, allowed) = (Duration::from_secs(301), Duration::from_secs(300));
        for (error, status, reason) in [
            (VerifyError::Missing, 401, Reason::Unauthenticated),
            (VerifyError::Mismatch, 401, Reason::Forged),
            (VerifyError::DottedId, 401, Reason::Forged),
            (
                VerifyError::Malformed { expected: "x" },
                401,
                Reason::Forged,
            ),
            (VerifyError::Stale { age, allowed }, 403, Reason::Stale),
            (
                VerifyError::Future {
                    ahead: age,
                    allowed,
                },
                403,
                Reason::Stale,
            ),
            (VerifyError::NoTimestamp, 400, Reason::Malformed),
        ] {
            let refusal = Refusal::signature(&error, "x realm=\"y\"");
            assert_eq!(refusal.reason, reason);
            let response = refusal.problem.into_response();
            assert_eq!(response.status().as_u16(), status);
            let challenge = HeaderName::from_static("www-authenticate");
            assert_eq!(response.headers().contains_key(challenge), status == 401);
        }
    }
}
