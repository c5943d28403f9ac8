//! What has come in through one source since the start, and what was refused and why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;

use crate::clock::Timestamp;

/// How much of a refusal's words is kept: a stranger has a part in them.
const DETAIL_MAX_CHARS: usize = 300;

/// Why a request was refused. There are only these, so a tally never grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No credentials or no signature, or wrong credentials.
    Unauthenticated,
    /// A signature that is not the body's under the source's key.
    Forged,
    /// Signed rightly, but too long ago or ahead of time: perhaps a replay.
    Stale,
    /// A web page of another site, at a source that anybody may speak to.
    ForeignPage,
    /// Another method than the source takes.
    Method,
    /// Not in the form at all.
    Malformed,
    /// In the right form, but its fields are not right.
    Invalid,
    /// Another media type than the source takes.
    Unsupported,
    /// Too many bytes or events.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// More requests than a minute may have.
    TooMany,
    /// No room, or shutting down.
    Unavailable,
    /// No room on the disk.
    DiskFull,
    /// The fault is ours.
    Failed,
}

impl Reason {
    /// What an answer with this status is counted as, where nothing more is known of it.
    pub fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::METHOD_NOT_ALLOWED => Self::Method,
            StatusCode::BAD_REQUEST => Self::Malformed,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::Unsupported,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Invalid,
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::INSUFFICIENT_STORAGE => Self::DiskFull,
            _ => Self::Failed,
        }
    }

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forged => "forged",
            Self::Stale => "stale",
            Self::ForeignPage => "foreign_page",
            Self::Method => "method",
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
            Self::DiskFull => "disk_full",
            Self::Failed => "failed",
        }
    }
}

/// The counts of one source.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

/// What there is to see of a source.
pub struct Seen<'a> {
    /// Its name.
    pub name: &'a str,
    /// What speaks to it.
    pub kind: &'static str,
    /// Where it is spoken to.
    pub path: String,
    /// What has come in since the start.
    pub counts: Counts,
}

/// What a tally has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that went into the log.
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Requests that were refused.
    pub refused: BTreeMap<Reason, u64>,
    /// The last of these: when, and its words, which hold no secret.
    pub last_refusal: Option<(Timestamp, String)>,
}

impl Tally {
    /// Counts events that are on disk.
    pub fn accept(&self, accepted: u64, duplicates: u64) {
        let mut counts = self.lock();
        counts.accepted += accepted;
        counts.duplicates += duplicates;
    }

    /// Counts a refusal at `now`, told in the words of `detail`.
    pub fn refuse(&self, reason: Reason, detail: &str, now: Timestamp) {
        let detail = detail.chars().take(DETAIL_MAX_CHARS).collect();
        let mut counts = self.lock();
        *counts.refused.entry(reason).or_default() += 1;
        counts.last_refusal = Some((now, detail));
    }

    /// What it has come to.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_by_reason_and_the_last_one_is_kept_in_bounded_words() {
        let tally = Tally::default();
        tally.accept(3, 1);
        let at = Timestamp::from_millis;
        tally.refuse(Reason::Forged, "first", at(1));
        tally.refuse(Reason::Stale, "second", at(2));
        tally.refuse(Reason::Forged, &"é".repeat(1000), at(3));
        let counts = tally.counts();
        assert_eq!((counts.accepted, counts.duplicates), (3, 1));
        assert_eq!(
            counts.refused,
            BTreeMap::from([(Reason::Forged, 2), (Reason::Stale, 1)])
        );
        let last = "é".repeat(DETAIL_MAX_CHARS);
        assert_eq!(counts.last_refusal, Some((at(3), last)));
    }
}
