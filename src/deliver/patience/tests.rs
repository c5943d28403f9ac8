//! How often, and for how long, somebody is waited for in vain.

use super::*;

const PATIENCE_MS: u64 = 1000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn attempt(endpoint: u32, generation: u64) -> Errand {
    Errand::Attempt(Token {
        endpoint,
        seq: 1,
        generation,
    })
}

/// One who waits in real time, on which nothing depends but this.
struct Waiter {
    patience: Patience,
    real_ms: u64,
}

impl Waiter {
    fn new() -> Self {
        let mut patience = Patience::default();
        patience.renew(ms(PATIENCE_MS), Duration::ZERO);
        Self {
            patience,
            real_ms: 0,
        }
    }

    fn look(&mut self, now: i64) -> Option<u64> {
        let again = self.patience.look(at(now), ms(self.real_ms), |_| false)?;
        Some(u64::try_from(again.as_micros()).unwrap().div_ceil(1000))
    }

    /// Waits at `now` until nothing is left to be waited for; tells how long that was.
    fn wait(&mut self, now: i64) -> u64 {
        let began = self.real_ms;
        while let Some(again) = self.look(now) {
            assert!(again > self.real_ms, "it would look for ever");
            self.real_ms = again;
        }
        self.real_ms - began
    }

    fn renew(&mut self, patience_ms: u64) {
        self.patience.renew(ms(patience_ms), ms(self.real_ms));
    }
}

#[test]
fn who_hangs_a_thousand_times_in_an_advance_is_waited_for_less_than_one_and_two_thirds_times() {
    let mut waiter = Waiter::new();
    let mut waits = Vec::new();
    for n in 0..1000 {
        let errand = attempt(1, n);
        let moment = i64::try_from(n).unwrap() * 60_000;
        waiter.patience.begin(errand, at(moment + 10_000));
        waits.push(waiter.wait(moment));
        assert_eq!(
            waiter.patience.next_deadline(at(moment)),
            Some(at(moment + 10_000))
        );
        waiter.patience.end(errand);
    }
    assert_eq!(waits[..7], [1000, 250, 112, 63, 40, 28, 21]);
    // A millisecond is the least that is waited here.
    let rounded_up: u64 = 1000;
    assert!(waits.iter().sum::<u64>() < 1667 + rounded_up, "{waits:?}");
}

#[test]
fn those_that_hang_together_are_waited_for_together_and_each_once() {
    let mut waiter = Waiter::new();
    for endpoint in 0..5 {
        for place in 0..8 {
            let errand = attempt(endpoint, u64::from(endpoint * 8 + place));
            waiter.patience.begin(errand, at(10_000));
        }
    }
    assert_eq!(waiter.wait(0), 1000);
    assert_eq!(waiter.patience.left(at(0)).count(), 40);
    // Eight at once were one wait: the next one is waited for a quarter.
    waiter.patience.begin(attempt(3, 100), at(10_000));
    assert_eq!(waiter.wait(0), 250);
}

#[test]
fn attempts_of_one_that_hangs_that_began_a_little_later_are_left_with_the_first() {
    let mut waiter = Waiter::new();
    waiter.patience.begin(attempt(1, 1), at(10_000));
    waiter.look(0);
    waiter.real_ms = 600;
    for n in 2..9 {
        waiter.patience.begin(attempt(1, n), at(10_000));
    }
    assert_eq!(waiter.wait(0), 400);
    assert_eq!(waiter.patience.left(at(0)).count(), 8);
    waiter.patience.begin(attempt(1, 9), at(10_000));
    assert_eq!(waiter.wait(0), 250);
}

#[test]
fn who_answers_within_his_shorter_wait_is_waited_for_a_quarter_again_in_the_same_advance() {
    let mut waiter = Waiter::new();
    for n in 0..5 {
        waiter.patience.begin(attempt(1, n), at(10_000));
        waiter.wait(0);
        waiter.patience.end(attempt(1, n));
    }
    waiter.patience.begin(attempt(1, 5), at(10_000));
    assert_eq!(waiter.look(0), Some(waiter.real_ms + 28));
    // Never seen between its beginning and its end, and counted all the same.
    waiter.patience.end(attempt(1, 5));
    waiter.patience.begin(attempt(1, 6), at(10_000));
    assert_eq!(waiter.wait(0), 250);
    waiter.patience.begin(attempt(2, 7), at(10_000));
    assert_eq!(waiter.wait(0), 1000, "another one has done nothing");
}

#[test]
fn an_answer_that_comes_after_it_was_waited_for_in_vain_restores_no_trust() {
    let mut waiter = Waiter::new();
    for n in 0..3 {
        waiter.patience.begin(attempt(1, n), at(10_000));
        waiter.wait(0);
    }
    waiter.patience.end(attempt(1, 0));
    waiter.patience.begin(attempt(1, 3), at(10_000));
    assert_eq!(waiter.wait(0), 63);
}

#[test]
fn the_next_advance_waits_again_for_who_hung_but_not_for_what_hangs_unless_it_is_more_patient() {
    let mut waiter = Waiter::new();
    waiter.patience.begin(attempt(1, 1), at(10_000));
    assert_eq!(waiter.wait(0), 1000);
    waiter.renew(1000);
    assert_eq!(waiter.wait(0), 0);
    waiter.patience.begin(attempt(1, 2), at(10_000));
    assert_eq!(waiter.wait(0), 1000);
    waiter.renew(999);
    assert_eq!(waiter.wait(0), 0);
    waiter.renew(3000);
    assert_eq!(waiter.wait(0), 3000);
    assert_eq!(waiter.patience.left(at(0)).count(), 2);
}

#[test]
fn at_its_deadline_an_attempt_is_waited_for_again_and_that_is_held_against_nobody() {
    let mut waiter = Waiter::new();
    waiter.patience.begin(attempt(1, 1), at(10_000));
    waiter.wait(0);
    assert_eq!(waiter.patience.left(at(9_999)).count(), 1);
    assert_eq!(waiter.patience.left(at(10_000)).count(), 0);
    assert_eq!(waiter.wait(10_000), 1000);
    assert_eq!(waiter.patience.left(at(10_000)).count(), 1);
    assert_eq!(waiter.patience.next_deadline(at(10_000)), None);
    // Whatever holds it up is no receiver, and is waited for again.
    assert_eq!(waiter.wait(10_001), 1000);
    waiter.patience.end(attempt(1, 1));
    waiter.patience.begin(attempt(1, 2), at(100_000));
    assert_eq!(waiter.wait(99_000), 250);
    assert_eq!((waiter.wait(100_000), waiter.wait(100_000)), (1000, 0));
    waiter.renew(1000);
    assert_eq!(waiter.wait(100_000), 1000, "in the next advance, too");
}

#[test]
fn while_others_answer_nobody_is_left_before_his_turn_can_have_come() {
    let mut waiter = Waiter::new();
    for n in 0..100 {
        waiter.patience.begin(attempt(n, 1), at(10_000));
    }
    // A receiver of all of them takes 100 ms for each, one after the other.
    for n in 0..100 {
        assert!(waiter.look(0).is_some_and(|again| again >= waiter.real_ms));
        assert_eq!(waiter.patience.left(at(0)).count(), 0, "{n}");
        waiter.real_ms += 100;
        waiter.patience.end(attempt(n, 1));
    }
    assert_eq!(waiter.look(0), None);
}

#[test]
fn endless_traffic_beside_one_that_hangs_does_not_hold_the_clock() {
    let mut waiter = Waiter::new();
    waiter.patience.begin(attempt(9, 0), at(10_000));
    for n in 1..=100 {
        waiter.patience.begin(attempt(1, n), at(5_000));
        waiter.look(0);
        let left: Vec<Token> = waiter.patience.left(at(0)).collect();
        let expected = usize::from(waiter.real_ms >= PATIENCE_MS);
        assert_eq!(left.len(), expected, "after {} ms", waiter.real_ms);
        waiter.real_ms += 20;
        waiter.patience.end(attempt(1, n));
    }
}

#[test]
fn several_that_hang_beside_endless_traffic_are_left_one_patience_after_the_other() {
    let mut waiter = Waiter::new();
    for endpoint in 5..8 {
        waiter.patience.begin(attempt(endpoint, 0), at(10_000));
    }
    let mut left = Vec::new();
    for n in 1..=200 {
        waiter.patience.begin(attempt(1, n), at(10_000));
        waiter.look(0);
        left.push(waiter.patience.left(at(0)).count());
        waiter.real_ms += 20;
        waiter.patience.end(attempt(1, n));
    }
    let after = |ms: usize| left[ms / 20];
    assert_eq!(
        [0, 980, 1000, 1980, 2000, 2980, 3000].map(after),
        [0, 0, 1, 1, 2, 2, 3]
    );
}

#[test]
fn what_the_clock_holds_is_not_waited_for_and_has_its_whole_wait_behind_that() {
    let mut waiter = Waiter::new();
    waiter.patience.begin(attempt(1, 1), at(10_000));
    assert_eq!(waiter.patience.look(at(0), ms(0), |_| true), None);
    assert_eq!(waiter.patience.look(at(0), ms(5000), |_| true), None);
    waiter.real_ms = 5000;
    assert_eq!(waiter.wait(0), 1000);
}
