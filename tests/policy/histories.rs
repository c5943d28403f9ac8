//! Random histories against a model that keeps no phase.

use std::time::Duration;

use proptest::prelude::*;
use redeliver::clock::Timestamp;
use redeliver::policy::{Action, IllegalTransition, Input, Phase, Policy, step};
use redeliver::vendor::{esputnik, hotjar, standard};

use super::{MIDDLE, START, answer};

/// What is expected of a delivery, told from its history alone.
struct Model<'a> {
    policy: &'a Policy,
    log: Vec<(Input, Timestamp)>,
}

impl Model<'_> {
    fn is(&self, name: &str) -> bool {
        self.policy.name == name
    }

    fn succeeds(&self, input: Input) -> bool {
        match input {
            Input::Answer { status, .. } if self.is("esputnik") => status == 200,
            Input::Answer { status, .. } => status / 100 == 2,
            _ => false,
        }
    }

    fn gone(&self, input: Input) -> bool {
        input == Input::Remove
            || self.is("hotjar") && matches!(input, Input::Answer { status: 410, .. })
    }

    fn delay(&self, failures: u32) -> u64 {
        if self.is("hotjar") {
            [30, 60, 120, 300, 600, 1200][failures as usize - 1]
        } else if self.is("esputnik") {
            (1..failures).fold(60, |delay: u64, _| (delay * 2).min(3600))
        } else {
            [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400][failures as usize - 1]
        }
    }

    fn phase(&self) -> Phase {
        if self.log.iter().any(|(input, _)| self.gone(*input)) {
            return Phase::Removed;
        }
        let since = self
            .log
            .iter()
            .rposition(|(input, _)| *input == Input::Retry);
        let recent = &self.log[since.map_or(0, |at| at + 1)..];
        let failed = |input: &Input| {
            matches!(input, Input::Answer { .. } | Input::NoAnswer) && !self.succeeds(*input)
        };
        let failures = recent.iter().filter(|(input, _)| failed(input)).count() as u32;
        let most = [("hotjar", 7), ("standard", 10)]
            .into_iter()
            .find(|(name, _)| self.is(name));
        match recent.last() {
            None => Phase::Pending,
            Some((Input::Claim, _)) => Phase::InFlight { failures },
            Some((Input::Release, _)) if failures == 0 => Phase::Pending,
            Some((Input::Release, at)) => Phase::Waiting { failures, due: *at },
            Some((input, _)) if self.succeeds(*input) => Phase::Delivered,
            Some(_) if most.is_some_and(|(_, most)| failures == most) => Phase::Dead,
            Some((_, at)) => Phase::Waiting {
                failures,
                due: at.plus(Duration::from_secs(self.delay(failures))),
            },
        }
    }

    fn allows(&self, input: Input, now: Timestamp) -> bool {
        let ended = [Phase::Delivered, Phase::Dead, Phase::Removed].contains(&self.phase());
        let under_way = matches!(self.log.last(), Some((Input::Claim, _)));
        let due = match self.phase() {
            Phase::Waiting { due, .. } => Some(due),
            _ => None,
        };
        match input {
            Input::Claim => !ended && !under_way && due.is_none_or(|due| due <= now),
            Input::Answer { .. } | Input::NoAnswer | Input::Release => under_way && !ended,
            Input::Retry => due.is_some() || (ended && self.phase() != Phase::Removed),
            Input::Remove => !ended,
        }
    }
}

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
                    let expected = match (input, policy.name.as_str()) {
                        (Input::Answer { status: 410, .. }, "hotjar") => Action::RemoveEndpoint,
                        (Input::Answer { status: 410, .. }, "standard") => Action::PauseEndpoint,
                        _ => Action::None,
                    };
                    prop_assert_eq!(action, expected);
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
