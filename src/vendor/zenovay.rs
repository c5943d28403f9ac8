//! Zenovay: the contract of its external API, as a server of ours keeps it (ZRT, ZSS, X-05 to X-14),
//! and as a client of it does. Pure: what is asked, what may be asked how often, and the words of every answer.
//!
//! | file | what is in it |
//! |---|---|
//! | `zenovay.rs` | the envelope, and refusals |
//! | [`query`] | ranges, limits, offsets, statuses |
//! | [`bodies`] | what is in the envelope |
//! | [`polling`], [`pace`], [`polled`] | the other side: what a client asks, how often, and what it takes from the answers |

pub mod bodies;
pub mod pace;
pub mod polled;
pub mod polling;
pub mod query;

use serde::Serialize;

use crate::clock::Timestamp;

pub use query::{Query, Range};

/// What a request is refused for. The status is not in the body (X-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A parameter has no such value.
    Validation,
    /// No key, or one that nobody has.
    Unauthorized,
    /// No such website for this key, or no such path.
    NotFound,
    /// Not a GET; the vendor has no code for it.
    MethodNotAllowed,
    /// Too many requests in this minute.
    RateLimited,
    /// Not now; the vendor has no code for it.
    Unavailable,
    /// The fault is ours.
    Internal,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Validation => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The word in the body.
    pub fn word(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::RateLimited => "RATE_LIMIT_EXCEEDED",
            Self::Unavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL_ERROR",
        }
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What for.
    pub code: Code,
    /// In words.
    pub message: String,
    /// When to come again, in whole seconds: the vendor's clients read it as an integer (ZSS-06).
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal for `code`, explained by `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A refusal for now: it may work in so many seconds, at least one.
    #[must_use]
    pub fn again_in(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// More requests than `limit` in a minute; there will be room in `wait` seconds.
    pub fn too_many(limit: u32, wait: u64) -> Self {
        let unit = if wait == 1 { "second" } else { "seconds" };
        let message =
            format!("Rate limit exceeded ({limit} requests/minute). Try again in {wait} {unit}");
        Self::new(Code::RateLimited, message).again_in(wait)
    }

    /// No such website, or not for this key: nobody is told which.
    pub fn no_website() -> Self {
        Self::new(Code::NotFound, "Website not found")
    }

    /// No key, or a wrong one.
    pub fn no_key() -> Self {
        Self::new(Code::Unauthorized, "Invalid API key")
    }

    /// The body at `now`.
    pub fn body(&self, now: Timestamp) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            success: bool,
            error: Words<'a>,
        }
        #[derive(Serialize)]
        struct Words<'a> {
            message: &'a str,
            code: &'static str,
            timestamp: Timestamp,
        }
        json(&Body {
            success: false,
            error: Words {
                message: &self.message,
                code: self.code.word(),
                timestamp: now,
            },
        })
    }
}

/// The body of a success at `now` (ZSS-03).
pub fn success(data: &impl Serialize, now: Timestamp) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a, T> {
        success: bool,
        data: &'a T,
        timestamp: Timestamp,
    }
    json(&Body {
        success: true,
        data,
        timestamp: now,
    })
}

fn json(body: &impl Serialize) -> Vec<u8> {
    // What is serialized here has text keys only.
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_770_465_600_000);

    #[test]
    fn x_05_a_refusal_has_a_message_a_code_and_the_time_but_no_status() {
        assert_eq!(
            String::from_utf8(Refusal::no_key().body(NOW)).unwrap(),
            r#"{"success":false,"error":{"message":"Invalid API key","code":"UNAUTHORIZED","timestamp":"2026-02-07T12:00:00.000Z"}}"#
        );
    }

    #[test]
    fn zss_03_a_success_has_its_data_and_the_time() {
        assert_eq!(
            String::from_utf8(success(&[1], NOW)).unwrap(),
            r#"{"success":true,"data":[1],"timestamp":"2026-02-07T12:00:00.000Z"}"#
        );
    }

    #[test]
    fn zss_06_nobody_is_told_to_come_again_in_no_time() {
        let refusal = Refusal::new(Code::Unavailable, "not yet").again_in(0);
        assert_eq!(refusal.retry_after, Some(1));
    }
}
