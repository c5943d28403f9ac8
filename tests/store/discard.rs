//! Deliveries that an operator gives up.

use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Filter, FilterOn, Order};
use redeliver::store::{
    DeliveryQuery, EndpointCommand, FoundDelivery, Outcome, ReplayRequest, Store, UndeliveredQuery,
};

use crate::both::on_both;
use crate::harness::*;

const ALL: [Status; 3] = [Status::Pending, Status::Waiting, Status::Dead];

fn query(endpoint: u32, statuses: &[Status]) -> UndeliveredQuery {
    UndeliveredQuery {
        endpoint,
        from: 1,
        until: u64::MAX,
        only: None,
        statuses: statuses.to_vec(),
        kinds: None,
        limit: 100,
    }
}

/// One pending (4), one waiting (2), two dead letters (1 and 3) and one delivered (5) of an
/// endpoint.
fn of_every_kind<I: Implementation>() -> (World<I>, u32) {
    let world = World::<I>::new();
    let endpoint = world.add(settings("e", Order::Independent));
    world.append_many(5);
    for claim in world.claim() {
        match claim.token.seq {
            1 | 3 => world.settle(&claim, Outcome::Dead),
            2 => world.settle(&claim, retry(60)),
            _ => world.log.release(claim.token).unwrap(),
        }
    }
    for claim in world.claim() {
        match claim.token.seq {
            5 => world.settle(&claim, Outcome::Delivered),
            _ => world.log.release(claim.token).unwrap(),
        }
    }
    (world, endpoint)
}

fn found<I: Implementation>(world: &World<I>, query: &UndeliveredQuery) -> Vec<FoundDelivery> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = world.log.find_undelivered(&query).unwrap();
        found.extend(page.items);
        match page.next {
            Some(next) => assert!(next > query.from, "nothing is routed from {next} on"),
            None => return found,
        }
        query.from = page.next.unwrap();
    }
}

fn seqs(found: &[FoundDelivery]) -> Vec<u64> {
    found.iter().map(|found| found.seq).collect()
}

fn discard<I: Implementation>(world: &World<I>, endpoint: u32, found: &[FoundDelivery]) -> u64 {
    let discarded = world.log.discard(endpoint, found, "no longer wanted");
    let discarded = discarded.unwrap();
    assert_eq!(discarded.moved, [0u64; 0]);
    discarded.count
}

fn statuses<I: Implementation>(world: &World<I>, endpoint: u32) -> Vec<Status> {
    let last = world.log.depth().last_seq;
    let view = |seq| world.log.delivery(endpoint, seq).unwrap().unwrap().status;
    (1..=last).map(view).collect()
}

/// Delivered, dead, removed.
fn ended<I: Implementation>(world: &World<I>, endpoint: u32) -> [u64; 3] {
    let ended = world.log.endpoint_view(endpoint).unwrap().unwrap().ended;
    [ended.delivered, ended.dead, ended.removed]
}

fn what_is_found_is_in_the_states_that_are_asked_for<I: Implementation>() {
    let (world, endpoint) = of_every_kind::<I>();
    for (statuses, expected) in [
        (&[Status::Pending][..], &[4][..]),
        (&[Status::Waiting], &[2]),
        (&[Status::Dead], &[1, 3]),
        (&ALL, &[1, 2, 3, 4]),
    ] {
        assert_eq!(seqs(&found(&world, &query(endpoint, statuses))), expected);
    }
    let some = UndeliveredQuery {
        from: 2,
        until: 3,
        ..query(endpoint, &ALL)
    };
    assert_eq!(seqs(&found(&world, &some)), [2, 3]);
    let other = UndeliveredQuery {
        kinds: Some(Filter {
            on: FilterOn::Kind,
            patterns: vec!["other".to_owned()],
        }),
        ..query(endpoint, &ALL)
    };
    assert_eq!(seqs(&found(&world, &other)), [0u64; 0]);
    let first = UndeliveredQuery {
        limit: 2,
        ..query(endpoint, &ALL)
    };
    let page = world.log.find_undelivered(&first).unwrap();
    assert_eq!((seqs(&page.items), page.next), (vec![1, 2], Some(3)));
}

fn what_is_given_up_ends_as_removed_for_good_and_says_why<I: Implementation>() {
    let (mut world, endpoint) = of_every_kind::<I>();
    let all = found(&world, &query(endpoint, &ALL));
    assert_eq!(ended(&world, endpoint), [1, 2, 0]);
    assert_eq!(discard(&world, endpoint, &all), 4);
    for clean in [false, true] {
        use Status::{Delivered, Removed};
        let expected = [Removed, Removed, Removed, Removed, Delivered];
        assert_eq!(statuses(&world, endpoint), expected);
        assert_eq!(ended(&world, endpoint), [1, 0, 4]);
        assert_eq!(seqs(&found(&world, &query(endpoint, &ALL))), [0u64; 0]);
        for (seq, attempts) in [(1, 2), (4, 1)] {
            let view = world.log.delivery(endpoint, seq).unwrap().unwrap();
            let last = view.attempts.last().unwrap();
            assert_eq!(
                (view.attempts.len(), last.number),
                (attempts, attempts as u32)
            );
            assert_eq!(last.error.as_deref(), Some("no longer wanted"));
            assert!(view.is_discarded());
        }
        let removed = DeliveryQuery {
            statuses: vec![Removed],
            limit: 10,
            ..DeliveryQuery::default()
        };
        assert_eq!(world.log.deliveries(&removed).unwrap().items.len(), 4);
        world.advance(3600);
        assert_eq!(world.claimed_seqs(), [0u64; 0]);
        world = world.restart(clean);
    }
}

fn done_twice_is_done_once_also_over_a_restart<I: Implementation>() {
    let (world, endpoint) = of_every_kind::<I>();
    let all = found(&world, &query(endpoint, &ALL));
    assert_eq!(discard(&world, endpoint, &all[..3]), 3);
    let world = world.restart(false);
    assert_eq!(discard(&world, endpoint, &all), 4);
    assert_eq!(discard(&world, endpoint, &all), 4);
    assert_eq!(ended(&world, endpoint), [1, 0, 4]);
    let view = world.log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!(view.attempt_count, 2);
}

fn an_attempt_that_is_under_way_is_not_undone<I: Implementation>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("e", Order::InOrder));
    world.append_many(2);
    let before = found(&world, &query(endpoint, &ALL));
    let claim = world.claim().remove(0);
    let page = world.log.find_undelivered(&query(endpoint, &ALL)).unwrap();
    assert_eq!((seqs(&page.items), page.under_way), (vec![2], vec![1]));
    // Those that are pending alone: it is none of them any more.
    let pending = query(endpoint, &[Status::Pending]);
    assert_eq!(seqs(&found(&world, &pending)), [2]);
    let discarded = world.log.discard(endpoint, &before, "no").unwrap();
    assert_eq!((discarded.count, discarded.moved), (1, vec![1]));
    let again = UndeliveredQuery {
        only: Some([1].into()),
        ..query(endpoint, &ALL)
    };
    let page = world.log.find_undelivered(&again).unwrap();
    assert_eq!((page.items.len(), page.under_way), (0, vec![1]));
    world.settle(&claim, retry(60));
    let page = world.log.find_undelivered(&again).unwrap();
    assert_eq!((seqs(&page.items), page.under_way), (vec![1], vec![]));
    let discarded = world.log.discard(endpoint, &before[..1], "no").unwrap();
    assert_eq!((discarded.count, discarded.moved), (0, vec![1]));
    let now = found(&world, &query(endpoint, &ALL));
    assert_eq!((now[0].seq, now[0].attempts), (1, 1));
    assert_eq!(discard(&world, endpoint, &now), 1);
    world.append_many(1);
    world.advance(60);
    assert_eq!(world.claimed_seqs(), [3], "the head is gone");
}

fn what_was_given_up_can_be_put_back_and_counts_as_what_it_becomes<I: Implementation>() {
    let (world, endpoint) = of_every_kind::<I>();
    let all = found(&world, &query(endpoint, &ALL));
    discard(&world, endpoint, &all);
    let one = ReplayRequest {
        seq: Some(1),
        ..replay(endpoint)
    };
    assert_eq!(world.log.replay(one).unwrap(), 1);
    assert_eq!(ended(&world, endpoint), [1, 0, 3]);
    let world = world.restart(false);
    assert_eq!(ended(&world, endpoint), [1, 0, 3]);
    let claim = world.claim().remove(0);
    assert_eq!((claim.token.seq, claim.attempt), (1, 3));
    world.settle(&claim, Outcome::Delivered);
    assert_eq!(ended(&world, endpoint), [2, 0, 3]);
    // The whole log: what was delivered and what was given up.
    assert_eq!(world.log.replay(replay(endpoint)).unwrap(), 5);
    for clean in [false, true] {
        assert_eq!(ended(&world, endpoint), [0, 0, 0], "{clean}");
    }
    let world = world.restart(false);
    assert_eq!(ended(&world, endpoint), [0, 0, 0]);
    assert_eq!(world.claimed_seqs().len(), 4, "of 5, 4 at once");
}

fn of_an_endpoint_that_is_removed_nothing_can_be_given_up<I: Implementation>() {
    let (world, endpoint) = of_every_kind::<I>();
    let all = found(&world, &query(endpoint, &ALL));
    let removed = EndpointState::Removed;
    world.command(EndpointCommand::SetState(endpoint, removed, None));
    assert_eq!(world.log.discard(endpoint, &all, "no").unwrap().count, 0);
    assert_eq!(world.log.discard(77, &all, "no").unwrap().count, 0);
    assert_eq!(statuses(&world, endpoint)[0], Status::Dead);
}

/// A backlog of so many runs that further events are left in the log is given up as a whole.
fn a_backlog_that_was_left_in_the_log_is_given_up_with_the_rest<I: Implementation>() {
    let world = World::<I>::new();
    let every_other = Filter {
        on: FilterOn::Kind,
        patterns: vec!["even".to_owned()],
    };
    let mut settings = settings("e", Order::Independent);
    settings.filter = every_other;
    let endpoint = world.add(settings);
    let events = 2 * 70_000;
    for first in (0..events).step_by(1_000) {
        let kind = |n: u64| if n.is_multiple_of(2) { "even" } else { "odd" };
        world.append((first..first + 1_000).map(|n| event(kind(n), "")).collect());
    }
    let mut query = query(endpoint, &[Status::Pending, Status::Waiting]);
    query.limit = 1_000;
    let (mut given_up, mut looks) = (0, 0);
    loop {
        let page = world.log.find_undelivered(&query).unwrap();
        given_up += discard(&world, endpoint, &page.items);
        looks += 1;
        assert!(looks < 1_000, "at {} after {given_up}", query.from);
        match page.next {
            Some(next) => query.from = next,
            None => break,
        }
    }
    assert_eq!(given_up, events / 2);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    let world = world.restart(false);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    assert_eq!(ended(&world, endpoint), [0, 0, events / 2]);
}

on_both! {
    what_is_found_is_in_the_states_that_are_asked_for
    what_is_given_up_ends_as_removed_for_good_and_says_why
    done_twice_is_done_once_also_over_a_restart
    an_attempt_that_is_under_way_is_not_undone
    what_was_given_up_can_be_put_back_and_counts_as_what_it_becomes
    of_an_endpoint_that_is_removed_nothing_can_be_given_up
}

#[test]
fn a_fragmented_backlog_is_given_up_with_what_was_left_in_the_log() {
    a_backlog_that_was_left_in_the_log_is_given_up_with_the_rest::<InMemory>();
}
