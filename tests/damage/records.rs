//! Records that are whole, each with its right checksum, and not where they belong.

use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::Order;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Outcome, Store, StoreError};

use super::harness::*;

fn key(kind: u8, number: u64) -> Vec<u8> {
    [&[kind][..], &number.to_be_bytes()].concat()
}

fn part(seq: u64, number: u32) -> Vec<u8> {
    [&key(b'b', seq)[..], &number.to_be_bytes()].concat()
}

/// Five events, the third and the fourth in parts, and three settled deliveries.
fn world() -> World<InMemory> {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    for body in ["1", "2"] {
        world.append(vec![event("a", body)]);
    }
    for fill in [3, 4] {
        world.append(vec![event("a", vec![fill; 20_000])]);
    }
    world.append(vec![event("a", "5")]);
    for claim in &world.claim()[..3] {
        world.settle(claim, Outcome::Delivered);
    }
    world
}

fn reopen(world: &World<InMemory>, options: Options) -> Result<Log<Memory>, StoreError> {
    let clock = Arc::new(ManualClock::new(START));
    Log::over(world.log.backend().after_kill(), clock, options, ENTROPY)
}

fn swap(world: &World<InMemory>, one: &[u8], other: &[u8]) {
    let backend = world.log.backend();
    let (first, second) = (backend.get(one).unwrap(), backend.get(other).unwrap());
    assert!(first.is_some() && second.is_some());
    backend.damage(one, second);
    backend.damage(other, first);
}

#[test]
fn two_frames_of_events_in_each_others_place_are_not_believed() {
    let world = world();
    swap(&world, &key(b'e', 1), &key(b'e', 2));
    let error = reopen(&world, Options::default()).err().unwrap();
    assert!(
        matches!(error, StoreError::Damaged { .. } | StoreError::Corrupt(_)),
        "{error}"
    );
}

#[test]
fn a_frame_of_events_in_anothers_place_is_read_as_damaged() {
    let world = world();
    let copy = world.log.backend().get(&key(b'e', 1)).unwrap();
    world.log.backend().damage(&key(b'e', 2), copy);
    let options = Options {
        frame_cache_bytes: 0,
        ..Options::default()
    };
    match reopen(&world, options) {
        Ok(log) => {
            let error = log.event(2).unwrap_err();
            assert!(
                matches!(error, StoreError::Damaged { from: 2, to: 2, .. }),
                "{error}"
            );
        }
        Err(error) => assert!(
            matches!(error, StoreError::Damaged { .. } | StoreError::Corrupt(_)),
            "{error}"
        ),
    }
}

#[test]
fn parts_of_bodies_in_each_others_place_are_read_as_damaged() {
    for (one, other) in [
        (part(3, 0), part(3, 1)),
        (part(3, 0), part(4, 0)),
        (part(3, 1), part(4, 2)),
    ] {
        let world = world();
        swap(&world, &one, &other);
        let log = reopen(&world, Options::default()).unwrap();
        let error = log.event(3).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { from: 3, to: 3, .. }),
            "{error}"
        );
        let own_only = one[..9] == other[..9];
        assert_eq!(log.event(4).is_ok(), own_only);
        assert_eq!(log.event(5).unwrap().unwrap().content.body, "5");
    }
}

#[test]
fn transitions_in_each_others_place_stop_the_start_in_words() {
    let world = world();
    swap(&world, &key(b't', 2), &key(b't', 3));
    let error = reopen(&world, Options::default()).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(
        error.to_string().contains("frame of transitions 2"),
        "{error}"
    );
}

#[test]
fn a_frame_of_another_history_with_the_right_number_breaks_the_chain() {
    let (world, other) = (world(), World::<InMemory>::new());
    other.append(vec![event("a", "another 1")]);
    other.append(vec![event("a", "another 2")]);
    let foreign = other.log.backend().get(&key(b'e', 2)).unwrap();
    world.log.backend().damage(&key(b'e', 2), foreign);
    let error = reopen(&world, Options::default()).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}
