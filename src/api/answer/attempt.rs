//! The tries of a delivery, as they are answered, and what ended it without one.

use schemars::JsonSchema;
use serde::Serialize;

use super::evidence::Evidence;
use crate::clock::Timestamp;
use crate::delivery;

/// That a delivery became a dead letter before its policy gave it up.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GivenUp {
    at: Timestamp,
    /// Why, in words.
    reason: String,
}

impl GivenUp {
    pub(in crate::api) fn of(record: &delivery::Attempt) -> Option<Self> {
        Some(Self {
            at: record.ended_at,
            reason: record.given_up_words()?.to_owned(),
        })
    }
}

/// One try of a delivery.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Attempt {
    /// From 1, over every round.
    number: u32,
    started_at: Timestamp,
    ended_at: Timestamp,
    /// By the broker's clock, as the two moments are.
    duration_ms: u64,
    /// The HTTP status, if an answer came.
    status: Option<u16>,
    /// What went wrong, if no usable answer came.
    error: Option<String>,
    /// The start of the answer's body, at most 4 KiB.
    response_excerpt: Option<String>,
    #[serde(flatten)]
    pub(in crate::api) evidence: Option<Evidence>,
}

impl Attempt {
    /// As it is answered.
    pub fn of(attempt: &delivery::Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            duration_ms: u64::try_from(attempt.duration().as_millis()).unwrap_or(u64::MAX),
            status: attempt.status,
            error: attempt.error.clone(),
            response_excerpt: attempt.response_excerpt.clone(),
            evidence: None,
        }
    }
}
