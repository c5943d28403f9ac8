//! The policy's step: under the vendors' policies it agrees with the model over any history, and
//! under any policy that a configuration can hold, and beyond, it keeps the table's moves, is
//! never early and never gives up too soon or too late.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use redeliver::clock::Timestamp;
use redeliver::endpoint::{Check, FilterOn, Order};
use redeliver::policy::{
    Action, IllegalTransition, Input, KeyForm, On410, Phase, Policy, Schedule, Success, step,
};
use redeliver::vendor::{esputnik, hotjar, standard};

use super::model::Model;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// In the middle chance changes nothing.
const MIDDLE: f64 = 0.5;

/// What happened, as the fuzzer writes it.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Move {
    Claim,
    Answer(Status),
    AnswerAsking(u16, u32),
    NoAnswer,
    Release,
    Retry,
    Remove,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Status {
    Ok,
    Created,
    Gone,
    Failed,
    Any(u16),
}

impl Move {
    fn input(self) -> Input {
        let answer = |status, retry_after| Input::Answer {
            status,
            retry_after,
        };
        match self {
            Self::Claim => Input::Claim,
            Self::Answer(Status::Ok) => answer(200, None),
            Self::Answer(Status::Created) => answer(201, None),
            Self::Answer(Status::Gone) => answer(410, None),
            Self::Answer(Status::Failed) => answer(500, None),
            Self::Answer(Status::Any(status)) => answer(status, None),
            Self::AnswerAsking(status, seconds) => {
                answer(status, Some(Duration::from_secs(seconds.into())))
            }
            Self::NoAnswer => Input::NoAnswer,
            Self::Release => Input::Release,
            Self::Retry => Input::Retry,
            Self::Remove => Input::Remove,
        }
    }
}

/// When the next thing happens.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Pace {
    Later(u32),
    WhenDue,
    JustBefore,
}

impl Pace {
    fn after(self, now: Timestamp, phase: Phase) -> Timestamp {
        match (self, phase) {
            (Self::WhenDue, Phase::Waiting { due, .. }) => now.max(due),
            (Self::JustBefore, Phase::Waiting { due, .. }) => {
                now.max(Timestamp::from_millis(due.as_millis() - 1))
            }
            (Self::Later(ms), _) => now.plus(Duration::from_millis(ms.into())),
            _ => now,
        }
    }
}

/// A vendor and a history, or a policy of nobody's and a history.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    // Input that ends too early is no input.
    let _ = match input.int_in_range(0..=3) {
        Ok(0) => agrees_with_the_model(&hotjar::policy(), &mut input),
        Ok(1) => agrees_with_the_model(&esputnik::policy(), &mut input),
        Ok(2) => agrees_with_the_model(&standard::policy(), &mut input),
        _ => keeps_the_table(&mut input),
    };
}

fn agrees_with_the_model(policy: &Policy, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut model = Model {
        policy,
        log: Vec::new(),
    };
    let (mut phase, mut now) = (Phase::Pending, START);
    while !input.is_empty() {
        let (asked, pace): (Move, Pace) = input.arbitrary()?;
        let mut happened = asked.input();
        // The model knows no delay that the receiver asked for.
        if let Input::Answer { retry_after, .. } = &mut happened {
            *retry_after = None;
        }
        now = pace.after(now, phase);
        let moved = step(phase, happened, policy, now, MIDDLE);
        assert_eq!(moved.is_ok(), model.allows(happened, now));
        match moved {
            Ok((next, action)) => {
                assert_eq!(action, model.action(happened));
                model.log.push((happened, now));
                phase = next;
            }
            Err(refused) => assert_eq!(
                refused,
                IllegalTransition {
                    phase,
                    input: happened
                }
            ),
        }
        assert_eq!(phase, model.phase());
    }
    Ok(())
}

fn any_policy(input: &mut Unstructured<'_>) -> arbitrary::Result<Policy> {
    let delay = |input: &mut Unstructured<'_>| -> arbitrary::Result<Duration> {
        Ok(match input.int_in_range(0..=3)? {
            0 => Duration::MAX,
            1 => Duration::from_millis(input.arbitrary::<u16>()?.into()),
            _ => Duration::from_secs(input.arbitrary::<u32>()?.into()),
        })
    };
    let schedule = if input.arbitrary()? {
        let steps = input.int_in_range(0..=12)?;
        let steps = (0..steps).map(|_| delay(input));
        Schedule::Table(steps.collect::<arbitrary::Result<_>>()?)
    } else {
        Schedule::Backoff {
            first: delay(input)?,
            factor: input.arbitrary()?,
            max: delay(input)?,
        }
    };
    Ok(Policy {
        name: "mine".to_owned(),
        order: Order::Independent,
        success: if input.arbitrary()? {
            Success::Any2xx
        } else {
            Success::Only200
        },
        schedule,
        give_up_after: input.arbitrary::<Option<u8>>()?.map(u32::from),
        on_410: match input.int_in_range(0..=2)? {
            0 => On410::Remove,
            1 => On410::Retry,
            _ => On410::Pause,
        },
        timeout: Duration::from_secs(10),
        jitter: input.arbitrary()?,
        honours_retry_after: input.arbitrary()?,
        requires_tls: false,
        filter_on: FilterOn::Kind,
        key_form: KeyForm::Text,
        check: Check::Off,
    })
}

/// The `k`-th delay, one multiplication after the other, in milliseconds.
fn plain_delay(schedule: &Schedule, k: u32) -> u128 {
    match schedule {
        Schedule::Table(delays) => {
            let index = (k as usize - 1).min(delays.len().saturating_sub(1));
            delays.get(index).map_or(0, Duration::as_millis)
        }
        Schedule::Backoff { first, factor, max } => {
            let (mut delay, max) = (first.as_millis(), max.as_millis());
            for _ in 1..k {
                if delay >= max || *factor < 2 {
                    break;
                }
                delay = delay.saturating_mul((*factor).into());
            }
            delay.min(max)
        }
    }
}

fn keeps_the_table(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let policy = any_policy(input)?;
    let (mut phase, mut now) = (Phase::Pending, START);
    let (mut failures, mut in_flight) = (0, false);
    while !input.is_empty() {
        let (asked, pace, draw): (Move, Pace, f64) = input.arbitrary()?;
        let happened = asked.input();
        now = pace.after(now, phase);
        let Ok((next, action)) = step(phase, happened, &policy, now, draw) else {
            let refused = match happened {
                Input::Claim => !matches!(phase, Phase::Pending) && !is_due(phase, now),
                Input::Answer { .. } | Input::NoAnswer | Input::Release => !in_flight,
                Input::Retry => matches!(
                    phase,
                    Phase::Pending | Phase::InFlight { .. } | Phase::Removed
                ),
                Input::Remove => {
                    matches!(phase, Phase::Delivered | Phase::Dead | Phase::Removed)
                }
            };
            assert!(refused, "{phase:?} {happened:?}");
            continue;
        };
        match happened {
            Input::Claim => {
                assert!(!in_flight && (phase == Phase::Pending || is_due(phase, now)));
                assert_eq!(next, Phase::InFlight { failures });
            }
            Input::Release if failures == 0 => assert_eq!(next, Phase::Pending),
            Input::Release => assert_eq!(next, Phase::Waiting { failures, due: now }),
            Input::Retry => {
                failures = 0;
                assert_eq!(next, Phase::Pending);
            }
            Input::Remove => assert_eq!(next, Phase::Removed),
            Input::Answer { .. } | Input::NoAnswer => {
                assert!(in_flight);
                failures += 1;
                ends_an_attempt(&policy, happened, failures, now, draw, (next, action));
            }
        }
        if !matches!(happened, Input::Answer { .. }) {
            assert_eq!(action, Action::None);
        }
        phase = next;
        in_flight = matches!(phase, Phase::InFlight { .. });
    }
    Ok(())
}

fn is_due(phase: Phase, now: Timestamp) -> bool {
    matches!(phase, Phase::Waiting { due, .. } if due <= now)
}

fn ends_an_attempt(
    policy: &Policy,
    happened: Input,
    failures: u32,
    now: Timestamp,
    draw: f64,
    (next, action): (Phase, Action),
) {
    let (status, asked) = match happened {
        Input::Answer {
            status,
            retry_after,
        } => (
            Some(status),
            retry_after.filter(|_| policy.honours_retry_after),
        ),
        _ => (None, None),
    };
    let success = match policy.success {
        Success::Any2xx => status.is_some_and(|status| status / 100 == 2),
        Success::Only200 => status == Some(200),
    };
    let gone = status == Some(410);
    let expected = match policy.on_410 {
        On410::Remove if gone => Action::RemoveEndpoint,
        On410::Pause if gone => Action::PauseEndpoint,
        _ => Action::None,
    };
    assert_eq!(action, expected);
    if success {
        return assert_eq!(next, Phase::Delivered);
    }
    if expected == Action::RemoveEndpoint {
        return assert_eq!(next, Phase::Removed);
    }
    if policy.give_up_after.is_some_and(|most| failures >= most) {
        return assert_eq!(next, Phase::Dead);
    }
    let Phase::Waiting {
        failures: counted,
        due,
    } = next
    else {
        panic!("{next:?}");
    };
    assert_eq!(counted, failures);
    let step = plain_delay(&policy.schedule, failures);
    let longest = step.max(plain_delay(&policy.schedule, failures + 1));
    let asked = asked.map_or(0, |asked| asked.as_millis()).min(longest);
    let waited = due.since(now).as_millis();
    let part = if policy.jitter.is_nan() || draw.is_nan() {
        0.0
    } else {
        policy.jitter.clamp(0.0, 1.0)
    };
    let most = i64::MAX as u128 - now.as_millis() as u128;
    if part == 0.0 {
        return assert_eq!(waited, step.max(asked).min(most), "to the millisecond");
    }
    // A float holds a delay of centuries to the second only.
    let spread = (step as f64 * (part + 1e-9)).ceil() as u128 + 1;
    assert!(waited >= asked.min(most));
    assert!(
        waited <= step.saturating_add(spread).max(asked),
        "{waited} {step}"
    );
    assert!(
        waited >= step.saturating_sub(spread).min(most),
        "{waited} is earlier than {step} less {spread}"
    );
}
