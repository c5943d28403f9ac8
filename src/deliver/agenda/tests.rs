//! When an agenda is busy, and what it sets aside.

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn is_busy(agenda: &Agenda, now: i64, tail: Seq) -> bool {
    agenda.look(at(now), tail, Duration::ZERO).is_busy
}

#[test]
fn an_agenda_is_busy_while_something_is_due_or_under_way_and_forgets_who_leaves() {
    let agenda = Agenda::default();
    agenda.renew(Duration::from_secs(1), Duration::ZERO);
    let next = |now| agenda.next_after(at(now));
    assert_eq!((is_busy(&agenda, 0, 1), next(0)), (false, None));
    let (one, other) = (agenda.join(at(10)), agenda.join(at(20)));
    assert!(!is_busy(&agenda, 9, 1) && is_busy(&agenda, 10, 1));
    assert_eq!((next(0), next(10)), (Some(at(10)), Some(at(20))));
    one.works_until(at(30));
    assert!(is_busy(&agenda, 0, 1));
    assert_eq!((next(0), next(20)), (Some(at(20)), Some(at(30))));
    one.waits_until(at(40));
    assert!(!is_busy(&agenda, 0, 1));
    drop(other);
    assert_eq!(next(0), Some(at(40)));
}

#[test]
fn a_question_that_was_asked_in_vain_is_waited_for_again_at_its_deadline_and_work_at_each_moment() {
    let agenda = Agenda::default();
    agenda.renew(Duration::from_secs(1), Duration::ZERO);
    let busy = |now, after| {
        let look = agenda.look(at(now), 1, Duration::from_millis(after));
        (look.is_busy, look.again.map(|again| again.as_millis()))
    };
    let slot = agenda.join(at(0));
    slot.asks_until(at(30));
    assert_eq!(busy(0, 5), (true, Some(1005)));
    assert_eq!(busy(0, 1005), (false, None));
    assert_eq!(agenda.next_after(at(0)), Some(at(30)));
    assert_eq!(busy(29, 1006), (false, None));
    assert_eq!(busy(30, 1010), (true, Some(2010)));
    slot.asks_until(at(60));
    assert_eq!(busy(30, 1020), (true, Some(1270)));
    slot.works_until(at(60));
    for (now, after) in [(30, 2000), (31, 4000), (32, 6000)] {
        assert!(busy(now, after).0, "at {now}");
        assert_eq!(busy(now, after + 1000), (false, None));
        assert_eq!(busy(now, after + 1001), (false, None));
    }
}

#[test]
fn an_attempt_that_only_the_clock_brings_on_is_set_aside_once_and_tried_by_no_patience() {
    let agenda = Agenda::default();
    agenda.renew(Duration::from_secs(1), Duration::ZERO);
    let token = Token {
        endpoint: 1,
        seq: 2,
        generation: 3,
    };
    agenda.begin(token, at(30));
    let hold = agenda.hold(at(20), token);
    let look = |now, after| {
        let look = agenda.look(at(now), 1, Duration::from_secs(after));
        (look.aside, look.again.map(|again| again.as_secs()))
    };
    assert_eq!(look(0, 0), (vec![token], None));
    assert_eq!(look(0, 9), (vec![token], None));
    assert_eq!(agenda.next_after(at(0)), Some(at(20)));
    assert_eq!(look(20, 10), (vec![], Some(11)));
    drop(hold);
    assert_eq!(look(20, 11), (vec![token], None));
    let _slot = agenda.hold(at(25), token);
    assert_eq!(look(20, 12), (vec![token], None), "not twice");
    agenda.end(token);
    assert_eq!(agenda.next_after(at(25)), None);
}

#[test]
fn who_rests_is_busy_as_soon_as_the_log_is_longer_than_he_knows() {
    let agenda = Agenda::default();
    let slot = agenda.join(at(0));
    slot.rests_until(at(50), 7);
    assert_eq!(agenda.next_after(at(0)), Some(at(50)));
    assert!(!is_busy(&agenda, 49, 7));
    assert!(is_busy(&agenda, 49, 8) && is_busy(&agenda, 50, 7));
}
