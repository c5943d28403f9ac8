//! What expires, what never does, and what is known of it afterwards.

use std::time::Duration;

use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Order};
use redeliver::store::backend::Backend;
use redeliver::store::{
    EndedQuery, EndpointCommand, FoundDelivery, Options, Outcome, ReplayRequest, Retention, Store,
    verify,
};

use super::both::on_both;
use super::harness::*;

pub const HOUR_S: u64 = 3600;

on_both! {
    events_older_than_max_age_expire_and_stay_gone_over_a_restart
    an_event_that_a_delivery_waits_for_is_kept_and_goes_when_that_has_ended
    a_delivery_that_has_waited_for_too_long_is_a_dead_letter_that_says_why
    a_repeated_key_of_an_expired_event_is_a_duplicate_for_the_whole_window
    a_dead_letter_keeps_its_event_until_its_own_age_has_passed
    a_start_knows_endpoints_and_retries_when_the_records_of_them_have_expired
    what_was_found_is_put_back_once_although_its_attempts_expire_in_between
    records_above_max_bytes_go_the_oldest_first_and_no_further
    an_expired_event_is_not_put_back_and_the_others_of_its_frame_are
    nothing_expires_unless_it_is_said
    lists_pass_over_what_has_expired_however_much_it_is
    what_has_expired_of_a_frame_is_not_shown_when_the_rest_of_it_has_been_read
    an_attempt_younger_than_its_age_stays_on_record_when_no_event_comes_in
    a_replay_of_what_has_lost_its_attempts_counts_no_delivery_twice
    what_waits_counts_its_attempts_when_the_records_of_them_have_expired
}

pub fn hours(hours: u64) -> Option<Duration> {
    Some(Duration::from_secs(hours * HOUR_S))
}

pub fn keeping(retention: Retention) -> Options {
    Options {
        retention,
        ..Options::default()
    }
}

fn one_hour() -> Retention {
    Retention {
        max_age: hours(1),
        ..Retention::default()
    }
}

/// The positions that are there.
pub fn kept<I: Implementation>(world: &World<I>) -> Vec<u64> {
    let read = world.log.read(1, 1000).unwrap();
    read.iter().map(|event| event.seq).collect()
}

fn events_older_than_max_age_expire_and_stay_gone_over_a_restart<I: Implementation>() {
    let mut world = World::<I>::with(keeping(one_hour()));
    world.append_many(3);
    world.append(vec![event("large", vec![7; 50_000])]);
    world.advance(HOUR_S);
    world.append_many(2);
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    world.advance(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 4);
    for clean in [true, false, true] {
        assert_eq!(kept(&world), [5, 6]);
        assert!(world.log.event(2).unwrap().is_none());
        let figures = world.log.figures();
        assert_eq!((figures.events, figures.expired_events), (2, 4));
        assert_eq!((figures.first_seq, figures.last_seq), (Some(5), 6));
        world = world.restart(clean);
    }
    assert_eq!(world.append(vec![event("a", "")])[0].seq, 7);
    assert_eq!(kept(&world), [5, 6, 7]);
    assert!(world.log.maintain().unwrap().expired_events == 0);
}

fn an_event_that_a_delivery_waits_for_is_kept_and_goes_when_that_has_ended<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    world.append_many(2);
    let crm = world.add(settings("crm", Order::InOrder));
    world.append_many(2);
    let pause = EndpointCommand::SetState(crm, EndpointState::Paused, None);
    world.command(pause);
    world.append_many(1);
    world.advance(30 * 24 * HOUR_S);
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [3, 4, 5]);
    let world = world.restart(false);
    world.command(EndpointCommand::SetState(crm, EndpointState::Active, None));
    for seq in [3, 4] {
        let claim = world.claim().remove(0);
        assert_eq!(claim.token.seq, seq);
        assert_eq!(
            &claim.event.content.body[..],
            format!("{}", seq - 3).as_bytes()
        );
        world.settle(&claim, Outcome::Delivered);
    }
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [5]);
}

fn a_delivery_that_has_waited_for_too_long_is_a_dead_letter_that_says_why<I: Implementation>() {
    let world = World::<I>::with(keeping(Retention {
        waiting_max_age: hours(24),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::InOrder));
    world.append_many(2);
    let claim = world.claim().remove(0);
    world.settle(&claim, retry(100 * HOUR_S));
    world.advance(24 * HOUR_S);
    world.append_many(1);
    assert_eq!(world.log.maintain().unwrap().overdue_deliveries, 0);
    world.advance(1);
    assert_eq!(world.log.maintain().unwrap().overdue_deliveries, 2);
    let world = world.restart(false);
    let first = world.log.delivery(crm, 1).unwrap().unwrap();
    assert_eq!((first.status, first.attempt_count), (Status::Dead, 2));
    let why = first.attempts[1].error.clone().unwrap();
    assert!(why.contains("waiting_max_age"), "{why}");
    assert_eq!(world.log.endpoint_view(crm).unwrap().unwrap().ended.dead, 2);
    assert_eq!(world.claimed_seqs(), [3]);
    // A dead letter stays, unless the operator sets a bound for that, too.
    assert_eq!(kept(&world), [1, 2, 3]);
}

fn a_repeated_key_of_an_expired_event_is_a_duplicate_for_the_whole_window<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    let first = world.append(vec![keyed("k")])[0];
    world.advance(2 * HOUR_S);
    world.append_many(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 1);
    let world = world.restart(false);
    world.advance(2 * HOUR_S - 1);
    let repeat = world.append(vec![keyed("k")])[0];
    assert_eq!((repeat.id, repeat.duplicate), (first.id, true));
    world.advance(1);
    assert!(!world.append(vec![keyed("k")])[0].duplicate);
}

fn a_dead_letter_keeps_its_event_until_its_own_age_has_passed<I: Implementation>() {
    let world = World::<I>::with(keeping(Retention {
        dead_letters_max_age: hours(48),
        attempts_max_age: hours(3),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    for claim in world.claim() {
        world.settle(&claim, Outcome::Dead);
    }
    let back = ReplayRequest {
        seq: Some(2),
        ..replay(crm)
    };
    assert_eq!(world.log.replay(back).unwrap(), 1);
    world.settle(&world.claim()[0], Outcome::Delivered);
    world.advance(47 * HOUR_S);
    world.append_many(1);
    world.settle(&world.claim()[0], Outcome::Delivered);
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [1, 3]);
    // What is known of its attempts has expired; that it is a dead letter has not.
    let dead = world.log.delivery(crm, 1).unwrap().unwrap();
    assert_eq!((dead.status, dead.attempts.len()), (Status::Dead, 0));
    world.advance(2 * HOUR_S);
    world.append_many(1);
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [4]);
    let listed = world.log.deliveries(&redeliver::store::DeliveryQuery {
        statuses: vec![Status::Dead],
        limit: 10,
        ..Default::default()
    });
    assert_eq!(listed.unwrap().items.len(), 0);
}

fn a_start_knows_endpoints_and_retries_when_the_records_of_them_have_expired<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(100);
    let mut claims = Vec::new();
    for _ in 0..25 {
        claims.extend(world.claim().into_iter().inspect(|claim| {
            let outcome = match claim.token.seq {
                7 => retry(5 * HOUR_S),
                _ => Outcome::Delivered,
            };
            world.settle(claim, outcome);
        }));
    }
    assert_eq!(claims.len(), 100);
    world.advance(2 * HOUR_S);
    world.append_many(1);
    let done = world.log.maintain().unwrap();
    assert_eq!(done.expired_events, 99);
    assert!(done.expired_frames > 50, "{done:?}");
    // A kill: there is no snapshot but what retention wrote down.
    let world = world.restart(false);
    let view = world.log.endpoint_view(crm).unwrap().unwrap();
    assert_eq!((view.backlog, view.ended.delivered), (2, 99));
    assert_eq!(world.claimed_seqs(), [101]);
    world.advance(3 * HOUR_S);
    let late = world.claim().remove(0);
    assert_eq!((late.token.seq, late.attempt), (7, 2));
    world.settle(&late, Outcome::Delivered);
    let shown = world.log.delivery(crm, 7).unwrap().unwrap();
    assert_eq!((shown.status, shown.attempt_count), (Status::Delivered, 2));
}

fn an_expired_event_is_not_put_back_and_the_others_of_its_frame_are<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    let crm = world.add(settings("crm", Order::Independent));
    // One frame of all three, of which a dead letter holds the one in the middle.
    world.append(vec![event("a", "1"), event("a", "2"), event("a", "3")]);
    for claim in world.claim() {
        let outcome = match claim.token.seq {
            2 => Outcome::Dead,
            _ => Outcome::Delivered,
        };
        world.settle(&claim, outcome);
    }
    world.advance(2 * HOUR_S);
    world.append_many(1);
    world.settle(&world.claim()[0], Outcome::Delivered);
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [2, 4]);
    for seq in [1, 3] {
        assert!(world.log.event(seq).unwrap().is_none());
        assert!(world.log.delivery(crm, seq).unwrap().is_none());
        let one = ReplayRequest {
            seq: Some(seq),
            ..replay(crm)
        };
        assert_eq!(world.log.replay(one).unwrap(), 0);
    }
    let world = world.restart(false);
    // What a task looks for, in two steps; and from where on.
    let ended = world.log.find_ended(&EndedQuery {
        endpoint: crm,
        from: world.log.position_at(START).unwrap(),
        until: u64::MAX,
        only_dead: false,
        kinds: None,
        limit: 10,
    });
    let ended = ended.unwrap();
    let found: Vec<u64> = ended.items.iter().map(|delivery| delivery.seq).collect();
    assert_eq!((found, ended.next), (vec![2, 4], None));
    let gone = |seq| FoundDelivery {
        seq,
        attempts: 1,
        was_dead: false,
        frame: 0,
    };
    assert_eq!(world.log.put_back(crm, &[gone(1), gone(3)]).unwrap(), 0);
    assert_eq!(world.log.replay(replay(crm)).unwrap(), 2);
    let mut claimed = world.claimed_seqs();
    claimed.sort_unstable();
    assert_eq!(claimed, [2, 4]);
}

fn what_has_expired_of_a_frame_is_not_shown_when_the_rest_of_it_has_been_read<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    let crm = world.add(settings("crm", Order::InOrder));
    // One frame, of which the last one waits.
    world.append(vec![event("a", "1"), event("a", "2"), event("a", "3")]);
    for _ in 0..2 {
        let claim = world.claim().remove(0);
        world.settle(&claim, Outcome::Delivered);
    }
    world.advance(2 * HOUR_S);
    world.append_many(1);
    // As it lies in memory since it came in; and since what is left of it was read.
    assert_eq!(world.log.maintain().unwrap().expired_events, 2);
    for _ in 0..2 {
        assert!(world.log.event(1).unwrap().is_none());
        assert!(world.log.event(2).unwrap().is_none());
        assert!(world.log.delivery(crm, 2).unwrap().is_none());
        assert_eq!(kept(&world), [3, 4]);
        assert!(world.log.event(3).unwrap().is_some());
    }
}

fn an_attempt_younger_than_its_age_stays_on_record_when_no_event_comes_in<I: Implementation>() {
    let world = World::<I>::with(keeping(Retention {
        attempts_max_age: hours(3),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(3);
    for claim in world.claim() {
        let outcome = match claim.token.seq {
            1 => retry(4 * HOUR_S),
            _ => Outcome::Delivered,
        };
        world.settle(&claim, outcome);
    }
    let attempts = || {
        let delivery = world.log.delivery(crm, 1).unwrap().unwrap();
        let attempts = delivery.attempts.iter().map(|attempt| attempt.number);
        attempts.collect::<Vec<_>>()
    };
    // It is quiet: every event is older than an attempt may be.
    world.advance(4 * HOUR_S + 1);
    world.settle(&world.claim()[0], retry(HOUR_S));
    // Behind its record comes another one: the last of all is never taken.
    world.command(EndpointCommand::SetState(crm, EndpointState::Paused, None));
    assert_eq!(world.log.maintain().unwrap().expired_events, 2);
    assert_eq!(attempts(), [2]);
    world.advance(2 * HOUR_S);
    world.log.maintain().unwrap();
    assert_eq!(attempts(), [2]);
}

fn what_waits_counts_its_attempts_when_the_records_of_them_have_expired<I: Implementation>() {
    let mut world = World::<I>::with(keeping(Retention {
        attempts_max_age: hours(1),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    let claims = world.claim();
    world.settle(&claims[0], retry(1));
    world.settle(&claims[1], Outcome::Delivered);
    world.advance(1);
    world.settle(&world.claim()[0], retry(4 * HOUR_S));
    world.advance(4 * HOUR_S);
    world.command(EndpointCommand::SetState(crm, EndpointState::Paused, None));
    world.append_many(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 1);
    let seen = |world: &World<I>| {
        let view = world.log.delivery(crm, 1).unwrap().unwrap();
        (view.status, view.attempt_count, view.attempts.len())
    };
    assert_eq!(seen(&world), (Status::Waiting, 2, 0));
    world = world.restart(false);
    assert_eq!(seen(&world), (Status::Waiting, 2, 0));
    world.command(EndpointCommand::SetState(crm, EndpointState::Active, None));
    let claims = world.claim();
    assert!(claims.iter().any(|it| (it.token.seq, it.attempt) == (1, 3)));
    assert_eq!(seen(&world), (Status::InFlight, 2, 0));
}

fn what_was_found_is_put_back_once_although_its_attempts_expire_in_between<I: Implementation>() {
    let world = World::<I>::with(keeping(Retention {
        attempts_max_age: hours(3),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    for claim in world.claim() {
        world.settle(&claim, Outcome::Dead);
    }
    world.advance(4 * HOUR_S);
    let query = EndedQuery {
        endpoint: crm,
        from: 1,
        until: u64::MAX,
        only_dead: true,
        kinds: None,
        limit: 10,
    };
    let found = world.log.find_ended(&query).unwrap().items;
    let attempts: Vec<u32> = found.iter().map(|delivery| delivery.attempts).collect();
    assert_eq!(attempts, [1, 1]);
    // What is known of their attempts goes before they are put back.
    world.append_many(1);
    world.settle(&world.claim()[0], Outcome::Delivered);
    world.advance(4 * HOUR_S);
    world.log.maintain().unwrap();
    let dead = world.log.delivery(crm, 1).unwrap().unwrap();
    assert_eq!((dead.status, dead.attempt_count), (Status::Dead, 0));
    assert_eq!(world.log.put_back(crm, &found[..1]).unwrap(), 1);
    assert_eq!(world.log.put_back(crm, &found).unwrap(), 1, "the other");
    for claim in world.claim() {
        assert_eq!(claim.attempt, 1);
        world.settle(&claim, Outcome::Dead);
    }
    // As a task asks that was ended before it had written down that it was done.
    let world = world.restart(false);
    assert_eq!(world.log.put_back(crm, &found).unwrap(), 0);
}

fn records_above_max_bytes_go_the_oldest_first_and_no_further<I: Implementation>() {
    let world = World::<I>::with(keeping(Retention {
        max_bytes: Some(200_000),
        ..Retention::default()
    }));
    world.add(settings("crm", Order::Independent));
    for n in 0..60_u8 {
        world.append(vec![event("a", vec![n; 10_000])]);
        for claim in world.claim() {
            let outcome = match claim.token.seq {
                5 => retry(1_000_000),
                7 => Outcome::Dead,
                _ => Outcome::Delivered,
            };
            world.settle(&claim, outcome);
        }
    }
    // What the database has not taken in yet is not counted.
    world.log.backend().checkpoint().unwrap();
    assert!(world.log.maintain().unwrap().expired_events > 30);
    let there = kept(&world);
    assert_eq!(there[..2], [5, 7], "what waits, and a dead letter");
    let first = there[2];
    assert_eq!(there[2..], (first..=60).collect::<Vec<_>>());
    assert!((40..=46).contains(&first), "{first}");
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    world.log.backend().checkpoint().unwrap();
    // A dead letter comes on top.
    let live = world.log.figures().live_bytes;
    assert!((150_000..230_000).contains(&live), "{live}");
    assert_eq!(kept(&world.restart(false)), there);
}

fn nothing_expires_unless_it_is_said<I: Implementation>() {
    let world = World::<I>::new();
    world.append_many(3);
    world.advance(366 * 24 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    assert_eq!(kept(&world), [1, 2, 3]);
}

fn a_replay_of_what_has_lost_its_attempts_counts_no_delivery_twice<I: Implementation>() {
    let mut world = World::<I>::with(keeping(Retention {
        attempts_max_age: hours(1),
        ..one_hour()
    }));
    let crm = world.add(settings("crm", Order::Independent));
    let slow = world.add(settings("slow", Order::Independent));
    let pause = |state| EndpointCommand::SetState(slow, state, None);
    world.command(pause(EndpointState::Paused));
    for _ in 0..100 {
        world.append_many(1);
        world.settle_all(|_| Outcome::Delivered);
    }
    world.advance(2 * HOUR_S);
    world.append_many(1);
    world.settle_all(|_| Outcome::Delivered);
    assert!(world.log.maintain().unwrap().expired_frames > 90);
    let view = world.log.delivery(crm, 50).unwrap().unwrap();
    assert_eq!((view.status, view.attempts.len()), (Status::Delivered, 0));
    let ended = |world: &World<I>| world.log.endpoint_view(crm).unwrap().unwrap().ended;
    assert_eq!(ended(&world).delivered, 101);
    for seq in [50, 51] {
        let only = ReplayRequest {
            seq: Some(seq),
            ..replay(crm)
        };
        assert_eq!(world.log.replay(only).unwrap(), 1);
    }
    assert_eq!(ended(&world).delivered, 99);
    world.settle_all(|_| Outcome::Delivered);
    assert_eq!(ended(&world).delivered, 101);
    world = world.restart(false);
    assert_eq!(ended(&world).delivered, 101);
}

#[test]
fn where_everything_expires_again_and_again_one_frame_is_left_and_no_more() {
    let mut world = World::<InMemory>::with(keeping(one_hour()));
    for round in 0..20 {
        world.append(vec![event("a", vec![round; 9_000])]);
        world.advance(2 * HOUR_S);
        assert_eq!(world.log.maintain().unwrap().expired_events, 1);
        if round == 10 {
            world = world.restart(false);
        }
        let frames = world.log.backend().scan(b"e", b"e", 100).unwrap();
        assert_eq!(frames.len(), 1, "{round}");
    }
}

#[test]
fn a_store_of_which_events_have_expired_is_whole() {
    let world = World::<OnDisk>::with(keeping(one_hour()));
    world.add(settings("crm", Order::InOrder));
    for n in 0..300_u32 {
        world.append(vec![event("a", vec![n as u8; 7_000])]);
        let claim = world.claim().remove(0);
        world.settle(&claim, Outcome::Delivered);
        world.advance(60);
        if n % 50 == 0 {
            world.log.maintain().unwrap();
        }
    }
    let directory = world.into_directory();
    let report = verify(directory.0.path(), 8 << 20).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.events < 120, "{report:?}");
    assert_eq!(report.last_seq, 300);
}

fn lists_pass_over_what_has_expired_however_much_it_is<I: Implementation>() {
    let world = World::<I>::with(keeping(one_hour()));
    let crm = world.add(settings("crm", Order::Independent));
    for _ in 0..3 {
        world.append((0..1_000).map(|_| event("a", "1")).collect());
        world.advance(1);
    }
    // Delivered but for two, far apart.
    while let Some(claim) = world.log.claim(1).unwrap().pop() {
        let outcome = match claim.token.seq {
            5 | 1_500 => Outcome::Dead,
            _ => Outcome::Delivered,
        };
        let now = redeliver::clock::Clock::now(&*world.clock);
        let settled = settlement(&claim, now, outcome, redeliver::store::Effect::None);
        world.log.settle(claim.token, settled).unwrap();
    }
    world.advance(2 * HOUR_S);
    world.append_many(2);
    world.log.maintain().unwrap();
    assert_eq!(kept(&world), [5, 1_500, 3_001, 3_002]);
    let back = |until, limit| -> Vec<u64> {
        let read = world.log.read_back(until, limit).unwrap();
        read.iter().map(|event| event.seq).collect()
    };
    assert_eq!(back(u64::MAX, 10), [3_002, 3_001, 1_500, 5]);
    assert_eq!((back(3_000, 1), back(4, 10)), (vec![1_500], vec![]));
    let page = world.log.deliveries(&redeliver::store::DeliveryQuery {
        endpoint: Some(crm),
        limit: 10,
        ..Default::default()
    });
    let page = page.unwrap();
    let listed: Vec<u64> = page.items.iter().map(|view| view.event.seq).collect();
    assert_eq!((listed, page.next), (vec![3_002, 3_001, 1_500, 5], None));
}

#[test]
fn what_has_expired_stays_gone_when_the_database_is_put_together_anew() {
    let world = World::<OnDisk>::with(keeping(one_hour()));
    let crm = world.add(settings("crm", Order::Independent));
    for n in 0..80_u32 {
        world.append(vec![event("a", vec![n as u8; 9_000])]);
        for claim in world.claim() {
            let outcome = match claim.token.seq {
                9 => retry(100 * HOUR_S),
                _ => Outcome::Delivered,
            };
            world.settle(&claim, outcome);
        }
        world.advance(180);
    }
    // So that the records lie in a file of which nothing goes.
    world.log.backend().checkpoint().unwrap();
    assert!(world.log.maintain().unwrap().expired_events > 40);
    let there = kept(&world);
    let directory = world.into_directory();
    assert!(directory.0.path().join("records/00000001").is_file());
    for without_snapshot in [false, true] {
        let path = directory.0.path();
        if without_snapshot {
            std::fs::remove_file(path.join("projections")).unwrap();
        }
        // As it is noted when a page could not be read.
        std::fs::write(path.join("unreadable"), b"").unwrap();
        let clock = std::sync::Arc::new(redeliver::clock::ManualClock::new(
            START.plus(Duration::from_secs(80 * 180)),
        ));
        let log = redeliver::store::Log::open(path, 8 << 20, clock, keeping(one_hour()), ENTROPY);
        let log = log.unwrap();
        let seqs: Vec<u64> = log.read(1, 1000).unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(seqs, there, "{without_snapshot}");
        let kept = path.join(format!("damaged-{}", 1 + u8::from(without_snapshot)));
        assert!(kept.is_dir());
        let view = log.endpoint_view(crm).unwrap().unwrap();
        assert_eq!((view.backlog, view.ended.delivered), (1, 79));
        log.close().unwrap();
        drop(log);
        assert_eq!(verify(path, 8 << 20).unwrap().findings, []);
    }
}
