//! How many dead letters there are, where some have expired with their events.

use redeliver::endpoint::Order;
use redeliver::store::{Outcome, ReplayRequest, Retention, Store};

use super::both::on_both;
use super::harness::*;
use super::retention::{HOUR_S, hours, keeping};

/// A dead letter goes after two hours, every other event after one.
fn two_hours() -> Retention {
    Retention {
        max_age: hours(1),
        dead_letters_max_age: hours(2),
        ..Retention::default()
    }
}

/// Of `crm` three dead letters, and one more of `warehouse`; two hours later another one of each.
fn with_dead_letters<I: Implementation>(retention: Retention) -> (World<I>, [u32; 2]) {
    let world = World::<I>::with(keeping(retention));
    let crm = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    world.settle_all(|_| Outcome::Dead);
    let warehouse = world.add(settings("warehouse", Order::Independent));
    world.append_many(1);
    world.settle_all(|_| Outcome::Dead);
    world.advance(2 * HOUR_S);
    world.append_many(1);
    world.settle_all(|_| Outcome::Dead);
    (world, [crm, warehouse])
}

fn dead<I: Implementation>(world: &World<I>, endpoints: [u32; 2]) -> [u64; 2] {
    let count = |number| {
        let view = world.log.endpoint_view(number).unwrap().unwrap();
        let queues = world.log.queues();
        let queue = queues.iter().find(|queue| queue.endpoint.number == number);
        assert_eq!(queue.unwrap().ended, view.ended);
        view.ended.dead
    };
    endpoints.map(count)
}

fn an_expired_dead_letter_is_counted_no_more_and_a_restart_counts_the_same<I: Implementation>() {
    let (mut world, endpoints) = with_dead_letters::<I>(two_hours());
    assert_eq!(dead(&world, endpoints), [4, 2]);
    world.advance(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 3);
    for clean in [false, true, false] {
        assert_eq!(dead(&world, endpoints), [1, 1], "{clean}");
        world = world.restart(clean);
        world.log.maintain().unwrap();
    }
    world.advance(2 * HOUR_S);
    world.log.maintain().unwrap();
    assert_eq!(dead(&world, endpoints), [0, 0]);
}

/// The snapshot of the stop knows nothing of what a pass behind it lets go, and no record comes
/// behind it that would tell it from the base.
fn a_kill_behind_a_pass_that_wrote_no_record_brings_no_count_back<I: Implementation>() {
    let (world, endpoints) = with_dead_letters::<I>(two_hours());
    let world = world.restart(true);
    world.advance(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 3);
    let world = world.restart(false);
    assert_eq!(dead(&world, endpoints), [1, 1]);
}

fn what_is_put_back_before_it_expires_is_counted_by_how_it_ends<I: Implementation>() {
    let (world, endpoints) = with_dead_letters::<I>(two_hours());
    let first = ReplayRequest {
        seq: Some(1),
        ..replay(endpoints[0])
    };
    assert_eq!(world.log.replay(first).unwrap(), 1);
    assert_eq!(dead(&world, endpoints), [3, 2]);
    world.advance(1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 2);
    assert_eq!(dead(&world, endpoints), [1, 1]);
    world.settle_all(|_| Outcome::Dead);
    assert_eq!(dead(&world, endpoints), [2, 1]);
    world.log.maintain().unwrap();
    let world = world.restart(false);
    assert_eq!(dead(&world, endpoints), [1, 1]);
}

fn dead_letters_without_a_bound_are_counted_for_ever<I: Implementation>() {
    let forever = Retention {
        dead_letters_max_age: None,
        ..two_hours()
    };
    let (world, endpoints) = with_dead_letters::<I>(forever);
    world.append_many(1);
    world.settle_all(|_| Outcome::Delivered);
    world.advance(1_000 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 1);
    assert_eq!(dead(&world, endpoints), [4, 2]);
    let world = world.restart(false);
    assert_eq!(dead(&world, endpoints), [4, 2]);
}

on_both! {
    an_expired_dead_letter_is_counted_no_more_and_a_restart_counts_the_same
    a_kill_behind_a_pass_that_wrote_no_record_brings_no_count_back
    what_is_put_back_before_it_expires_is_counted_by_how_it_ends
    dead_letters_without_a_bound_are_counted_for_ever
}
