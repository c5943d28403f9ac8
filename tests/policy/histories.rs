//! Random histories against a model that keeps no phase.

use std::time::Duration;

use proptest::prelude::*;
use redeliver::clock::Timestamp;
use redeliver::policy::{IllegalTransition, Input, Phase, step};
use redeliver::vendor::{esputnik, hotjar, standard};

use super::model::Model;
use super::{MIDDLE, START, answer};

fn any_input() -> impl Strategy<Value = Input> {
    let status = prop_oneof![
        Just(200),
        Just(204),
        Just(302),
        Just(410),
        Just(500),
        Just(503)
    ];
    prop_oneof![
        8 => Just(Input::Claim),
        3 => status.prop_map(answer),
        5 => Just(answer(500)),
        3 => Just(Input::NoAnswer),
        1 => Just(Input::Release),
        1 => Just(Input::Retry),
        1 => (0..20u8).prop_map(|n| if n == 0 { Input::Remove } else { Input::Claim }),
    ]
}

proptest! {
    #[test]
    fn any_history_agrees_with_the_model_no_attempt_is_early_and_none_is_lost(
        vendor in 0..3usize,
        moves in prop::collection::vec((any_input(), 0..4u8, 0..4_000_000u64), 1..120),
    ) {
        let policy = &[hotjar::policy(), esputnik::policy(), standard::policy()][vendor];
        let mut model = Model { policy, log: vec![] };
        let (mut phase, mut now) = (Phase::Pending, START);
        for (input, pace, ms) in moves {
            now = match (phase, pace) {
                (Phase::Waiting { due, .. }, 0) => now.max(Timestamp::from_millis(due.as_millis() - 1)),
                (Phase::Waiting { due, .. }, 1 | 2) => now.max(due),
                _ => now.plus(Duration::from_millis(ms)),
            };
            let moved = step(phase, input, policy, now, MIDDLE);
            prop_assert_eq!(moved.is_ok(), model.allows(input, now), "{:?} {:?}", phase, input);
            match moved {
                Ok((next, action)) => {
                    prop_assert_eq!(action, model.action(input));
                    model.log.push((input, now));
                    phase = next;
                }
                Err(refused) => prop_assert_eq!(refused, IllegalTransition { phase, input }),
            }
            prop_assert_eq!(phase, model.phase());
        }
        // Whatever happened, it can still be brought to exactly one end.
        for _ in 0..2 {
            let (input, at) = match phase {
                Phase::Pending => (Input::Claim, now),
                Phase::Waiting { due, .. } => (Input::Claim, now.max(due)),
                Phase::InFlight { .. } => (answer(200), now),
                _ => break,
            };
            phase = step(phase, input, policy, at, MIDDLE).unwrap().0;
        }
        prop_assert!(matches!(phase, Phase::Delivered | Phase::Dead | Phase::Removed));
    }

    #[test]
    fn jitter_keeps_a_delay_within_its_part_of_it(failures in 0..9u32, draw in 0.0..1.0f64) {
        let policy = standard::policy();
        let moved = step(Phase::InFlight { failures }, Input::NoAnswer, &policy, START, draw);
        let Ok((Phase::Waiting { due, .. }, _)) = moved else { panic!("{moved:?}") };
        let step = policy.schedule.delay(failures + 1).as_secs_f64();
        let waited = due.since(START).as_secs_f64();
        prop_assert!((waited - step).abs() <= 0.1 * step + 0.001, "{} {}", waited, step);
    }
}
