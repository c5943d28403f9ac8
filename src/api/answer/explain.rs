//! Why a delivery is where it is: which rule, which attempt, when next. Pure.

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::duration::format_duration;
use crate::endpoint::{EndpointState, FilterOn, Order};
use crate::policy::Policy;
use crate::store::DeliveryView;
use crate::words::{listed, quoted};

/// The explanation, in one or two sentences. `policy` is none if the configuration no longer has
/// it.
pub fn explain(view: &DeliveryView, policy: Option<&Policy>, now: Timestamp) -> String {
    let settings = &view.endpoint.settings;
    let name = quoted(&settings.policy);
    let last = view.attempts.last();
    match view.status {
        Status::Pending => {
            let turn = match (settings.order, view.behind) {
                (Order::InOrder, behind) => {
                    let behind = behind.map(|head| format!("; now it waits behind {head}"));
                    format!(
                        "it goes as soon as the events before it are delivered, for this endpoint's \
                         policy sends in order{}",
                        behind.unwrap_or_default()
                    )
                }
                (Order::Independent, _) => {
                    "it is due now and goes when an attempt is free".to_owned()
                }
            };
            let was_given_up = last.is_some_and(|last| last.given_up().is_some());
            let tried = match view.attempt_count {
                0 => "not yet attempted".to_owned(),
                count if was_given_up => format!(
                    "put back after it was given up; attempt {} is next",
                    count + 1
                ),
                count => format!(
                    "put back after attempt {count}; attempt {} is next",
                    count + 1
                ),
            };
            format!("{tried}; {}", unless_paused(view, turn))
        }
        Status::Waiting => {
            let failed = match last {
                Some(last) => format!("{} {}", round(view, policy), failure(last)),
                None => format!("{} failed", round(view, policy)),
            };
            let when = match (view.next_attempt_at, last) {
                (Some(due), _) if due <= now => format!("retry {} is due now", view.failures),
                (Some(due), Some(last)) => format!(
                    "retry {} leaves {} after that failure, at {due}, as policy {name} says",
                    view.failures,
                    format_duration(due.since(last.ended_at)),
                ),
                (Some(due), None) => format!("retry {} leaves at {due}", view.failures),
                (None, _) => format!("retry {} follows", view.failures),
            };
            let blocking = match settings.order {
                Order::InOrder => "; later events of this endpoint wait for it",
                Order::Independent => "",
            };
            format!("{failed}; {}{blocking}", unless_paused(view, when))
        }
        Status::InFlight => format!("attempt {} is under way", view.attempt_count + 1),
        Status::Delivered => match last {
            Some(last) => format!(
                "attempt {} was answered {} at {}, which policy {name} counts as delivered",
                last.number,
                last.status.unwrap_or_default(),
                last.ended_at
            ),
            None => "delivered".to_owned(),
        },
        Status::Dead if view.given_up().is_some() => given_up(view),
        Status::Dead => {
            let rule = match policy.and_then(|policy| policy.give_up_after) {
                Some(limit) => format!("policy {name} gives up after {limit}"),
                None => format!("policy {name} gave up"),
            };
            let failed = last.map_or_else(
                || "the last attempt failed".to_owned(),
                |last| format!("attempt {} {}", last.number, failure(last)),
            );
            let mend = unless_removed(view, "a retry or a replay sends it again");
            format!("{failed}, and {rule}; {mend}")
        }
        Status::Removed if view.is_discarded() => {
            let why = last.and_then(|last| last.error.as_deref());
            let why = why.unwrap_or("not attempted: an operator discarded it");
            format!("{why}; a retry or a replay sends it again")
        }
        Status::Removed => {
            // It may have been delivered before it was put back; which statuses are, policies differ in.
            let answer = last.and_then(|last| last.status);
            let before = match answer.is_some_and(|status| status < 400) {
                true => "its endpoint was removed before it was sent again",
                false => "its endpoint was removed before it was delivered",
            };
            match &view.endpoint.state_reason {
                Some(reason) => format!("{before}: {reason}"),
                None => before.to_owned(),
            }
        }
        Status::Filtered => filtered(view),
    }
}

/// "attempt 3 of 7"; where it was put back before, the count of this round and the number.
fn round(view: &DeliveryView, policy: Option<&Policy>) -> String {
    let of = policy
        .and_then(|policy| policy.give_up_after)
        .map(|limit| format!(" of {limit}"))
        .unwrap_or_default();
    if view.failures == view.attempt_count {
        format!("attempt {}{of}", view.failures)
    } else {
        format!(
            "attempt {}{of} since it was put back (number {} in all)",
            view.failures, view.attempt_count
        )
    }
}

/// Of a dead letter that no attempt made one.
fn given_up(view: &DeliveryView) -> String {
    let record = view.given_up();
    let at = record.map(|record| record.ended_at.to_string());
    let words = record.and_then(Attempt::given_up_words);
    let attempts = match view.attempts_made() {
        0 => "before its first attempt".to_owned(),
        1 => "after 1 attempt".to_owned(),
        made => format!("after {made} attempts"),
    };
    format!(
        "given up at {} {attempts}: {}; a retry or a replay sends it again",
        at.unwrap_or_default(),
        words.unwrap_or_default()
    )
}

fn failure(attempt: &Attempt) -> String {
    match (attempt.status, &attempt.error) {
        (Some(status), None) => format!("failed with status {status}"),
        (Some(status), Some(error)) => format!("failed with status {status} ({error})"),
        (None, Some(error)) => format!("failed: {error}"),
        (None, None) => "failed without an answer".to_owned(),
    }
}

fn unless_paused(view: &DeliveryView, otherwise: String) -> String {
    if view.endpoint.state != EndpointState::Paused {
        return otherwise;
    }
    let reason = view.endpoint.state_reason.as_ref();
    format!(
        "the endpoint is paused{}, and nothing is sent until it is resumed",
        reason
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default()
    )
}

/// What sends it, unless nothing does.
fn unless_removed(view: &DeliveryView, mend: &'static str) -> &'static str {
    match view.endpoint.state {
        EndpointState::Removed => "the endpoint is removed since, so nothing sends it",
        _ => mend,
    }
}

fn filtered(view: &DeliveryView) -> String {
    if view.event.seq < view.endpoint.from_seq {
        let mend = unless_removed(view, "a replay sends it");
        return format!("the endpoint was made after this event came in; {mend}");
    }
    let filter = &view.endpoint.settings.filter;
    let patterns = listed(filter.patterns.iter().map(String::as_str));
    let content = &view.event.content;
    let what = match (filter.on, &content.status) {
        (FilterOn::Kind, _) => format!("type {}", quoted(&content.kind)),
        (FilterOn::Status, Some(status)) => format!("activity status {}", quoted(status)),
        (FilterOn::Status, None) => {
            format!("type {} (it has no activity status)", quoted(&content.kind))
        }
    };
    if filter.matches(content) {
        let mend = unless_removed(view, "a replay sends it");
        return format!("it was never queued for this endpoint; {mend}");
    }
    if content.is_operational() {
        return format!(
            "the endpoint's events are {patterns}; one about endpoints and deliveries has to be named, by its {what} or a prefix such as \"endpoint.*\""
        );
    }
    format!("the endpoint's events are {patterns}, which the event's {what} does not match")
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
