//! The retry contract under each vendor's policy, by the contract's numbers.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its fixtures has failed"
)]

mod histories;
mod model;

use std::time::Duration;

use redeliver::clock::Timestamp;
use redeliver::policy::{Action, Input, Phase, Policy, Schedule, step};
use redeliver::vendor::{esputnik, hotjar, standard};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const MIDDLE: f64 = 0.5;

fn answer(status: u16) -> Input {
    Input::Answer {
        status,
        retry_after: None,
    }
}

fn asking(seconds: u64) -> Input {
    Input::Answer {
        status: 503,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    to.since(from).as_secs()
}

/// When each attempt leaves, in seconds from the first, if every one fails after `took` seconds.
fn offsets(policy: &Policy, took: u64, most: usize) -> Vec<u64> {
    let (mut phase, mut now, mut left) = (Phase::Pending, START, vec![]);
    while left.len() < most {
        match phase {
            Phase::Pending => {}
            Phase::Waiting { due, .. } => {
                let early = Timestamp::from_millis(due.as_millis() - 1);
                assert!(step(phase, Input::Claim, policy, early, MIDDLE).is_err());
                now = due;
            }
            Phase::Dead => break,
            other => panic!("{other:?}"),
        }
        left.push(seconds(START, now));
        phase = step(phase, Input::Claim, policy, now, MIDDLE).unwrap().0;
        now = now.plus(Duration::from_secs(took));
        phase = step(phase, Input::NoAnswer, policy, now, MIDDLE).unwrap().0;
    }
    left
}

fn vector(vendor: &str, name: &str) -> Vec<u64> {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    serde_json::from_value(all["schedules_s"][vendor][name].clone()).unwrap()
}

/// The phase after `failures` failures in a row and one more attempt that ends with `input`.
fn after(policy: &Policy, failures: u32, input: Input) -> (Phase, Action) {
    step(Phase::InFlight { failures }, input, policy, START, MIDDLE).unwrap()
}

#[test]
fn hot_20_to_26_seven_requests_leave_at_the_offsets_of_the_contract_and_then_it_is_dead() {
    let policy = hotjar::policy();
    let instant = vector("hotjar", "offsets_if_failures_are_instant");
    assert_eq!(offsets(&policy, 0, 100), instant);
    let timeouts = vector("hotjar", "offsets_if_every_attempt_times_out_after_10s");
    assert_eq!(offsets(&policy, policy.timeout.as_secs(), 100), timeouts);
    for (k, delay) in vector("hotjar", "delays").into_iter().enumerate() {
        assert_eq!(policy.schedule.delay(k as u32 + 1).as_secs(), delay);
    }
    assert_eq!(after(&policy, 6, answer(500)), (Phase::Dead, Action::None));
}

#[test]
fn esp_13_to_15_delays_double_to_an_hour_and_go_on_hourly_for_ever() {
    let policy = esputnik::policy();
    let expected = vector("esputnik", "offsets_if_failures_are_instant");
    assert_eq!(offsets(&policy, 0, expected.len()), expected);
    for (k, delay) in vector("esputnik", "delays").into_iter().enumerate() {
        assert_eq!(policy.schedule.delay(k as u32 + 1).as_secs(), delay);
    }
    let month = offsets(&policy, 0, 30 * 24 + 10);
    assert!(month[6..].windows(2).all(|pair| pair[1] - pair[0] == 3600));
    assert!(*month.last().unwrap() > 30 * 86_400);
    for failures in [720, u32::MAX - 1, u32::MAX] {
        let (phase, _) = after(&policy, failures, answer(500));
        assert!(matches!(phase, Phase::Waiting { due, .. } if seconds(START, due) == 3600));
    }
}

#[test]
fn a_backoff_grows_by_its_factor_until_its_longest_delay_however_short_it_begins() {
    let first = Duration::from_millis(1);
    let max = Duration::from_secs(366 * 86_400);
    let factor = 2;
    let schedule = Schedule::Backoff { first, factor, max };
    for k in 1..=34 {
        assert_eq!(schedule.delay(k), Duration::from_millis(1 << (k - 1)));
    }
    for k in [36, 65, 129, 1000, u32::MAX] {
        assert_eq!(schedule.delay(k), max, "{k}");
    }
}

#[test]
fn the_standard_schedule_has_ten_attempts_over_three_days() {
    let left = offsets(&standard::policy(), 0, 100);
    assert_eq!(left.len(), 10);
    assert_eq!(left[1..4], [5, 305, 2105]);
    assert_eq!(left[9], 5 + 300 + 1800 + (2 + 5 + 10 + 14 + 20 + 24) * 3600);
}

#[test]
fn hot_16_esp_12_a_04b_success_is_what_the_vendor_says_and_a_redirect_never_is() {
    for status in 100..=599 {
        let hot = after(&hotjar::policy(), 0, answer(status)).0;
        assert_eq!(
            hot == Phase::Delivered,
            (200..300).contains(&status),
            "{status}"
        );
        let esp = after(&esputnik::policy(), 0, answer(status)).0;
        assert_eq!(esp == Phase::Delivered, status == 200, "{status}");
    }
}

#[test]
fn hot_28_hot_29_a_410_removes_the_endpoint_at_any_attempt() {
    for failures in 0..7 {
        let gone = after(&hotjar::policy(), failures, answer(410));
        assert_eq!(gone, (Phase::Removed, Action::RemoveEndpoint));
    }
}

#[test]
fn a_02_x_21_a_410_is_a_failure_to_esputnik_and_pauses_a_standard_endpoint() {
    let (phase, action) = after(&esputnik::policy(), 0, answer(410));
    assert!(matches!(phase, Phase::Waiting { failures: 1, .. }));
    assert_eq!(action, Action::None);
    let (phase, action) = after(&standard::policy(), 0, answer(410));
    assert!(matches!(phase, Phase::Waiting { failures: 1, .. }));
    assert_eq!(action, Action::PauseEndpoint);
    let last = after(&standard::policy(), 9, answer(410));
    assert_eq!(last, (Phase::Dead, Action::PauseEndpoint));
}

#[test]
fn retry_after_lengthens_a_delay_up_to_the_next_step_where_the_policy_honours_it() {
    let wait = |policy: &Policy, failures, input, draw| match step(
        Phase::InFlight { failures },
        input,
        policy,
        START,
        draw,
    ) {
        Ok((Phase::Waiting { due, .. }, _)) => seconds(START, due),
        other => panic!("{other:?}"),
    };
    let policy = standard::policy();
    assert_eq!(wait(&policy, 0, asking(1), MIDDLE), 5);
    assert_eq!(wait(&policy, 0, asking(60), MIDDLE), 60);
    assert_eq!(wait(&policy, 0, asking(u64::MAX), MIDDLE), 300);
    assert_eq!(wait(&policy, 8, asking(u64::MAX), MIDDLE), 86_400);
    // Jitter must not undercut what the receiver asked for.
    assert_eq!(wait(&policy, 1, asking(300), 0.0), 300);
    assert_eq!(wait(&policy, 1, answer(503), 0.0), 270);
    assert_eq!(wait(&hotjar::policy(), 0, asking(60), MIDDLE), 30);
    assert_eq!(wait(&esputnik::policy(), 0, asking(600), MIDDLE), 60);
}

#[test]
fn no_configuration_makes_the_machine_panic_or_loop_without_a_pause() {
    let mut policy = esputnik::policy();
    policy.schedule = Schedule::Backoff {
        first: Duration::from_secs(1),
        factor: 0,
        max: Duration::from_secs(60),
    };
    assert_eq!(policy.schedule.delay(9), Duration::from_secs(1));
    policy.schedule = Schedule::Table(vec![Duration::MAX]);
    for part in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
        policy.jitter = part;
        for draw in [0.0, 0.5, 1.0, 7.0, -7.0, f64::NAN] {
            let phase = step(
                Phase::InFlight { failures: 0 },
                Input::NoAnswer,
                &policy,
                START,
                draw,
            );
            assert!(matches!(phase, Ok((Phase::Waiting { .. }, Action::None))));
        }
    }
}
