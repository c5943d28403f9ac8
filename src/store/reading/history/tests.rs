//! Deliveries that have just been settled.

use super::*;
use crate::clock::ManualClock;
use crate::endpoint::draft::build;
use crate::endpoint::tests::policies;
use crate::endpoint::{EndpointDraft, Field};
use crate::event::{Form, NewEvent};
use crate::store::Store;
use crate::store::memory::Memory;
use crate::store::{EndpointCommand, Options, Outcome, Settlement};

fn log() -> Log<Memory> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let log = Log::over(Memory::default(), clock, Options::default(), [1, 2, 3]).unwrap();
    let draft = EndpointDraft {
        name: Field::Set("e".into()),
        url: Field::Set("http://127.0.0.1:9/".into()),
        policy: Field::Set("standard".into()),
        ..EndpointDraft::default()
    };
    let settings = build(draft, &policies()).unwrap();
    let add = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
    drop(log.endpoint(add).unwrap());
    log.commit().unwrap();
    let event = NewEvent {
        source: "api".into(),
        kind: "t".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: Default::default(),
        status: None,
        idempotency_key: None,
    };
    drop(log.append(vec![event]).unwrap());
    log.commit().unwrap();
    log
}

/// Ends the next attempt; the record of it stays unwritten.
fn settle(log: &Log<Memory>, outcome: Outcome) {
    let claim = log.claim(1).unwrap().remove(0);
    let now = log.clock.now();
    let attempt = Attempt {
        number: claim.attempt,
        started_at: now,
        ended_at: now,
        status: Some(200),
        error: None,
        response_excerpt: None,
    };
    let settlement = Settlement {
        attempt,
        outcome,
        effect: crate::store::Effect::None,
    };
    log.settle(claim.token, settlement).unwrap();
}

#[test]
fn a_delivery_that_has_just_been_settled_never_looks_filtered_or_removed() {
    let log = log();
    let number = log.endpoints().unwrap()[0].endpoint.number;
    let seen = |log: &Log<Memory>| {
        let view = log.delivery_view(number, 1, 10).unwrap().unwrap();
        (view.status, view.attempt_count)
    };
    let after = std::time::Duration::ZERO;
    settle(&log, Outcome::Retry { after });
    assert_eq!(seen(&log), (Status::Waiting, 1));
    settle(&log, Outcome::Delivered);
    assert_eq!(seen(&log), (Status::Delivered, 2));
}

#[test]
fn a_first_success_that_has_just_been_settled_looks_delivered() {
    let log = log();
    settle(&log, Outcome::Delivered);
    let number = log.endpoints().unwrap()[0].endpoint.number;
    let view = log.delivery_view(number, 1, 10).unwrap().unwrap();
    assert_eq!((view.status, view.attempt_count), (Status::Delivered, 1));
}
