//! Power cuts at every commit point, on the in-memory backend that forgets what was not synced.

use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::Order;
use redeliver::store::{AppendError, Log, Options, Outcome, Store, StoreError};

use super::harness::*;

#[test]
fn what_was_answered_survives_a_power_cut_and_what_was_not_is_whole_or_absent() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(2);
    let head = world.claim().remove(0);
    // A settlement is written without a sync of its own …
    world.settle(&head, Outcome::Delivered);
    let after = world.log.backend().after_power_cut();
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(after, clock.clone(), Options::default(), ENTROPY).unwrap();
    assert_eq!(log.depth().last_seq, 2);
    // … so the attempt is repeated, under its own number.
    let again = log.claim(1).unwrap().remove(0);
    assert_eq!((again.token.seq, again.attempt), (1, 1));
    // … until the next group's sync has taken it along.
    world.append_many(1);
    let after = world.log.backend().after_power_cut();
    let log = Log::over(after, clock, Options::default(), ENTROPY).unwrap();
    assert_eq!(log.claim(1).unwrap()[0].token.seq, 2);
}

#[test]
fn a_failed_write_stops_the_store_and_every_waiting_client_is_told() {
    let world = World::<InMemory>::new();
    world.append_many(1);
    world.log.backend().fail_writes_after(0);
    let ticket = world.log.append(vec![event("a", "")]).unwrap();
    let error = world.log.commit().unwrap_err();
    assert!(matches!(error, StoreError::Stopped(_)), "{error}");
    assert_eq!(ticket.blocking_recv().unwrap().unwrap_err(), error);
    // Never retried: nobody knows what is on disk.
    let refused = world.log.append(vec![event("a", "")]).unwrap_err();
    assert_eq!(refused, AppendError::Store(error.clone()));
    assert_eq!(world.log.stopped().borrow().clone(), Some(error));
}

#[test]
fn a_disk_that_is_nearly_full_refuses_events_while_deliveries_go_on() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(1);
    world.log.backend().set_free_bytes(1 << 20);
    // Noticed with the next group, which itself is still written.
    world.append_many(1);
    let refused = world.log.append(vec![event("a", "")]).unwrap_err();
    let reserve_bytes = Options::default().disk_reserve_bytes;
    assert_eq!(refused, AppendError::DiskFull { reserve_bytes });
    let head = world.claim().remove(0);
    world.settle(&head, Outcome::Delivered);
    assert_eq!(world.claimed_seqs(), [2]);
    world.log.backend().set_free_bytes(1 << 30);
    world.append_many(1);
}
