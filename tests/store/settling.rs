//! Who looks for what a settlement makes claimable, and when it goes to the disk.

use redeliver::endpoint::{EndpointSettings, EndpointState, Order};
use redeliver::store::memory::Memory;
use redeliver::store::{Claim, Effect, EndpointCommand, Log, Outcome, Store};

use crate::harness::{InMemory, World, event, retry, settings, settlement};

/// Groups of events that may go before the ends of attempts.
const GROUPS: usize = 16;

fn with_concurrency(name: &str, concurrency: u32) -> EndpointSettings {
    EndpointSettings {
        concurrency,
        ..settings(name, Order::Independent)
    }
}

/// Settles, and writes nothing.
fn settle(world: &World<InMemory>, claim: &Claim, outcome: Outcome) {
    let now = redeliver::clock::Clock::now(&*world.clock);
    let settlement = settlement(claim, now, outcome, Effect::None);
    world.log.settle(claim.token, settlement).unwrap();
}

fn commit_an_event(log: &Log<Memory>) {
    drop(log.append(vec![event("t", "{}")]).unwrap());
    log.commit().unwrap();
}

#[test]
fn the_ends_of_attempts_let_sixteen_groups_of_events_go_first_and_no_more() {
    let world = World::<InMemory>::new();
    world.add(settings("e", Order::Independent));
    world.append_many(1);
    settle(&world, &world.claim()[0], Outcome::Delivered);
    for _ in 0..GROUPS {
        commit_an_event(&world.log);
        assert_eq!(world.log.depth().unsaved, 1);
    }
    commit_an_event(&world.log);
    assert_eq!(world.log.depth().unsaved, 0);
}

#[test]
fn where_no_event_comes_they_are_written_at_once_and_whoever_asks_has_them_written() {
    let world = World::<InMemory>::new();
    world.add(settings("e", Order::Independent));
    world.append_many(2);
    let claims = world.claim();
    settle(&world, &claims[0], Outcome::Delivered);
    assert!(world.log.commit().unwrap());
    assert_eq!(world.log.depth().unsaved, 0);
    settle(&world, &claims[1], Outcome::Delivered);
    drop(world.log.append(vec![event("t", "{}")]).unwrap());
    world.log.save().unwrap();
    assert_eq!(world.log.depth().unsaved, 0);
}

#[test]
fn a_change_of_an_endpoint_takes_what_was_settled_before_it_along() {
    let world = World::<InMemory>::new();
    let number = world.add(settings("e", Order::Independent));
    world.append_many(1);
    settle(&world, &world.claim()[0], Outcome::Delivered);
    commit_an_event(&world.log);
    assert_eq!(world.log.depth().unsaved, 1);
    let pause = EndpointCommand::SetState(number, EndpointState::Paused, None);
    drop(world.log.endpoint(pause).unwrap());
    commit_an_event(&world.log);
    assert_eq!(world.log.depth().unsaved, 0);
}

#[test]
fn a_success_wakes_nobody_and_everything_else_does() {
    let world = World::<InMemory>::new();
    world.add(with_concurrency("e", 3));
    world.append_many(3);
    let claims = world.claim();
    let mut work = world.log.work();
    settle(&world, &claims[0], Outcome::Delivered);
    assert!(!work.has_changed().unwrap());
    for (claim, outcome) in claims[1..].iter().zip([retry(5), Outcome::Dead]) {
        work.mark_unchanged();
        settle(&world, claim, outcome);
        assert!(work.has_changed().unwrap(), "{outcome:?}");
    }
}

#[test]
fn a_success_beside_something_that_is_due_later_wakes_whoever_waits_for_that() {
    let world = World::<InMemory>::new();
    world.add(with_concurrency("e", 2));
    world.append_many(2);
    let claims = world.claim();
    settle(&world, &claims[0], retry(5));
    let mut work = world.log.work();
    work.mark_unchanged();
    settle(&world, &claims[1], Outcome::Delivered);
    assert!(work.has_changed().unwrap());
}

#[test]
fn who_goes_on_tells_the_others_if_there_is_more() {
    let world = World::<InMemory>::new();
    for name in ["a", "b"] {
        world.add(with_concurrency(name, 1));
    }
    world.append_many(2);
    let claims = world.claim();
    settle(&world, &claims[0], Outcome::Delivered);
    settle(&world, &claims[1], Outcome::Delivered);
    let mut work = world.log.work();
    work.mark_unchanged();
    assert!(world.log.claim_next().unwrap().is_some());
    assert!(
        work.has_changed().unwrap(),
        "the other endpoint has something, too"
    );
    work.mark_unchanged();
    assert!(world.log.claim_next().unwrap().is_some());
    assert!(!work.has_changed().unwrap());
}
