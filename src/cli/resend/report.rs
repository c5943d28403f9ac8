//! Answers, and how those of two receivers differ.

use std::time::Duration;

use serde_json::{Value, json};

use super::recorded::Recorded;
use crate::cli::Failure;
use crate::cli::output::{self, clean};
use crate::deliver::transport::{Answer, SendError};

/// As much of an answer's body as a line shows.
const EXCERPT_CHARS: usize = 60;

/// What came back from one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    status: Option<u16>,
    error: Option<String>,
    excerpt: Option<String>,
    duration: Duration,
}

/// What came back from one or two.
pub(super) struct Compared {
    pub(super) first: Answered,
    pub(super) second: Option<Answered>,
}

impl Answered {
    pub(super) fn of(answer: Result<Answer, SendError>, duration: Duration) -> Self {
        let (status, error, excerpt) = match answer {
            Ok(answer) => (Some(answer.status), None, answer.excerpt),
            Err(error) => {
                let error = error.to_string();
                let error = error.replace("server.allow_addresses", "--allow-address");
                (None, Some(error), None)
            }
        };
        Self {
            status,
            error,
            excerpt,
            duration,
        }
    }

    fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX)
    }

    fn line(&self) -> String {
        let came = match (self.status, &self.error) {
            (Some(status), _) => status.to_string(),
            (None, error) => clean(error.as_deref().unwrap_or("no answer")),
        };
        let excerpt = self.excerpt.as_deref().map(|text| {
            let cut: String = clean(text).chars().take(EXCERPT_CHARS).collect();
            format!(" ({cut})")
        });
        format!(
            "{came}{} in {} ms",
            excerpt.unwrap_or_default(),
            self.millis()
        )
    }

    fn json(&self) -> Value {
        json!({
            "status": self.status,
            "error": self.error,
            "response_excerpt": self.excerpt,
            "duration_ms": self.millis(),
        })
    }
}

impl Compared {
    /// In what the answers differ. How long they took is shown and never judged.
    fn differs(&self) -> Vec<&'static str> {
        let Some(second) = &self.second else {
            return Vec::new();
        };
        let mut differs = Vec::new();
        // Two that are not there have nothing in common.
        if self.first.status != second.status || second.status.is_none() {
            differs.push("status");
        }
        if self.first.excerpt != second.excerpt {
            differs.push("body");
        }
        differs
    }
}

/// What is printed of all of them.
pub(super) struct Report {
    json: bool,
    sent: usize,
    succeeded: usize,
    compared: bool,
    different: usize,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            sent: 0,
            succeeded: 0,
            compared: false,
            different: 0,
        }
    }

    /// Counts and prints what came back for the n-th request.
    pub(super) fn show(
        &mut self,
        n: usize,
        request: &Recorded,
        compared: &Compared,
    ) -> Result<(), Failure> {
        let differs = compared.differs();
        self.sent += 1;
        self.succeeded += usize::from(compared.first.is_success());
        self.compared |= compared.second.is_some();
        self.different += usize::from(!differs.is_empty());
        if self.json {
            let mut line = json!({
                "request": n,
                "recorded_at": request.at,
                "method": request.method,
                "size": request.body.len(),
                "answer": compared.first.json(),
            });
            if let Some(second) = &compared.second {
                line["against"] = second.json();
                line["differs"] = json!(differs);
            }
            return output::line(&line.to_string());
        }
        let (method, size) = (&request.method, request.body.len());
        let first = compared.first.line();
        output::line(&match &compared.second {
            None => format!("#{n} {method} {size} bytes: {first}"),
            Some(second) => {
                let verdict = match differs.is_empty() {
                    true => "the same".to_owned(),
                    false => format!("DIFFERENT {}", differs.join(" and ")),
                };
                format!(
                    "#{n} {method} {size} bytes: {first} | {}: {verdict}",
                    second.line()
                )
            }
        })
    }

    /// The last line.
    pub(super) fn summary(&self) -> Result<(), Failure> {
        let Self {
            sent,
            succeeded,
            different,
            ..
        } = self;
        if self.json {
            let mut summary = json!({ "sent": sent, "succeeded": succeeded });
            if self.compared {
                summary["different"] = json!(different);
            }
            return output::line(&json!({ "summary": summary }).to_string());
        }
        output::line(&match self.compared {
            false => format!("requests: {sent} sent, {succeeded} answered with success"),
            true => format!("requests: {sent} sent to each, {different} answered differently"),
        })
    }

    /// Whether the answers are as they should be: the same, or else successes.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let Self {
            sent,
            succeeded,
            different,
            ..
        } = self;
        match self.compared {
            true if *different > 0 => Err(Failure::Check(format!(
                "{different} of {sent} requests were answered differently"
            ))),
            false if succeeded < sent => Err(Failure::Check(format!(
                "{} of {sent} requests were not answered with success",
                sent - succeeded
            ))),
            _ => Ok(()),
        }
    }
}
