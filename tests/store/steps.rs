//! A clock that is set under a running store, or while none runs.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver::clock::{Clock, Moment, Sleep, Timestamp};
use redeliver::endpoint::{EndpointState, Order};
use redeliver::event::NewEvent;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{
    Appended, Claim, Effect, EndpointCommand, Log, Options, Outcome, Settlement, Store,
};

use crate::harness::{ENTROPY, START, event, keyed, retry, settings, settlement};

const YEAR_S: i64 = 365 * 86_400;
const STEPS_S: [i64; 3] = [YEAR_S, -YEAR_S, -600];

/// A clock that can be set, noticing it or not.
struct SetClock {
    moment: Mutex<Moment>,
    /// How often it is looked at until it is set, and by how much.
    later: Mutex<Option<(u32, i64)>>,
}

impl SetClock {
    fn at(now: Timestamp) -> Arc<Self> {
        let stepped_ms = 0;
        Arc::new(Self {
            moment: Mutex::new(Moment { now, stepped_ms }),
            later: Mutex::default(),
        })
    }

    fn pass(&self, seconds: u64) {
        let mut moment = self.moment.lock().unwrap();
        moment.now = moment.now.plus(Duration::from_secs(seconds));
    }

    fn set(&self, by_s: i64) {
        self.set_unnoticed(by_s);
        self.moment.lock().unwrap().stepped_ms += by_s * 1000;
    }

    fn set_after(&self, looks: u32, by_s: i64) {
        *self.later.lock().unwrap() = Some((looks, by_s));
    }

    fn set_unnoticed(&self, by_s: i64) {
        let mut moment = self.moment.lock().unwrap();
        moment.now = moment.now.moved(by_s * 1000);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.moment().now
    }

    fn moment(&self) -> Moment {
        let mut later = self.later.lock().unwrap();
        match later.take() {
            Some((0, by_s)) => self.set(by_s),
            Some((looks, by_s)) => *later = Some((looks - 1, by_s)),
            None => {}
        }
        *self.moment.lock().unwrap()
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        unreachable!("the store never sleeps")
    }
}

fn in_memory(clock: &Arc<SetClock>) -> Log<Memory> {
    Log::over(
        Memory::default(),
        clock.clone(),
        Options::default(),
        ENTROPY,
    )
    .unwrap()
}

fn on_disk(dir: &Path, clock: &Arc<SetClock>) -> Log<redeliver::store::disk::Disk> {
    Log::open(dir, 8 << 20, clock.clone(), Options::default(), ENTROPY).unwrap()
}

fn add<B: Backend>(log: &Log<B>, order: Order) {
    let settings = Box::new(settings("crm", order));
    drop(log.endpoint(EndpointCommand::Add(settings, EndpointState::Active)));
    log.commit().unwrap();
}

fn append<B: Backend>(log: &Log<B>, event: NewEvent) -> Appended {
    let ticket = log.append(vec![event]).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap().remove(0)
}

fn ended(claim: &Claim, clock: &SetClock, outcome: Outcome) -> Settlement {
    settlement(claim, clock.now(), outcome, Effect::None)
}

/// One event, whose first attempt fails now, which is still to be recorded.
fn one_failed<B: Backend>(
    log: &Log<B>,
    clock: &SetClock,
    order: Order,
    after_s: u64,
) -> (Claim, Settlement) {
    add(log, order);
    append(log, event("test", "{}"));
    let claim = log.claim(1).unwrap().remove(0);
    let settlement = ended(&claim, clock, retry(after_s));
    (claim, settlement)
}

/// One event, whose first attempt fails now and whose next one is due `after_s` later.
fn one_waiting<B: Backend>(log: &Log<B>, clock: &SetClock, order: Order, after_s: u64) {
    let (claim, settlement) = one_failed(log, clock, order, after_s);
    log.settle(claim.token, settlement).unwrap();
    log.commit().unwrap();
}

fn claimed<B: Backend>(log: &Log<B>) -> Vec<u64> {
    let claims = log.claim(100).unwrap();
    claims.iter().map(|claim| claim.token.seq).collect()
}

/// The only waiting delivery is due after `seconds` by time that passes, and no sooner.
#[track_caller]
fn is_due_after<B: Backend>(log: &Log<B>, clock: &SetClock, seconds: u64) {
    let due = clock.now().plus(Duration::from_secs(seconds));
    assert_eq!(log.depth().next_due, Some(due));
    clock.pass(seconds - 1);
    assert_eq!(claimed(log), [0u64; 0]);
    clock.pass(1);
    assert_eq!(claimed(log), [1]);
}

#[test]
fn a_retry_waits_for_what_was_left_of_its_delay_whatever_the_clock_is_set_to() {
    for order in [Order::Independent, Order::InOrder] {
        for step_s in STEPS_S {
            let clock = SetClock::at(START);
            let log = in_memory(&clock);
            one_waiting(&log, &clock, order, 60);
            clock.pass(20);
            clock.set(step_s);
            is_due_after(&log, &clock, 40);
        }
    }
}

#[test]
fn a_clock_that_is_set_and_set_right_again_unseen_or_seen_changes_no_delay() {
    for seen in [false, true] {
        let clock = SetClock::at(START);
        let log = in_memory(&clock);
        one_waiting(&log, &clock, Order::Independent, 60);
        clock.set(YEAR_S);
        if seen {
            assert_eq!(claimed(&log), [0u64; 0]);
        }
        clock.set(-YEAR_S);
        is_due_after(&log, &clock, 60);
    }
}

#[test]
fn an_endpoint_behind_a_step_takes_turns_with_those_that_are_ready() {
    let clock = SetClock::at(START);
    let log = in_memory(&clock);
    one_waiting(&log, &clock, Order::Independent, 60);
    clock.set(-YEAR_S);
    append(&log, event("test", "{}"));
    assert_eq!(claimed(&log), [2]);
    clock.pass(60);
    assert_eq!(claimed(&log), [1]);
}

#[test]
fn a_clock_set_between_an_attempts_end_and_its_record_changes_no_delay() {
    for step_s in STEPS_S {
        let clock = SetClock::at(START);
        let log = in_memory(&clock);
        let (claim, settlement) = one_failed(&log, &clock, Order::InOrder, 60);
        clock.set(step_s);
        log.settle(claim.token, settlement).unwrap();
        is_due_after(&log, &clock, 60);
    }
}

#[test]
fn a_clock_set_at_any_look_of_a_record_changes_no_delay() {
    for step_s in STEPS_S {
        for looks in 0..5 {
            let clock = SetClock::at(START);
            let log = in_memory(&clock);
            let (claim, settlement) = one_failed(&log, &clock, Order::InOrder, 60);
            clock.set_after(looks, step_s);
            log.settle(claim.token, settlement).unwrap();
            while clock.later.lock().unwrap().is_some() {
                assert_eq!(claimed(&log), [0u64; 0]);
            }
            is_due_after(&log, &clock, 60);
        }
    }
}

#[test]
fn a_clock_set_back_unnoticed_stalls_no_short_delay_behind_its_old_time() {
    let clock = SetClock::at(START);
    let log = in_memory(&clock);
    one_waiting(&log, &clock, Order::Independent, 5);
    clock.set_unnoticed(-3_600);
    is_due_after(&log, &clock, 5);
}

#[test]
fn an_id_is_known_for_four_hours_of_time_that_passes() {
    for step_s in STEPS_S {
        let clock = SetClock::at(START);
        let log = in_memory(&clock);
        let first = append(&log, keyed("k"));
        clock.pass(60);
        clock.set(step_s);
        clock.pass(4 * 3_600 - 61);
        let again = append(&log, keyed("k"));
        assert!(again.duplicate && again.id == first.id, "{step_s}");
        clock.pass(1);
        assert!(!append(&log, keyed("k")).duplicate, "{step_s}");
    }
}

#[test]
fn ids_of_one_group_that_follows_a_step_are_all_of_the_new_time() {
    let clock = SetClock::at(START);
    let log = in_memory(&clock);
    append(&log, keyed("before"));
    clock.set(YEAR_S);
    // Many, since a group's ids are gathered in no order.
    let keys: Vec<String> = (0..64).map(|n| n.to_string()).collect();
    drop(log.append(keys.iter().map(|key| keyed(key)).collect()));
    log.commit().unwrap();
    clock.pass(4 * 3_600);
    for key in &keys {
        assert!(!append(&log, keyed(key)).duplicate, "{key}");
    }
}

#[test]
fn a_kill_after_a_step_changes_no_delay_because_a_snapshot_follows_the_step() {
    for step_s in STEPS_S {
        let dir = tempfile::tempdir().unwrap();
        let clock = SetClock::at(START);
        let log = on_disk(dir.path(), &clock);
        one_waiting(&log, &clock, Order::InOrder, 60);
        clock.pass(20);
        clock.set(step_s);
        assert_eq!(claimed(&log), [0u64; 0]);
        log.commit().unwrap();
        drop(log);
        clock.pass(10);
        let clock = SetClock::at(clock.now());
        let log = on_disk(dir.path(), &clock);
        is_due_after(&log, &clock, 30);
    }
}

#[test]
fn a_start_takes_a_clock_that_was_set_forward_at_its_word_and_one_set_back_for_no_excuse() {
    for (step_s, left_s) in [(YEAR_S, 0), (-YEAR_S, 60), (-600, 60)] {
        let dir = tempfile::tempdir().unwrap();
        let clock = SetClock::at(START);
        let log = on_disk(dir.path(), &clock);
        one_waiting(&log, &clock, Order::InOrder, 60);
        drop(log);
        clock.set(step_s);
        let clock = SetClock::at(clock.now());
        let log = on_disk(dir.path(), &clock);
        match left_s {
            0 => assert_eq!(claimed(&log), [1]),
            left_s => is_due_after(&log, &clock, left_s),
        }
    }
}

#[test]
fn a_clock_that_is_set_forward_by_a_year_makes_nothing_expire() {
    let clock = SetClock::at(START);
    let options = Options {
        retention: redeliver::store::Retention {
            max_age: Some(Duration::from_secs(3600)),
            ..Default::default()
        },
        ..Options::default()
    };
    let log = Log::over(Memory::default(), clock.clone(), options, ENTROPY).unwrap();
    drop(log.append(vec![event("a", "1")]).unwrap());
    log.commit().unwrap();
    clock.set(YEAR_S);
    assert_eq!(log.maintain().unwrap().expired_events, 0);
    clock.pass(3601);
    assert_eq!(log.maintain().unwrap().expired_events, 1);
}
