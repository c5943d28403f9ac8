//! The plan: which faults an attempt suffers. The same seed gives the same plan.

use std::hash::Hasher;
use std::time::Duration;

use siphasher::sip::SipHasher13;

use super::{Attempts, Events, Fault, Rule};
use crate::endpoint::Order;
use crate::event::NewEvent;
use crate::id::Seq;

/// The most rules of a plan: each is looked at for each attempt.
pub const RULES_MAX: usize = 1000;

/// Which faults are done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    seed: u64,
    rules: Vec<Rule>,
}

/// Rules of which no plan can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// ESP-16, ESP-17.
    #[error("this vendor sends in order, and reorders nothing; leave reorder out")]
    InOrder,
    /// More than [`RULES_MAX`].
    #[error("more than {RULES_MAX} faults are given; leave some out")]
    TooMany,
}

/// An attempt, as far as a plan asks.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The event's place in the log.
    pub seq: Seq,
    /// The event.
    pub event: &'a NewEvent,
    /// The endpoint's number.
    pub endpoint: u32,
    /// Whether its events wait for one another.
    pub order: Order,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

impl Plan {
    /// The plan of these rules, of which the first [`RULES_MAX`] count.
    pub fn new(seed: u64, mut rules: Vec<Rule>) -> Self {
        rules.truncate(RULES_MAX);
        Self { seed, rules }
    }

    /// The plan of these rules, for a vendor that sends in this order.
    pub fn for_order(seed: u64, rules: Vec<Rule>, order: Order) -> Result<Self, InvalidPlan> {
        if order == Order::InOrder && rules.iter().any(|rule| rule.fault == Fault::Reorder) {
            return Err(InvalidPlan::InOrder);
        }
        if rules.len() > RULES_MAX {
            return Err(InvalidPlan::TooMany);
        }
        Ok(Self::new(seed, rules))
    }

    /// Whether nothing is ever done.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What an attempt suffers, each with its time, in the order in which it is done. Of two rules
    /// for one fault that both hold, the first counts.
    pub fn faults(&self, occasion: Occasion<'_>) -> Vec<(Fault, Duration)> {
        let mut faults: Vec<(Fault, Duration)> = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let is_new = faults.iter().all(|(fault, _)| *fault != rule.fault);
            if is_new && self.holds(index, rule, occasion) {
                faults.push((rule.fault, rule.time()));
            }
        }
        faults.sort_unstable_by_key(|(fault, _)| *fault);
        faults
    }

    fn holds(&self, index: usize, rule: &Rule, occasion: Occasion<'_>) -> bool {
        let in_turn = rule.fault != Fault::Reorder || occasion.order == Order::Independent;
        let event = match rule.events {
            Events::All => true,
            Events::One(seq) => seq == occasion.seq,
            Events::Every(nth) => nth > 0 && occasion.seq.is_multiple_of(nth),
        };
        let attempt = match rule.attempts {
            Attempts::Every => true,
            Attempts::One(number) => number == occasion.attempt,
        };
        let selects = |filter: &crate::endpoint::Filter| filter.matches(occasion.event);
        in_turn
            && event
            && attempt
            && rule.filter.as_ref().is_none_or(selects)
            && self.chance(index, occasion) < rule.probability
    }

    /// From 0 up to 1, by the seed, for this rule at this attempt: whatever else happens, and in
    /// whichever order, it is the same.
    fn chance(&self, index: usize, occasion: Occasion<'_>) -> f64 {
        let mut hasher = SipHasher13::new_with_keys(self.seed, index as u64);
        hasher.write_u64(occasion.seq);
        hasher.write_u32(occasion.endpoint);
        hasher.write_u32(occasion.attempt);
        // 53 bits are what an f64 holds exactly.
        (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Form;

    fn event() -> NewEvent {
        NewEvent {
            source: "api".into(),
            kind: "order.paid".into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: Default::default(),
            status: None,
            idempotency_key: None,
        }
    }

    /// The faults of the attempts 1 to 3 at the events 1 to `events`.
    fn suffered(plan: &Plan, events: u64, order: Order) -> Vec<(u64, u32, Vec<Fault>)> {
        let event = event();
        let mut all = Vec::new();
        for seq in 1..=events {
            for attempt in 1..=3 {
                let faults = plan.faults(Occasion {
                    seq,
                    event: &event,
                    endpoint: 0,
                    order,
                    attempt,
                });
                let faults: Vec<_> = faults.into_iter().map(|(fault, _)| fault).collect();
                if !faults.is_empty() {
                    all.push((seq, attempt, faults));
                }
            }
        }
        all
    }

    fn plan(seed: u64, rules: &[&str]) -> Plan {
        Plan::new(
            seed,
            rules.iter().map(|rule| rule.parse().unwrap()).collect(),
        )
    }

    #[test]
    fn a_plain_rule_is_for_each_first_attempt_and_faults_come_in_the_order_of_their_doing() {
        let plan = plan(7, &["duplicate", "delay=1s", "wrong-signature"]);
        let all = vec![Fault::Delay, Fault::WrongSignature, Fault::Duplicate];
        let expected = vec![(1, 1, all.clone()), (2, 1, all)];
        assert_eq!(suffered(&plan, 2, Order::Independent), expected);
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
        let of = |seed| {
            suffered(
                &plan(seed, &["cut=0.2", "stale=0.2"]),
                100,
                Order::Independent,
            )
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_probability_is_kept_to_over_many_attempts_and_each_rule_has_its_own_chance() {
        let of = |fault: Fault, all: &[(u64, u32, Vec<Fault>)]| {
            all.iter()
                .filter(|(_, _, found)| found.contains(&fault))
                .count()
        };
        let all = suffered(
            &plan(3, &["cut=0.2", "stale=0.2"]),
            10_000,
            Order::Independent,
        );
        for fault in [Fault::Cut, Fault::Stale] {
            // 6,000 of 30,000 are to be expected, with a standard deviation of 69.
            assert!((5_700..6_300).contains(&of(fault, &all)));
        }
        let both = all
            .iter()
            .filter(|(_, _, faults)| faults.len() == 2)
            .count();
        assert!(
            (1_000..1_400).contains(&both),
            "1,200 are to be expected: {both}"
        );
    }

    #[test]
    fn esp_16_what_is_sent_in_order_is_never_held_back() {
        let plan = plan(7, &["reorder@1"]);
        assert_eq!(suffered(&plan, 10, Order::InOrder), []);
        assert_eq!(suffered(&plan, 10, Order::Independent).len(), 30);
    }

    #[test]
    fn a_rule_may_name_an_event_each_nth_event_a_type_and_an_attempt() {
        let cut = Rule::new(Fault::Cut);
        let of = |rule: Rule| suffered(&Plan::new(0, vec![rule]), 7, Order::Independent);
        let numbers = |rule| {
            of(rule)
                .iter()
                .map(|(s, a, _)| (*s, *a))
                .collect::<Vec<_>>()
        };
        let rule = Rule {
            events: Events::One(3),
            ..cut.clone()
        };
        assert_eq!(numbers(rule), [(3, 1)]);
        let rule = Rule {
            events: Events::Every(3),
            attempts: Attempts::One(2),
            ..cut.clone()
        };
        assert_eq!(numbers(rule), [(3, 2), (6, 2)]);
        assert_eq!(of(cut.clone().with_type(Some("order.*"))).len(), 7);
        assert_eq!(of(cut.clone().with_type(Some("orders.*"))).len(), 0);
        let every = cut.with_attempts(Some(Attempts::Every), None);
        assert_eq!(of(every).len(), 21);
    }
}
