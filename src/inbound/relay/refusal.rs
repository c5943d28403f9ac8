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
        let reason = match problem.status {
            StatusCode::BAD_REQUEST => Reason::Malformed,
            StatusCode::REQUEST_TIMEOUT => Reason::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Reason::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Reason::Unsupported,
            StatusCode::UNPROCESSABLE_ENTITY => Reason::Invalid,
            StatusCode::SERVICE_UNAVAILABLE => Reason::Unavailable,
            StatusCode::INSUFFICIENT_STORAGE => Reason::DiskFull,
            _ => Reason::Failed,
        };
        Self { reason, problem }
    }
}
