//! What one source is asked when: rounds, retries, and waits that the server asks for. Pure.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::vendor::zenovay::pace::{Came, Pace};
use crate::vendor::zenovay::polling::{RETRIES_MAX, Resource};

/// The rounds of a source. All times are of a clock that nobody sets.
#[derive(Debug)]
pub(super) struct Schedule {
    plans: Vec<Plan>,
    /// A 429 is about the key, and so about all that is asked with it.
    key_rests_until: Timestamp,
}

#[derive(Debug)]
struct Plan {
    resource: Resource,
    pace: Pace,
    due: Timestamp,
    /// When its round began, while there is one.
    began: Option<Timestamp>,
    retries: u32,
    /// Until when its last 429 asks for patience.
    rests_until: Timestamp,
    /// Until when its last answer is fresh (ZSS-24).
    fresh_until: Timestamp,
    /// Whether there is anything to compare with.
    seen: bool,
    failing: bool,
}

/// What a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The round is over. What came is fresh for so long.
    Done(Came, Duration),
    /// The round goes on with another request, now.
    More(Duration),
    /// 429: the same request again, not before so long (ZSS-04).
    Limited(Duration),
}

/// What a request means to its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not over.
    GoesOn,
    /// It brought what was wanted; `again` where the one before had not.
    Works { again: bool },
    /// It brought nothing; `anew` where the one before had not failed.
    Fails { anew: bool },
}

impl Plan {
    /// The round has ended.
    fn over(&mut self, came: Came, step: Step, now: Timestamp) -> Verdict {
        let came = match came {
            // The first is no change (ZRT-21).
            Came::Changed if !self.seen => Came::Same,
            came => came,
        };
        self.retries = 0;
        let began = self.began.take().unwrap_or(now);
        // The last 429 is waited out, too (ZSS-07).
        let told = match step {
            Step::Limited(_) => self.due,
            Step::Done(..) | Step::More(_) => self.fresh_until,
        };
        self.due = self.pace.next(came, began, now).max(told);
        let failed = came == Came::Nothing;
        let changes = failed != self.failing;
        self.failing = failed;
        self.seen |= !failed;
        match failed {
            true => Verdict::Fails { anew: changes },
            false => Verdict::Works { again: changes },
        }
    }
}

impl Schedule {
    /// Each of `resources` for the first time at `now`, then as often as `interval` says or the
    /// vendor advises, or as it changes.
    pub(super) fn new(
        resources: impl IntoIterator<Item = Resource>,
        interval: Option<Duration>,
        adaptive: bool,
        now: Timestamp,
    ) -> Self {
        let plan = |resource| Plan {
            resource,
            pace: match adaptive {
                true => Pace::adaptive(resource),
                false => Pace::steady(resource, interval),
            },
            due: now,
            began: None,
            retries: 0,
            rests_until: now,
            fresh_until: now,
            seen: false,
            failing: false,
        };
        Self {
            plans: resources.into_iter().map(plan).collect(),
            key_rests_until: now,
        }
    }

    /// There is something of before to compare with: what differs from it is a change.
    pub(super) fn has_been_seen(&mut self, resource: Resource) {
        let plans = self.plans.iter_mut();
        for plan in plans.filter(|plan| plan.resource == resource) {
            plan.seen = true;
        }
    }

    /// What is asked next, and when; the first of those that are due at once.
    pub(super) fn next(&self) -> Option<(Resource, Timestamp)> {
        let each = self
            .plans
            .iter()
            .map(|plan| (plan.resource, self.due(plan)));
        each.min_by_key(|(_, due)| *due)
    }

    /// A request for `resource` begins, and perhaps its round.
    pub(super) fn begins(&mut self, resource: Resource, now: Timestamp) {
        if let Some(plan) = self.plan(resource) {
            plan.began.get_or_insert(now);
        }
    }

    /// The request has ended at `now`.
    pub(super) fn ended(&mut self, resource: Resource, step: Step, now: Timestamp) -> Verdict {
        let mut rests_until = self.key_rests_until;
        let Some(plan) = self.plan(resource) else {
            return Verdict::GoesOn;
        };
        let came = match step {
            Step::More(fresh) => {
                plan.fresh_until = plan.fresh_until.max(now.plus(fresh));
                plan.retries = 0;
                plan.due = now;
                return Verdict::GoesOn;
            }
            Step::Limited(wait) => {
                plan.due = now.plus(wait);
                plan.rests_until = plan.due;
                if resource.wants_key() {
                    rests_until = rests_until.max(plan.due);
                }
                plan.retries += 1;
                (plan.retries > RETRIES_MAX).then_some(Came::Nothing)
            }
            Step::Done(came, fresh) => {
                plan.fresh_until = plan.fresh_until.max(now.plus(fresh));
                Some(came)
            }
        };
        let verdict = match came {
            None => Verdict::GoesOn,
            Some(came) => plan.over(came, step, now),
        };
        self.key_rests_until = rests_until;
        verdict
    }

    /// What is not asked for at `now` because of a 429.
    pub(super) fn resting(&self, now: Timestamp) -> impl Iterator<Item = Resource> {
        let rests = move |plan: &&Plan| {
            let of_key = plan.resource.wants_key() && self.key_rests_until > now;
            of_key || plan.rests_until > now
        };
        self.plans.iter().filter(rests).map(|plan| plan.resource)
    }

    fn plan(&mut self, resource: Resource) -> Option<&mut Plan> {
        let mut plans = self.plans.iter_mut();
        plans.find(|plan| plan.resource == resource)
    }

    fn due(&self, plan: &Plan) -> Timestamp {
        match plan.resource.wants_key() {
            true => plan.due.max(self.key_rests_until),
            false => plan.due,
        }
    }
}

#[cfg(test)]
mod tests;
