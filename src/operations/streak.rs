//! How long each endpoint has been failing. Pure.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::config::Operations;
use crate::id::{DeliveryId, EventId};
use crate::store::{Claim, Outcome, Settlement};

/// The last of some attempts that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// At which delivery.
    pub delivery: DeliveryId,
    /// Of which event.
    pub event: EventId,
    /// Its type.
    pub kind: String,
    /// Which attempt it was.
    pub attempt: u32,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// What went wrong, if no usable answer came.
    pub error: Option<String>,
}

/// Attempts in a row that failed, over all deliveries of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streak {
    /// When the first of them ended.
    pub since: Timestamp,
    /// How many.
    pub attempts: u64,
    /// The last of them.
    pub last: Failure,
}

impl Streak {
    /// From when on the endpoint is failing by these rules.
    pub fn failing_from(&self, rules: &Operations) -> Option<Timestamp> {
        rules.failing_from(self.since, self.attempts)
    }
}

/// The last delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Its last attempt; where it was given up without one, how many it had, and why.
    pub last: Failure,
    /// Why it was given up, in words.
    pub reason: String,
}

/// What a failed attempt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// From when on the endpoint is failing, unless that was told or there are too few attempts.
    pub failing_from: Option<Timestamp>,
    /// Whether it is the first dead letter since dead letters were told.
    pub is_first_dead: bool,
}

/// Those of every endpoint that fails.
#[derive(Debug, Default)]
pub struct Streaks {
    running: HashMap<u32, Streak>,
    /// Whose streak has ended by a success, and when; until it is told.
    ended: HashMap<u32, Timestamp>,
    /// Endpoints of which it was told that they fail.
    told: Vec<u32>,
    /// The last dead letter of each, until it is told.
    dead: HashMap<u32, Dead>,
}

impl Streaks {
    /// Whether a success would be of no interest.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty() && self.told.is_empty()
    }

    /// An attempt has failed.
    pub fn fail(&mut self, rules: &Operations, claim: &Claim, settlement: &Settlement) -> Failed {
        let attempt = &settlement.attempt;
        let number = claim.endpoint.number;
        let last = Failure {
            delivery: DeliveryId::new(claim.event.id, number),
            event: claim.event.id,
            kind: claim.event.content.kind.to_string(),
            attempt: attempt.number,
            status: attempt.status,
            error: attempt.error.clone(),
        };
        let is_dead = settlement.outcome == Outcome::Dead;
        let is_first_dead = is_dead && {
            let policy = &claim.endpoint.settings.policy;
            let reason = format!("policy {policy} gave up after attempt {}", attempt.number);
            let last = last.clone();
            self.give_up(number, Dead { last, reason })
        };
        let streak = self.running.entry(number).or_insert_with(|| Streak {
            since: attempt.ended_at,
            attempts: 0,
            last: last.clone(),
        });
        streak.attempts += 1;
        streak.last = last;
        // A clock that was set back must not silence it for as long.
        streak.since = streak.since.min(attempt.ended_at);
        // What was told already is no news.
        let is_told = self.told.contains(&number);
        Failed {
            failing_from: streak.failing_from(rules).filter(|_| !is_told),
            is_first_dead,
        }
    }

    /// When the next endpoint of those that were not told is failing by these rules. Those that
    /// are so at `now` already are not waited for.
    pub fn next_failing(&self, rules: &Operations, now: Timestamp) -> Option<Timestamp> {
        let open = self.running.iter();
        let open = open.filter(|(number, _)| !self.told.contains(number));
        let dues = open.filter_map(|(_, streak)| streak.failing_from(rules));
        dues.filter(|due| *due > now).min()
    }

    /// A delivery was given up. Whether it is the first since dead letters were told.
    pub fn give_up(&mut self, number: u32, dead: Dead) -> bool {
        self.dead.insert(number, dead).is_none()
    }

    /// An attempt has succeeded at `at`. Whether that is of interest.
    pub fn succeed(&mut self, number: u32, at: Timestamp) -> bool {
        self.running.remove(&number);
        let was_told = self.told.contains(&number);
        if was_told {
            self.ended.insert(number, at);
        }
        was_told
    }

    /// From now on it is known that exactly these endpoints were told to be failing.
    pub fn tell(&mut self, told: Vec<u32>) {
        self.ended.retain(|number, _| told.contains(number));
        self.told = told;
    }

    /// The streak of an endpoint that fails.
    pub fn running(&self, number: u32) -> Option<&Streak> {
        self.running.get(&number)
    }

    /// When an endpoint that was told to be failing last succeeded.
    pub fn ended(&self, number: u32) -> Option<Timestamp> {
        self.ended.get(&number).copied()
    }

    /// The last dead letter since the last time that this was asked.
    pub fn take_dead(&mut self, number: u32) -> Option<Dead> {
        self.dead.remove(&number)
    }

    /// Forgets endpoints that are not there any more.
    pub fn retain(&mut self, present: impl Fn(u32) -> bool) {
        self.running.retain(|number, _| present(*number));
        self.ended.retain(|number, _| present(*number));
        self.dead.retain(|number, _| present(*number));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::delivery::Attempt;
    use crate::endpoint::tests::endpoint;
    use crate::event::{Event, Form, NewEvent};
    use crate::store::{Effect, Token};

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn claim() -> Claim {
        let content = NewEvent {
            source: "api".into(),
            kind: "order.paid".into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: Default::default(),
            status: None,
            idempotency_key: None,
        };
        Claim {
            token: Token {
                endpoint: 1,
                seq: 1,
                generation: 1,
            },
            endpoint: endpoint(1),
            due: AT,
            event: Arc::new(Event {
                id: EventId::new(AT, 1, 7),
                seq: 1,
                received_at: AT,
                content,
            }),
            attempt: 1,
            failures: 0,
        }
    }

    fn failed_at(ended_at: Timestamp) -> Settlement {
        Settlement {
            attempt: Attempt {
                number: 1,
                started_at: ended_at,
                ended_at,
                status: Some(500),
                error: None,
                response_excerpt: None,
            },
            outcome: Outcome::Retry {
                after: std::time::Duration::from_secs(1),
            },
            effect: Effect::None,
        }
    }

    #[test]
    fn a_clock_that_is_set_back_by_a_year_silences_no_streak_for_a_year() {
        let (rules, mut streaks) = (Operations::default(), Streaks::default());
        let mut fail = |at| streaks.fail(&rules, &claim(), &failed_at(at)).failing_from;
        assert_eq!(fail(AT), None);
        let before = AT.moved(-365 * 86_400_000);
        assert_eq!(fail(before), Some(before.plus(rules.failing_after)));
        let later = before.plus(rules.failing_after);
        assert_eq!(fail(later), Some(later));
    }
}
