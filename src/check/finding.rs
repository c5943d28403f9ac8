//! What was found.

use std::time::Duration;

use super::crafted::Crafted;
use super::duty::Duty;
use super::judge::Reply;

/// What is to be said of one duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is fulfilled.
    Passed,
    /// It is not, for this reason.
    Failed(String),
    /// Nobody can tell, for this reason.
    NotJudged(String),
    /// It was not asked for.
    Skipped,
}

impl Verdict {
    /// Its name in reports: stable.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotJudged(_) => "not_judged",
            Self::Skipped => "skipped",
        }
    }

    /// Why, if there is more to say.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) | Self::NotJudged(reason) => Some(reason),
            Self::Passed | Self::Skipped => None,
        }
    }
}

/// A request, and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Crafted,
    /// What came back.
    pub reply: Reply,
    /// How many such requests were under way at the same time.
    pub at_once: usize,
}

impl Exchange {
    /// A request that was alone.
    pub fn new(request: Crafted, reply: Reply) -> Self {
        Self {
            request,
            reply,
            at_once: 1,
        }
    }
}

/// What was found of one duty.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The duty.
    pub duty: Duty,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// The duty that stands in its way, where one does; the verdict is then that nobody can tell.
    pub blocked_by: Option<String>,
    /// What else was seen.
    pub notes: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// What shows it, in order; for duties that are not fulfilled.
    pub evidence: Vec<Exchange>,
}

impl Finding {
    /// A duty that nothing was sent for.
    pub fn unseen(duty: Duty, verdict: Verdict) -> Self {
        Self {
            duty,
            verdict,
            blocked_by: None,
            notes: Vec::new(),
            took: Duration::ZERO,
            evidence: Vec::new(),
        }
    }
}
