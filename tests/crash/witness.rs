//! What the receiver saw beside what the broker has on record, now that all has ended.

use std::collections::HashMap;
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::Value;

use crate::cast::{self, delay_after};
use crate::ledger::{Logged, count, text};
use crate::payload;
use crate::process::receiver::Seen;
use crate::registry::Registry;

/// The time-out of every policy.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may lie in memory at most: until the group that is being written is on a disk
/// that is busy with others, and then the next.
const UNSAVED: Duration = Duration::from_secs(1);

/// An end of a process that it did not choose.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub at: Timestamp,
    /// When all that it had sent was seen.
    pub over: Timestamp,
}

/// All that is known from outside.
pub struct Witness<'a> {
    pub log: &'a [Logged],
    pub registry: &'a Registry,
    pub ends: &'a [End],
}

/// An endpoint that has come to rest, and what the broker has on record of it.
pub struct Case<'a> {
    pub name: &'a str,
    pub policy: &'a str,
    pub removed: bool,
    /// With all their attempts.
    pub deliveries: &'a [Value],
    /// What came for it, in the order of arrival.
    pub seen: &'a [&'a Seen],
}

/// How often requests came again, and after what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repeats {
    pub count: usize,
    /// How long before the end of the process the attempt that was forgotten had been answered.
    pub longest: Duration,
}

impl Repeats {
    fn add(&mut self, answered_before: Duration) {
        self.count += 1;
        self.longest = self.longest.max(answered_before);
    }

    pub fn join(&mut self, other: Self) {
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }
}

impl Witness<'_> {
    /// Checks that both agree and that no rule was broken.
    pub fn check(&self, case: &Case<'_>) -> Repeats {
        let mut by_delivery: HashMap<&str, Vec<&Seen>> = HashMap::new();
        for post in case.seen {
            let id = post.header("redeliver-delivery-id");
            by_delivery.entry(id).or_default().push(post);
        }
        let mut repeats = Repeats::default();
        for delivery in case.deliveries {
            let posts = by_delivery.remove(text(&delivery["id"]));
            let posts = posts.unwrap_or_default();
            check_end(case, delivery, &posts);
            self.check_last(case, delivery, &posts);
            self.check_requests(delivery, &posts);
            self.recorded_in_time(case, delivery);
            repeats.join(self.seen_in_time(case, &posts));
        }
        assert!(
            by_delivery.is_empty(),
            "sent to {} but not on record: {by_delivery:?}",
            case.name
        );
        self.check_after_410(case);
        if cast::is_in_order(case.policy) {
            self.check_order(case);
        }
        repeats
    }

    /// No attempt was seen that is not on record; but one that was under way at the removal may have
    /// been cut short, one that was put back by a request without an answer may be forgotten with
    /// that request, and those that a process forgot with its end are not repeated if the endpoint
    /// is removed next.
    fn check_last(&self, case: &Case<'_>, delivery: &Value, posts: &[&Seen]) {
        let recorded = count(&delivery["attempt_count"]) as u32;
        for post in posts.iter().filter(|post| post.attempt() > recorded) {
            let forgotten = self.registry.was_lost_at(case.name, post.arrived);
            let excused = match post.attempt() == recorded + 1 {
                true => case.removed || forgotten,
                false => case.removed && self.was_forgotten(post),
            };
            assert!(excused, "{delivery} {posts:?}");
        }
        let last = posts.iter().map(|post| post.attempt()).max();
        assert!(last.unwrap_or_default() >= recorded, "{delivery} {posts:?}");
    }

    /// Whether a process ended before it had to have this on disk.
    fn was_forgotten(&self, post: &Seen) -> bool {
        let shortly = |end: &End| end.over >= post.arrived && end.at.since(post.arrived) < UNSAVED;
        self.ends.iter().any(shortly)
    }

    /// The same ids and bytes at every attempt: those of the event.
    fn check_requests(&self, delivery: &Value, posts: &[&Seen]) {
        let event = &self.log[count(&delivery["seq"]) as usize - 1];
        assert_eq!(delivery["event_id"], event.id);
        for post in posts {
            assert_eq!(post.header("redeliver-event-id"), event.id);
            assert_eq!(post.header("webhook-id"), event.id);
            assert!(post.body == posts[0].body, "{post:?}");
        }
        if let Some(post) = posts.first() {
            payload::check(post, &event.key);
        }
    }

    /// By the record: numbers without a gap, none begun before it was due.
    fn recorded_in_time(&self, case: &Case<'_>, delivery: &Value) {
        let attempts = delivery["attempts"].as_array().unwrap();
        for (at, attempt) in attempts.iter().enumerate() {
            assert_eq!(count(&attempt["number"]), at as u64 + 1, "{delivery}");
        }
        for (attempt, next) in attempts.iter().zip(attempts.iter().skip(1)) {
            let (ended, started) = (time(&attempt["ended_at"]), time(&next["started_at"]));
            let due = ended.plus(delay_after(case.policy, count(&attempt["number"]) as u32));
            let restarted = self.registry.restarts_between(case.name, ended, started);
            assert!(started >= due || restarted, "early: {delivery}");
        }
    }

    /// By the receiver's own clock: numbers without a gap, each attempt no sooner than its delay
    /// after the one before it was answered, none twice unless the process ended in between.
    fn seen_in_time(&self, case: &Case<'_>, posts: &[&Seen]) -> Repeats {
        let mut repeats = Repeats::default();
        for (at, post) in posts.iter().enumerate() {
            let number = post.attempt();
            // One that was not answered ended later than it came in.
            let ended = |seen: &Seen| seen.answered.map_or(seen.arrived, |(_, at)| at);
            let latest = |number| posts[..at].iter().rev().find(|b| b.attempt() == number);
            if let Some(same) = latest(number) {
                let end = self.end_between(same, post);
                let end = end.unwrap_or_else(|| panic!("repeated without a cause: {posts:?}"));
                repeats.add(
                    same.answered
                        .map_or(Duration::ZERO, |(_, at)| end.since(at)),
                );
            }
            if number == 1 {
                continue;
            }
            let failed = latest(number - 1);
            let failed = failed.unwrap_or_else(|| panic!("attempt {number} came first: {posts:?}"));
            let due = ended(failed).plus(delay_after(case.policy, number - 1));
            let restarted = self
                .registry
                .restarts_between(case.name, failed.arrived, post.arrived);
            assert!(
                post.arrived >= due || restarted,
                "{} before {due}: {posts:?}",
                post.arrived
            );
        }
        repeats
    }

    /// When a process ended that may have forgotten what came before `after`.
    fn end_between(&self, before: &Seen, after: &Seen) -> Option<Timestamp> {
        let between = |end: &&End| before.arrived <= end.over && end.over <= after.arrived;
        self.ends.iter().find(between).map(|end| end.at)
    }

    /// No event is seen before all those before it have been taken.
    fn check_order(&self, case: &Case<'_>) {
        let seqs: HashMap<&str, u64> = (1..)
            .zip(self.log)
            .map(|(seq, event)| (&*event.id, seq))
            .collect();
        let mut next = case.deliveries.iter().map(|d| count(&d["seq"])).min();
        for post in case.seen {
            let seq = seqs[post.header("redeliver-event-id")];
            let next = next.as_mut().unwrap();
            assert!(
                seq <= *next,
                "{} saw event {seq} before {next}: {post:?}",
                case.name
            );
            let taken = matches!(post.answered, Some((200, _)));
            *next += u64::from(taken && seq == *next);
        }
    }

    /// An answer of 410 is the last thing that is seen of an endpoint that it removes, and until
    /// the operator says so of one that it pauses, unless the process ended before it was on disk.
    fn check_after_410(&self, case: &Case<'_>) {
        let mut gone: Option<&Seen> = None;
        for post in case.seen {
            if let Some(gone) = gone {
                let (from, to) = (gone.arrived, post.arrived);
                let paused = case.policy == "brittle";
                let resumed = paused && self.registry.restarts_between(case.name, from, to);
                assert!(
                    resumed || self.end_between(gone, post).is_some() || timed_out(case, gone),
                    "sent after 410: {gone:?} {post:?}"
                );
            }
            if matches!(post.answered, Some((410, _))) {
                gone = Some(post);
            }
        }
    }
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(text(value)).unwrap()
}

/// Exactly one end, and the one that the last answer means.
fn check_end(case: &Case<'_>, delivery: &Value, posts: &[&Seen]) {
    let attempts = delivery["attempts"].as_array().unwrap();
    assert_eq!(count(&delivery["attempt_count"]), attempts.len() as u64);
    let success = attempts.last().is_some_and(|last| last["status"] == 200);
    match text(&delivery["status"]) {
        "delivered" => assert!(success, "{delivery}"),
        "dead" => assert!(!success && attempts.len() >= 3, "{delivery}"),
        "removed" => assert!(!success && case.removed, "{delivery}"),
        _ => panic!("not ended: {delivery}"),
    }
    for attempt in attempts {
        let number = count(&attempt["number"]) as u32;
        let mut answers = posts.iter().filter(|post| post.attempt() == number);
        let agrees = match attempt["status"].as_u64() {
            // What was not answered, or too late.
            None => answers.next().is_some() && took_too_long(attempt),
            Some(status) => answers.any(|post| {
                post.answered
                    .is_some_and(|(answer, _)| u64::from(answer) == status)
            }),
        };
        assert!(agrees, "{delivery} {posts:?}");
    }
}

fn took_too_long(attempt: &Value) -> bool {
    time(&attempt["ended_at"]).since(time(&attempt["started_at"])) >= TIMEOUT
}

/// Whether the broker had given this request up before it was answered.
fn timed_out(case: &Case<'_>, seen: &Seen) -> bool {
    let id = seen.header("redeliver-delivery-id");
    let delivery = case.deliveries.iter().find(|delivery| delivery["id"] == id);
    let attempt = delivery.map(|delivery| &delivery["attempts"][seen.attempt() as usize - 1]);
    attempt.is_some_and(|attempt| attempt["status"].is_null() && attempt.is_object())
}
