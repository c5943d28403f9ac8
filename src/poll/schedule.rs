//! What one source is asked when: rounds, retries, and waits that the server asks for. Pure.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::vendor::zenovay::polling::{Came, Pace, RETRIES_MAX, Resource};

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
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const SAME: Step = Step::Done(Came::Same, Duration::ZERO);
    const CHANGED: Step = Step::Done(Came::Changed, Duration::ZERO);
    const FAILED: Step = Step::Done(Came::Nothing, Duration::ZERO);

    fn schedule(resources: &[Resource], adaptive: bool) -> Schedule {
        Schedule::new(resources.iter().copied(), None, adaptive, at(0))
    }

    /// Asks what is next, when it is due.
    fn step(schedule: &mut Schedule, step: Step) -> (Resource, Timestamp, Verdict) {
        let (resource, due) = schedule.next().unwrap();
        schedule.begins(resource, due);
        let verdict = schedule.ended(resource, step, due);
        (resource, due, verdict)
    }

    #[test]
    fn zrt_23_everything_is_asked_for_at_once_and_then_as_often_as_the_vendor_advises() {
        let mut schedule = schedule(&Resource::ALL, false);
        let mut asked = Vec::new();
        while schedule.next().unwrap().1 <= at(300) {
            asked.push(step(&mut schedule, SAME));
        }
        let times = |wanted| {
            let each = asked
                .iter()
                .filter(move |(resource, ..)| *resource == wanted);
            each.map(|(_, due, _)| due.as_millis() / 1000)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            times(Resource::Live),
            (0..31).map(|n| n * 10).collect::<Vec<_>>()
        );
        for each_minute in [Resource::Overview, Resource::Visitors] {
            assert_eq!(times(each_minute), [0, 60, 120, 180, 240, 300]);
        }
        assert_eq!(times(Resource::ErrorGroups), [0, 300]);
    }

    #[test]
    fn zss_04_zss_07_a_429_is_waited_out_three_times_and_the_fourth_is_a_failed_round() {
        let mut schedule = schedule(&[Resource::Overview], false);
        let limited = Step::Limited(seconds(7));
        for time in [0, 7, 14] {
            let (_, due, verdict) = step(&mut schedule, limited);
            assert_eq!((due, verdict), (at(time), Verdict::GoesOn));
        }
        let (_, due, verdict) = step(&mut schedule, limited);
        assert_eq!((due, verdict), (at(21), Verdict::Fails { anew: true }));
        assert_eq!(schedule.next().unwrap().1, at(60), "the next regular round");
        let (_, _, verdict) = step(&mut schedule, Step::Limited(seconds(90)));
        assert_eq!(verdict, Verdict::GoesOn, "with retries of its own");
        let (_, due, verdict) = step(&mut schedule, SAME);
        assert_eq!((due, verdict), (at(150), Verdict::Works { again: true }));
        assert_eq!(
            schedule.next().unwrap().1,
            at(180),
            "rounds begin when they would have"
        );
    }

    #[test]
    fn zss_07_the_last_429_is_waited_out_too() {
        let mut schedule = schedule(&[Resource::Live], false);
        for _ in 0..4 {
            step(&mut schedule, Step::Limited(seconds(30)));
        }
        assert_eq!(schedule.next().unwrap().1, at(120));
    }

    #[test]
    fn x_07_a_429_rests_all_that_is_asked_with_the_key_and_not_the_live_count() {
        let mut schedule = schedule(
            &[Resource::Live, Resource::Overview, Resource::Visitors],
            false,
        );
        step(&mut schedule, SAME);
        assert_eq!(
            step(&mut schedule, Step::Limited(seconds(15))).0,
            Resource::Overview
        );
        let asked = [0; 3].map(|_| {
            let (resource, due, _) = step(&mut schedule, SAME);
            (resource, due)
        });
        assert_eq!(
            asked,
            [
                (Resource::Live, at(10)),
                (Resource::Overview, at(15)),
                (Resource::Visitors, at(15))
            ]
        );
    }

    #[test]
    fn zss_24_nothing_is_asked_for_while_the_last_answer_is_fresh() {
        let mut schedule = schedule(&[Resource::Overview], false);
        step(&mut schedule, Step::Done(Came::Same, seconds(300)));
        assert_eq!(schedule.next().unwrap().1, at(300));
        step(&mut schedule, Step::More(seconds(100)));
        assert_eq!(
            schedule.next().unwrap().1,
            at(300),
            "the same round goes on"
        );
        step(&mut schedule, SAME);
        assert_eq!(schedule.next().unwrap().1, at(400));
    }

    #[test]
    fn zrt_21_the_first_answer_is_no_change_unless_there_was_one_before_the_start() {
        for (seen, then) in [(false, 45), (true, 15)] {
            let mut schedule = schedule(&[Resource::Live], true);
            if seen {
                schedule.has_been_seen(Resource::Live);
            }
            step(&mut schedule, CHANGED);
            assert_eq!(schedule.next().unwrap().1, at(then));
        }
    }

    #[test]
    fn failures_are_told_apart_by_whether_the_round_before_failed_too() {
        let mut schedule = schedule(&[Resource::Live], false);
        let verdicts =
            [SAME, FAILED, FAILED, CHANGED, SAME].map(|next| step(&mut schedule, next).2);
        assert_eq!(
            verdicts,
            [
                Verdict::Works { again: false },
                Verdict::Fails { anew: true },
                Verdict::Fails { anew: false },
                Verdict::Works { again: true },
                Verdict::Works { again: false },
            ]
        );
    }
}
