//! Rounds, retries and waits, as they follow from one another.

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
    let verdicts = [SAME, FAILED, FAILED, CHANGED, SAME].map(|next| step(&mut schedule, next).2);
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
