//! Each state of a delivery, explained.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::event::{Event, Form, NewEvent};
use crate::id::{DeliveryId, EventId};
use crate::vendor::builtin_policies;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn attempt(number: u32, status: Option<u16>, error: Option<&str>) -> Attempt {
    Attempt {
        number,
        started_at: START,
        ended_at: START,
        status,
        error: error.map(str::to_owned),
        response_excerpt: None,
    }
}

fn view(policy: &str, status: Status, attempts: Vec<Attempt>) -> DeliveryView {
    let order = builtin_policies().get(policy).unwrap().order;
    let endpoint = crate::endpoint::tests::endpoint(1);
    let id = EventId::new(START, 5, 1);
    let failures = if status == Status::Waiting {
        attempts.len() as u32
    } else {
        0
    };
    DeliveryView {
        id: DeliveryId::new(id, 1),
        event: Arc::new(Event {
            id,
            seq: 5,
            received_at: START,
            content: NewEvent {
                source: "api".into(),
                kind: "order.paid".into(),
                subject: None,
                time: None,
                content_type: "application/json".into(),
                form: Form::Data,
                body: "1".into(),
                status: None,
                idempotency_key: None,
            },
        }),
        endpoint: Arc::new(Endpoint {
            settings: EndpointSettings {
                name: "crm".to_owned(),
                policy: policy.to_owned(),
                order,
                ..endpoint.settings.clone()
            },
            ..(*endpoint).clone()
        }),
        status,
        failures,
        next_attempt_at: (status == Status::Waiting).then(|| START.plus(Duration::from_secs(120))),
        attempt_count: attempts.len() as u32,
        attempts,
        behind: None,
    }
}

fn told(view: &DeliveryView) -> String {
    let policies = builtin_policies();
    let policy = policies.get(&view.endpoint.settings.policy);
    explain(view, policy.map(|policy| &**policy), START)
}

#[test]
fn a_waiting_delivery_says_which_attempt_failed_and_when_the_next_leaves() {
    let failed = |n| attempt(n, Some(500), None);
    let view = view("hotjar", Status::Waiting, (1..=3).map(failed).collect());
    assert_eq!(
        told(&view),
        "attempt 3 of 7 failed with status 500; retry 3 leaves 2m after that failure, at \
         2023-11-14T22:15:20.000Z, as policy \"hotjar\" says"
    );
}

#[test]
fn a_dead_letter_that_no_attempt_made_says_what_did() {
    let why = "not attempted: an operator gave it up: it has no price";
    let records = vec![attempt(1, Some(500), None), attempt(2, None, Some(why))];
    assert_eq!(
        told(&view("hotjar", Status::Dead, records)),
        "given up at 2023-11-14T22:13:20.000Z after 1 attempt: an operator gave it up: it has no \
         price; a retry or a replay sends it again"
    );
    // Words of a receiver's that only look like it, and an attempt that had an answer.
    for other in ["not attempted: an operator gave it up!", "not attempted"] {
        let records = vec![attempt(1, None, Some(other))];
        let told = told(&view("hotjar", Status::Dead, records));
        assert!(told.contains("gives up after 7"), "{told}");
    }
    let records = vec![attempt(1, Some(200), Some(why))];
    assert!(told(&view("hotjar", Status::Dead, records)).contains("gives up after 7"));
}

#[test]
fn an_in_order_delivery_says_that_it_blocks_and_a_paused_one_that_nothing_is_sent() {
    let failed = vec![attempt(1, None, Some("connection refused"))];
    let mut waiting = view("esputnik", Status::Waiting, failed);
    assert_eq!(
        told(&waiting),
        "attempt 1 failed: connection refused; retry 1 leaves 2m after that failure, at \
         2023-11-14T22:15:20.000Z, as policy \"esputnik\" says; later events of this endpoint wait \
         for it"
    );
    Arc::make_mut(&mut waiting.endpoint).state = EndpointState::Paused;
    assert!(told(&waiting).contains("the endpoint is paused, and nothing is sent"));
}

#[test]
fn ends_name_their_rule() {
    let all = (1..=7).map(|n| attempt(n, Some(503), None)).collect();
    assert_eq!(
        told(&view("hotjar", Status::Dead, all)),
        "attempt 7 failed with status 503, and policy \"hotjar\" gives up after 7; a retry or a \
         replay sends it again"
    );
    let one = vec![attempt(1, Some(204), None)];
    assert_eq!(
        told(&view("hotjar", Status::Delivered, one)),
        "attempt 1 was answered 204 at 2023-11-14T22:13:20.000Z, which policy \"hotjar\" counts as \
         delivered"
    );
}

#[test]
fn nothing_is_advised_that_a_removed_endpoint_refuses() {
    let mut dead = view("hotjar", Status::Dead, vec![attempt(7, Some(503), None)]);
    Arc::make_mut(&mut dead.endpoint).state = EndpointState::Removed;
    assert_eq!(
        told(&dead),
        "attempt 7 failed with status 503, and policy \"hotjar\" gives up after 7; the endpoint is \
         removed since, so nothing sends it"
    );
    let mut before = view("hotjar", Status::Filtered, Vec::new());
    let endpoint = Arc::make_mut(&mut before.endpoint);
    (endpoint.from_seq, endpoint.state) = (6, EndpointState::Removed);
    assert!(told(&before).ends_with("came in; the endpoint is removed since, so nothing sends it"));
}

#[test]
fn a_delivery_that_was_put_back_counts_its_round_and_all_its_attempts() {
    let mut view = view("hotjar", Status::Waiting, vec![attempt(9, Some(500), None)]);
    (view.failures, view.attempt_count) = (2, 9);
    assert!(
        told(&view).starts_with("attempt 2 of 7 since it was put back (number 9 in all) failed")
    );
}

#[test]
fn esp_06_a_filtered_event_says_whether_its_status_or_its_type_did_not_match() {
    let mut view = view("esputnik", Status::Filtered, Vec::new());
    let filter = &mut Arc::make_mut(&mut view.endpoint).settings.filter;
    (filter.on, filter.patterns) = (FilterOn::Status, vec!["READ".to_owned()]);
    assert_eq!(
        told(&view),
        "the endpoint's events are \"READ\", which the event's type \"order.paid\" (it has no \
         activity status) does not match"
    );
    Arc::make_mut(&mut view.event).content.status = Some("CLICKED".into());
    assert!(told(&view).contains("the event's activity status \"CLICKED\" does not match"));
}

#[test]
fn a_filtered_event_says_what_did_not_match() {
    let mut view = view("hotjar", Status::Filtered, Vec::new());
    Arc::make_mut(&mut view.endpoint).settings.filter.patterns = vec!["user.*".to_owned()];
    assert_eq!(
        told(&view),
        "the endpoint's events are \"user.*\", which the event's type \"order.paid\" does not match"
    );
    Arc::make_mut(&mut view.endpoint).from_seq = 6;
    assert!(told(&view).starts_with("the endpoint was made after this event"));
}
