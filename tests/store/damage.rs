//! Damage: it is told with numbers, it can be accepted, and it costs nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::{EndpointState, Order};
use redeliver::event::NewEvent;
use redeliver::store::backend::{Backend, Change, Durability};
use redeliver::store::disk::Disk;
use redeliver::store::memory::Memory;
use redeliver::store::{EndpointCommand, Log, Options, Outcome, Store, StoreError, verify};

use super::disk::{erase, erase_frames, open};
use super::harness::*;

fn frame(first: u64) -> Vec<u8> {
    [&b"e"[..], &first.to_be_bytes()].concat()
}

fn accept(from: u64, to: u64) -> Options {
    Options {
        accept_loss: Some(from..=to),
        ..Options::default()
    }
}

fn reopen(log: &Log<Memory>, options: Options) -> Result<Log<Memory>, StoreError> {
    let clock = Arc::new(ManualClock::new(START));
    Log::over(log.backend().after_kill(), clock, options, ENTROPY)
}

fn refused_range(opened: Result<Log<Memory>, StoreError>) -> (u64, u64) {
    match opened.err() {
        Some(StoreError::Damaged { from, to, .. }) => (from, to),
        other => panic!("{other:?}"),
    }
}

fn append(log: &impl Store, bodies: &[&str]) -> u64 {
    let events = bodies.iter().map(|body| event("a", *body)).collect();
    let ticket = log.append(events).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap()[0].seq
}

/// Flips a bit of the last byte of a record.
fn flip(log: &Log<Memory>, key: &[u8]) {
    let mut bytes = log.backend().get(key).unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    log.backend().damage(key, Some(bytes));
}

#[test]
fn no_position_of_a_damaged_last_frame_is_given_again() {
    let world = World::<InMemory>::new();
    world.append_many(1);
    append(&world.log, &["1", "2", "3"]);
    flip(&world.log, &frame(2));
    assert_eq!(
        refused_range(reopen(&world.log, Options::default())),
        (2, 4)
    );
    let log = reopen(&world.log, accept(2, 4)).unwrap();
    log.commit().unwrap();
    assert_eq!(append(&log, &["4"]), 5);
    for _ in 0..2 {
        let log = reopen(&log, Options::default()).unwrap();
        let seqs: Vec<u64> = log.read(1, 10).unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(seqs, [1, 5]);
    }
}

#[test]
fn a_frame_in_anothers_place_is_as_good_as_none() {
    let world = World::<InMemory>::new();
    world.append_many(6);
    let bytes = |first| world.log.backend().get(&frame(first)).unwrap().unwrap();
    let (second, fourth) = (bytes(2), bytes(4));
    world.log.backend().damage(&frame(2), Some(fourth.clone()));
    world.log.backend().damage(&frame(4), Some(second));
    let opened = reopen(&world.log, Options::default()).err().unwrap();
    assert!(opened.to_string().contains("missing: 2-2, 4-4"), "{opened}");
    let log = reopen(&world.log, accept(2, 4)).unwrap();
    let seqs: Vec<u64> = log.read(1, 10).unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [1, 3, 5, 6]);
    world.log.backend().damage(&frame(4), Some(fourth));
    world.log.backend().damage(&frame(6), Some(bytes(5)));
    assert_eq!(
        refused_range(reopen(&world.log, Options::default())),
        (2, 6)
    );
}

#[test]
fn a_frame_of_zeros_is_damage_and_can_be_given_up() {
    let world = World::<InMemory>::new();
    world.append_many(3);
    let zeros = vec![0; 100];
    world.log.backend().damage(&frame(2), Some(zeros));
    assert_eq!(
        refused_range(reopen(&world.log, Options::default())),
        (2, 2)
    );
    let log = reopen(&world.log, accept(2, 2)).unwrap();
    assert_eq!(log.read(1, 10).unwrap().len(), 2);
}

#[test]
fn a_log_that_claims_to_reach_beyond_every_number_is_corrupt() {
    let world = World::<InMemory>::new();
    world.append_many(1);
    let beyond = frame(1 << 48);
    world.log.backend().damage(&beyond, Some(b"rot".to_vec()));
    for options in [Options::default(), accept(1, u64::MAX)] {
        let error = reopen(&world.log, options).err();
        assert!(matches!(error, Some(StoreError::Corrupt(_))), "{error:?}");
    }
}

#[test]
fn a_later_command_tells_that_events_were_there_before_it() {
    let world = World::<InMemory>::new();
    append(&world.log, &["1"]);
    append(&world.log, &["2"]);
    append(&world.log, &["3"]);
    world.add(settings("crm", Order::InOrder));
    for first in [2, 3] {
        world.log.backend().damage(&frame(first), None);
    }
    assert_eq!(
        refused_range(reopen(&world.log, Options::default())),
        (2, 3)
    );
}

#[test]
fn losses_that_touch_are_asked_about_once_each() {
    let world = World::<InMemory>::new();
    world.append_many(5);
    flip(&world.log, &frame(2));
    let log = reopen(&world.log, accept(2, 2)).unwrap();
    log.commit().unwrap();
    flip(&log, &frame(3));
    assert_eq!(refused_range(reopen(&log, Options::default())), (3, 3));
    let log = reopen(&log, accept(1, 100)).unwrap();
    log.commit().unwrap();
    let log = reopen(&log, Options::default()).unwrap();
    let seqs: Vec<u64> = log.read(1, 10).unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [1, 4, 5]);
}

#[test]
fn a_read_that_fails_names_the_first_and_the_last_event() {
    let world = World::<InMemory>::with(Options {
        frame_cache_bytes: 0,
        ..Options::default()
    });
    append(&world.log, &["1"]);
    append(&world.log, &["2", "3"]);
    append(&world.log, &["4"]);
    flip(&world.log, &frame(2));
    for error in [
        world.log.event(3).unwrap_err(),
        world.log.read(2, 10).unwrap_err(),
    ] {
        assert!(
            matches!(error, StoreError::Damaged { from: 2, to: 3, .. }),
            "{error}"
        );
    }
    world.log.backend().damage(&frame(2), None);
    let error = world.log.event(3).unwrap_err();
    assert!(
        matches!(error, StoreError::Damaged { from: 2, to: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_body_takes_none_of_its_neighbours_along() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    let large = "x".repeat(20_000);
    append(&world.log, &["1", &large, "3"]);
    let part = [&b"b"[..], &2u64.to_be_bytes(), &1u32.to_be_bytes()].concat();
    flip(&world.log, &part);
    let log = reopen(&world.log, Options::default()).unwrap();
    assert!(log.event(1).unwrap().is_some());
    let error = log.event(2).unwrap_err();
    assert!(
        matches!(error, StoreError::Damaged { from: 2, to: 2, .. }),
        "{error}"
    );
    let log = reopen(&log, accept(1, 3)).unwrap();
    log.commit().unwrap();
    let log = reopen(&log, Options::default()).unwrap();
    let claims = log.claim(10).unwrap();
    let seqs: Vec<u64> = claims.iter().map(|claim| claim.token.seq).collect();
    assert_eq!(seqs, [1, 3]);
}

#[test]
fn a_loss_that_is_none_can_be_accepted() {
    let world = World::<InMemory>::new();
    world.append_many(2);
    let log = reopen(&world.log, accept(1, 9)).unwrap();
    assert!(!log.commit().unwrap(), "nothing is recorded");
    assert_eq!(log.read(1, 9).unwrap().len(), 2);
}

/// Whether this one is a duplicate, and where it or the first one stands.
fn repeat(log: &impl Store, event: NewEvent) -> (bool, u64) {
    let ticket = log.append(vec![event]).unwrap();
    log.commit().unwrap();
    let appended = ticket.blocking_recv().unwrap().unwrap()[0];
    (appended.duplicate, appended.seq)
}

#[test]
fn a_key_of_an_event_that_was_given_up_is_free_though_a_snapshot_knows_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    for key in ["a", "b", "c"] {
        repeat(&log, keyed(key));
    }
    log.close().unwrap();
    drop(log);
    erase(dir.path(), &[3]);
    let log = open(dir.path(), accept(3, 3)).unwrap();
    log.commit().unwrap();
    assert_eq!(repeat(&log, keyed("b")), (true, 2));
    // The snapshot is still the one from before the loss.
    drop(log);
    let log = open(dir.path(), Options::default()).unwrap();
    assert_eq!(repeat(&log, keyed("c")), (false, 4));
    drop(log);
    for _ in 0..2 {
        let log = open(dir.path(), Options::default()).unwrap();
        assert_eq!(repeat(&log, keyed("c")), (true, 4));
        assert_eq!(repeat(&log, keyed("b")), (true, 2));
        log.close().unwrap();
    }
}

#[test]
fn a_key_of_an_event_that_was_given_up_is_free_though_its_frame_is_there() {
    let world = World::<InMemory>::new();
    let large = || NewEvent {
        body: "x".repeat(20_000).into(),
        ..keyed("large")
    };
    repeat(&world.log, keyed("a"));
    repeat(&world.log, large());
    let part = [&b"b"[..], &2u64.to_be_bytes(), &1u32.to_be_bytes()].concat();
    flip(&world.log, &part);
    let log = reopen(&world.log, accept(2, 2)).unwrap();
    log.commit().unwrap();
    assert_eq!(repeat(&log, large()), (false, 3));
    let log = reopen(&log, Options::default()).unwrap();
    assert_eq!(repeat(&log, large()), (true, 3));
    assert_eq!(repeat(&log, keyed("a")), (true, 1));
}

/// A store of three events on a disk, closed, the frames at `rotten` damaged.
fn damaged_store(dir: &Path, rotten: &[u64]) {
    let log = open(dir, Options::default()).unwrap();
    for body in ["1", "2", "3"] {
        append(&log, &[body]);
    }
    log.close().unwrap();
    drop(log);
    erase(dir, rotten);
}

#[test]
fn verify_says_nothing_of_a_loss_that_was_accepted() {
    for rotten in [&[2][..], &[2, 3], &[3]] {
        let dir = tempfile::tempdir().unwrap();
        damaged_store(dir.path(), rotten);
        assert!(!verify(dir.path(), 8 << 20).unwrap().findings.is_empty());
        let log = open(dir.path(), accept(2, 3)).unwrap();
        log.close().unwrap();
        drop(log);
        let report = verify(dir.path(), 8 << 20).unwrap();
        assert_eq!(report.findings, [], "{rotten:?}");
        assert_eq!(report.last_seq, 3);
        let log = open(dir.path(), Options::default()).unwrap();
        assert_eq!(append(&log, &["4"]), 4);
    }
}

#[test]
fn what_the_store_makes_is_closed_to_other_users() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/b");
    let log = open(&data, Options::default()).unwrap();
    log.close().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in ["lock", "high-water", "projections"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    drop(log);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
    open(&data, Options::default()).unwrap();
    assert_eq!(mode(&data), 0o750, "it is the operator's to close");
}

#[test]
fn a_missing_mark_is_no_obstacle_and_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    damaged_store(dir.path(), &[]);
    fs::remove_file(dir.path().join("high-water")).unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    assert_eq!(append(&log, &["4"]), 4);
    assert!(fs::read(dir.path().join("high-water")).unwrap().len() >= 32);
}

#[test]
fn a_resume_forgives_the_attempt_that_is_under_way() {
    let world = World::<InMemory>::new();
    let endpoint = world.add(settings("crm", Order::InOrder));
    world.append_many(1);
    for _ in 0..3 {
        world.settle(&world.claim()[0], retry(0));
    }
    let claim = world.claim().remove(0);
    assert_eq!(claim.failures, 3);
    for state in [EndpointState::Paused, EndpointState::Active] {
        world.command(EndpointCommand::SetState(endpoint, state, None));
    }
    world.settle(&claim, retry(0));
    let world = world.restart(false);
    let claim = world.claim().remove(0);
    assert_eq!((claim.failures, claim.attempt), (1, 5));
    world.settle(&claim, Outcome::Delivered);
}

#[test]
fn a_snapshot_tells_of_events_that_the_mark_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    damaged_store(dir.path(), &[3]);
    fs::remove_file(dir.path().join("high-water")).unwrap();
    let error = open(dir.path(), Options::default()).err().unwrap();
    assert!(
        matches!(error, StoreError::Damaged { from: 3, to: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_record_that_the_database_lost_is_found_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    damaged_store(dir.path(), &[]);
    let disk = Disk::open(dir.path(), 8 << 20).unwrap();
    let delete = |first| Change::Delete(frame(first));
    disk.write(vec![delete(2), delete(3)], Durability::Disk)
        .unwrap();
    drop(disk);
    let log = open(dir.path(), Options::default()).unwrap();
    let bodies: Vec<_> = log.read(1, 9).unwrap();
    let bodies: Vec<_> = bodies.iter().map(|e| e.content.body.clone()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    assert_eq!(append(&log, &["4"]), 4);
}

#[test]
fn a_new_endpoint_gets_no_dead_letters_of_one_whose_making_was_lost() {
    for outcome in [Outcome::Dead, Outcome::Delivered] {
        let world = World::<OnDisk>::new();
        let lost = world.add(settings("lost", Order::Independent));
        world.append_many(1);
        world.settle(&world.claim()[0], outcome);
        if outcome != Outcome::Dead {
            assert_eq!(world.log.replay(replay(lost)).unwrap(), 1);
        }
        let dir = world.dir();
        let kept = world.into_directory();
        erase_frames(&dir, b"t", &[1]);
        fs::remove_file(dir.join("projections")).unwrap();
        let accepting = Options {
            accept_lost_transitions: Some(1..=1),
            ..Options::default()
        };
        let log = open(&dir, accepting).unwrap();
        let add = EndpointCommand::Add(
            Box::new(settings("new", Order::Independent)),
            EndpointState::Active,
        );
        let ticket = log.endpoint(add).unwrap();
        log.commit().unwrap();
        let new = ticket.blocking_recv().unwrap().unwrap();
        assert_eq!(new.number, lost + 1);
        let mut only_dead = replay(new.number);
        only_dead.only_dead = true;
        assert_eq!(log.replay(only_dead).unwrap(), 0);
        drop(kept);
    }
}
