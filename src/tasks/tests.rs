//! The loop over tasks, over a store in memory.

use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::delivery::Attempt;
use crate::endpoint::draft::build;
use crate::endpoint::tests::policies;
use crate::endpoint::{EndpointDraft, EndpointState, Field};
use crate::event::{Form, NewEvent};
use crate::store::memory::Memory;
use crate::store::{Effect, EndpointCommand, Log, Options, Outcome, Settlement};

const EVENTS: u64 = 3_000;

/// Of each event a delivery to `a`, the first of them under way, and a dead letter of `b`.
fn store() -> (Arc<dyn Store>, SharedClock) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let log = Log::over(
        Memory::default(),
        clock.clone(),
        Options::default(),
        [1, 2, 3],
    )
    .unwrap();
    for name in ["a", "b"] {
        let draft = EndpointDraft {
            name: Field::Set(name.into()),
            url: Field::Set("http://127.0.0.1:9/".into()),
            policy: Field::Set("standard".into()),
            ..EndpointDraft::default()
        };
        let settings = Box::new(build(draft, &policies()).unwrap());
        let add = EndpointCommand::Add(settings, EndpointState::Active);
        drop(log.endpoint(add).unwrap());
    }
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
    for _ in 0..EVENTS {
        drop(log.append(vec![event.clone()]).unwrap());
        log.commit().unwrap();
    }
    loop {
        let claims = log.claim(100).unwrap();
        let claims: Vec<_> = claims
            .into_iter()
            .filter(|claim| (claim.endpoint.number, claim.event.seq) != (0, 1))
            .collect();
        if claims.is_empty() {
            return (Arc::new(log), clock);
        }
        for claim in claims {
            let outcome = match claim.endpoint.number {
                0 => Outcome::Delivered,
                _ => Outcome::Dead,
            };
            let attempt = Attempt {
                number: claim.attempt,
                started_at: clock.now(),
                ended_at: clock.now(),
                status: Some(500),
                error: None,
                response_excerpt: None,
            };
            let effect = Effect::None;
            let settlement = Settlement {
                attempt,
                outcome,
                effect,
            };
            log.settle(claim.token, settlement).unwrap();
        }
        while log.commit().unwrap() {}
    }
}

fn request(kind: Kind, endpoint: &str, status: &str) -> Request {
    Request {
        kind,
        endpoint: Some(endpoint.to_owned()),
        status: Some(Statuses::read(status).unwrap()),
        kinds: None,
        since: None,
        until: None,
        limit: None,
        dry_run: false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_an_attempt_slows_no_other_one_down() {
    let (store, clock) = store();
    let tasks = Arc::new(Tasks::open(None, store, clock, 7).unwrap());
    let waits = request(Kind::Discard, "a", "pending,waiting,dead");
    let waits = tasks.create(waits, None).unwrap().id;
    let other = request(Kind::Discard, "b", "dead");
    let other = tasks.create(other, None).unwrap().id;
    let (stop, stopping) = watch::channel(false);
    let began = tokio::time::Instant::now();
    let running = tokio::spawn(tasks.clone().run(stopping));
    while tasks.get(other).unwrap().is_running() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // On a clock that moves on its own only while everybody rests.
    assert!(began.elapsed() < REST, "{:?}", began.elapsed());
    let other = tasks.get(other).unwrap();
    assert_eq!((other.state, other.done), (State::Done, EVENTS));
    assert!(tasks.get(waits).unwrap().is_running());
    stop.send(true).unwrap();
    running.await.unwrap();
}
