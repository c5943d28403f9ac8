//! One attempt in one line. Pure.

use std::time::Duration;

use serde_json::json;

use crate::cli::output::clean;
use crate::clock::Timestamp;
use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::duration::format_duration;
use crate::endpoint::EndpointState;
use crate::fault::Fault;

/// As much of an answer's body as a line shows.
const EXCERPT_CHARS: usize = 60;

/// An attempt that has ended, and what is known of it.
pub(super) struct Line<'a> {
    pub(super) ended: &'a Ended,
    /// eSputnik's status of the activity.
    pub(super) activity: Option<&'a str>,
    /// What it suffered on purpose; none where nothing is planned.
    pub(super) faults: Option<Vec<Fault>>,
    /// How the endpoint stands behind it.
    pub(super) endpoint: EndpointState,
}

impl Line<'_> {
    /// For machines.
    pub(super) fn json(&self) -> String {
        let (ended, attempt) = (self.ended, &self.ended.attempt);
        let duration_ms = u64::try_from(attempt.duration().as_millis());
        json!({
            "at": attempt.started_at,
            "event": ended.event,
            "seq": ended.event.seq(),
            "delivery": ended.delivery,
            "type": ended.kind,
            "activity_status": self.activity,
            "attempt": attempt.number,
            "status": attempt.status,
            "error": attempt.error,
            "duration_ms": duration_ms.unwrap_or(u64::MAX),
            "response_excerpt": attempt.response_excerpt,
            "outcome": ended.status.as_str(),
            "next_attempt_at": ended.next_attempt_at,
            "faults": self.faults,
            "endpoint_state": self.endpoint,
        })
        .to_string()
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (ended, attempt) = (self.ended, &self.ended.attempt);
        let label = match self.activity {
            Some(activity) => format!("{} {activity}", ended.kind),
            None => ended.kind.to_string(),
        };
        format!(
            "{}  #{} {:24}  attempt {}  {}  {}{}",
            time_of_day(attempt.started_at),
            ended.event.seq(),
            clean(&label),
            attempt.number,
            self.came(),
            self.next(),
            self.done(),
        )
    }

    fn came(&self) -> String {
        let attempt = &self.ended.attempt;
        let excerpt = attempt.response_excerpt.as_deref();
        let excerpt = excerpt.filter(|_| self.ended.status != Status::Delivered);
        let excerpt = excerpt.map(|text| {
            let cut: String = clean(text).chars().take(EXCERPT_CHARS).collect();
            format!(" ({cut})")
        });
        match (attempt.status, &attempt.error) {
            (Some(status), _) => format!("{status}{}", excerpt.unwrap_or_default()),
            (None, Some(error)) => clean(error),
            (None, None) => "no answer".to_owned(),
        }
    }

    fn next(&self) -> String {
        let ended = self.ended;
        let after = match (ended.status, ended.next_attempt_at) {
            (Status::Delivered, _) => "delivered".to_owned(),
            (Status::Dead, _) => "given up".to_owned(),
            (Status::Removed, _) => "the endpoint is removed".to_owned(),
            (_, Some(next)) => {
                let seconds = next.since(ended.attempt.ended_at).as_secs();
                let after = format_duration(Duration::from_secs(seconds));
                format!("again after {after}, at {}", time_of_day(next))
            }
            (_, None) => "again".to_owned(),
        };
        match self.endpoint {
            EndpointState::Paused => format!("{after}; the endpoint is paused"),
            _ => after,
        }
    }

    fn done(&self) -> String {
        let faults = self.faults.iter().flatten();
        let faults: Vec<_> = faults.map(Fault::to_string).collect();
        match faults.is_empty() {
            true => String::new(),
            false => format!("  [{}]", faults.join(", ")),
        }
    }
}

/// `22:10:05.123` of the time's text form.
fn time_of_day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}
