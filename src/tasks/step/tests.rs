//! Steps over a store in memory, with a crash wherever one can be.

mod discard;

use std::cell::RefCell;
use std::sync::Arc;

use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::delivery::{Attempt, Status};
use crate::endpoint::draft::build;
use crate::endpoint::tests::policies;
use crate::endpoint::{EndpointDraft, Field};
use crate::event::{Form, NewEvent};
use crate::id::TaskId;
use crate::store::memory::Memory;
use crate::store::{
    Claim, Effect, EndpointCommand, Log, Options, Outcome, ReplayRequest, Settlement,
};
use crate::tasks::task::{Kind, State};

const EVENTS: u64 = 30;

const SMALL: Bounds = Bounds {
    deliveries: 10,
    backlog: 1_000,
    under_way: 100,
};

struct World {
    log: Log<Memory>,
    clock: Arc<ManualClock>,
}

impl World {
    /// Endpoints `a` and `b`, with as many dead letters each.
    fn with_dead_letters(events: u64) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let options = Options::default();
        let log = Log::over(Memory::default(), clock.clone(), options, [1, 2, 3]).unwrap();
        for name in ["a", "b"] {
            let draft = EndpointDraft {
                name: Field::Set(name.into()),
                url: Field::Set("http://127.0.0.1:9/".into()),
                policy: Field::Set("standard".into()),
                ..EndpointDraft::default()
            };
            let settings = build(draft, &policies()).unwrap();
            let add = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
            drop(log.endpoint(add).unwrap());
        }
        let world = Self { log, clock };
        world.append(events);
        world.attempt_all(Outcome::Dead);
        world
    }

    fn append(&self, events: u64) {
        for _ in 0..events {
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
            drop(self.log.append(vec![event]).unwrap());
            self.log.commit().unwrap();
        }
    }

    /// Makes every attempt that is due, with this outcome.
    fn attempt_all(&self, outcome: Outcome) {
        loop {
            let claims = self.log.claim(100).unwrap();
            if claims.is_empty() {
                return;
            }
            for claim in claims {
                self.settle(claim, outcome);
            }
        }
    }

    fn settle(&self, claim: Claim, outcome: Outcome) {
        let now = self.clock.now();
        let attempt = Attempt {
            number: claim.attempt,
            started_at: now,
            ended_at: now,
            status: Some(500),
            error: None,
            response_excerpt: None,
        };
        let settlement = Settlement {
            attempt,
            outcome,
            effect: Effect::None,
        };
        self.log.settle(claim.token, settlement).unwrap();
    }

    fn task(&self, dry_run: bool) -> Task {
        self.task_of(Kind::Replay, "dead", dry_run)
    }

    fn task_of(&self, kind: Kind, status: &str, dry_run: bool) -> Task {
        let request = Request {
            kind,
            endpoint: None,
            status: Some(Statuses::read(status).unwrap()),
            kinds: None,
            since: None,
            until: None,
            limit: None,
            dry_run,
        };
        let span = span(&self.log, &request).unwrap();
        let now = self.clock.now();
        Task::new(TaskId::new(now, 1, 7), request, span, now, None)
    }

    fn run(&self, task: &mut Task) {
        while step_within(SMALL, &self.log, task, |_| Ok(())).unwrap() != Step::Ended {}
    }

    /// How many deliveries there are with each count of attempts, up to three.
    fn attempts(&self) -> [u64; 4] {
        let mut counts = [0; 4];
        for endpoint in [0, 1] {
            for seq in 1..=*self.log.tail().borrow() {
                let view = self.log.delivery(endpoint, seq).unwrap().unwrap();
                counts[view.attempt_count as usize] += 1;
            }
        }
        counts
    }
}

#[test]
fn a_crash_at_any_step_puts_nothing_back_twice_and_leaves_nothing_out() {
    for crash_at in 0.. {
        for (was_put_back, was_attempted) in [(false, false), (true, false), (true, true)] {
            let world = World::with_dead_letters(EVENTS);
            let mut task = world.task(false);
            let written = RefCell::new(Vec::new());
            let mut ended = false;
            while !ended {
                let count = written.borrow().len();
                let save = |task: &Task| {
                    written.borrow_mut().push(task.clone());
                    match count == crash_at && !was_put_back {
                        true => Err(FileError {
                            path: "task".into(),
                            cause: std::io::Error::other("killed"),
                        }),
                        false => Ok(()),
                    }
                };
                match step_within(SMALL, &world.log, &mut task, save) {
                    Ok(step) => ended = step == Step::Ended,
                    Err(_) => break,
                }
                if written.borrow().len() > crash_at {
                    break;
                }
            }
            if ended && written.borrow().len() <= crash_at {
                // Every place has been tried.
                assert!(crash_at >= 4, "{crash_at}");
                return;
            }
            if was_attempted {
                world.attempt_all(Outcome::Dead);
            }
            // What the file says is all that is left.
            let mut task = written.borrow().last().unwrap().clone();
            world.run(&mut task);
            world.attempt_all(Outcome::Delivered);
            assert_eq!((task.matched, task.done), (2 * EVENTS, 2 * EVENTS));
            assert_eq!(world.attempts(), [0, 0, 2 * EVENTS, 0], "at {crash_at}");
        }
    }
}

#[test]
fn an_endpoint_with_a_full_backlog_gets_no_more_until_it_has_room() {
    let world = World::with_dead_letters(12);
    let mut task = world.task(false);
    let full = Bounds {
        backlog: 10,
        ..SMALL
    };
    let mut step = || step_within(full, &world.log, &mut task, |_| Ok(())).unwrap();
    assert_eq!(step(), Step::Goes);
    for _ in 0..3 {
        assert_eq!(step(), Step::Rests);
    }
    world.attempt_all(Outcome::Delivered);
    assert_eq!(step(), Step::Goes);
    assert_eq!(task.done, 12);
    let mut counting = world.task(true);
    let full = Bounds {
        backlog: 0,
        ..SMALL
    };
    let counted = step_within(full, &world.log, &mut counting, |_| Ok(()));
    assert_eq!(counted.unwrap(), Step::Goes);
    assert_eq!((counting.matched, counting.state), (0, State::Running));
}

#[test]
fn an_endpoint_that_is_removed_meanwhile_is_passed_over() {
    let world = World::with_dead_letters(12);
    let mut task = world.task(false);
    let stepped = step_within(SMALL, &world.log, &mut task, |_| Ok(()));
    assert_eq!(stepped.unwrap(), Step::Goes);
    let removed = EndpointState::Removed;
    drop(
        world
            .log
            .endpoint(EndpointCommand::SetState(0, removed, None))
            .unwrap(),
    );
    world.log.commit().unwrap();
    world.run(&mut task);
    assert_eq!(task.done, 10 + 12);
    let at_b = world.log.delivery(1, 1).unwrap().unwrap();
    assert_eq!(at_b.status, Status::Pending);
}
