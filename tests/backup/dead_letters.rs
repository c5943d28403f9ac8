//! Dead letters in a copy: those that were there at its moment, and no others.

use std::collections::BTreeSet;
use std::time::Duration;

use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Order};
use redeliver::store::backup::{Have, LENGTH_BYTES, Target};
use redeliver::store::{
    DeliveryQuery, EndpointCommand, FoundDelivery, Options, ReplayRequest, Retention,
    SourceRetention, Store,
};

use super::expired::{HOUR, START, World, open, options, settings, target};

fn put_back(world: &World, endpoint: u32, seq: u64) {
    let request = ReplayRequest {
        endpoint,
        since: None,
        until: None,
        seq: Some(seq),
        only_dead: false,
        limit: 1,
        dry_run: false,
    };
    assert_eq!(world.log.replay(request).unwrap(), 1);
}

#[test]
fn a_dead_letter_without_attempts_that_is_put_back_during_a_copy_is_one_in_it() {
    let dirs = tempfile::tempdir().unwrap();
    let world = World::aged(&dirs.path().join("data"), None);
    let before = world.dead();
    assert_eq!(before, BTreeSet::from([2, 3]));
    let dir = dirs.path().join("copy");
    let mut target = target(&dir);
    let mut cursor = world.log.begin_backup(&target.have()).unwrap();
    // One is put back, and one is discarded.
    put_back(&world, 0, 2);
    let found = FoundDelivery {
        seq: 3,
        attempts: 0,
        was_dead: true,
        frame: 0,
    };
    assert_eq!(world.log.discard(0, &[found], "by hand").unwrap().count, 1);
    while let Some(piece) = world.log.read_backup(&mut cursor).unwrap() {
        target.take(&piece[LENGTH_BYTES..]).unwrap();
    }
    target.finish().unwrap();
    assert_eq!(world.dead(), BTreeSet::new());
    let copy = open(&dir, world.now(), options(None));
    assert_eq!(copy.dead(), before);
    assert_eq!(copy.log.endpoints().unwrap()[0].ended.dead, 2);
}

#[test]
fn what_was_put_back_while_a_copy_lay_cut_off_is_no_dead_letter_in_it_although_that_has_expired() {
    let dirs = tempfile::tempdir().unwrap();
    let world = open(&dirs.path().join("data"), START, options(None));
    world.add_endpoint();
    let mut slow = settings();
    slow.name = "slow".to_owned();
    slow.order = Order::InOrder;
    let add = EndpointCommand::Add(Box::new(slow), EndpointState::Active);
    drop(world.log.endpoint(add).unwrap());
    world.log.commit().unwrap();
    world.put(40);
    let dead_of = |world: &World, endpoint| {
        let query = DeliveryQuery {
            endpoint: Some(endpoint),
            statuses: vec![Status::Dead],
            limit: 100,
            ..DeliveryQuery::default()
        };
        let page = world.log.deliveries(&query).unwrap();
        Vec::from_iter(page.items.iter().map(|view| view.event.seq))
    };
    assert_eq!(dead_of(&world, 0), [3, 2]);
    assert_eq!(dead_of(&world, 1), [3, 2]);
    let dir = dirs.path().join("copy");
    let pieces = world.pieces(&Have::NOTHING);
    let mut begun = target(&dir);
    for piece in &pieces[..pieces.len() - 1] {
        begun.take(piece).unwrap();
    }
    assert!(begun.finish().is_err());
    // The other endpoint's dead letter keeps the event.
    put_back(&world, 0, 2);
    world.put_of("api", 1, |_| false);
    for _ in 0..2 {
        world.pass(2 * HOUR);
        world.put(40);
        world.log.maintain().unwrap();
    }
    assert_eq!(
        (dead_of(&world, 0), dead_of(&world, 1)),
        (vec![3], vec![3, 2])
    );
    let mut rest = target(&dir);
    assert!(rest.have().transitions_from > 10, "{:?}", rest.have());
    for piece in world.pieces(&rest.have()) {
        rest.take(&piece).unwrap();
    }
    rest.finish().unwrap();
    let copy = open(&dir, world.now(), options(None));
    assert_eq!(
        (dead_of(&copy, 0), dead_of(&copy, 1)),
        (vec![3], vec![3, 2])
    );
}

/// The attempts of what is gone are kept as long as those of what is there.
fn keeping_attempts() -> Options {
    let hour = SourceRetention {
        max_age: Some(HOUR),
        max_bytes: None,
        dead_letters_max_age: Some(HOUR),
    };
    Options {
        retention: Retention {
            attempts_max_age: Some(Duration::from_secs(1_000_000)),
            sources: [("short".to_owned(), hour)].into(),
            ..Retention::default()
        },
        ..Options::default()
    }
}

#[test]
fn dead_letters_that_have_expired_hide_no_other_in_a_copy_or_a_database_put_together_anew() {
    let dirs = tempfile::tempdir().unwrap();
    let data = dirs.path().join("data");
    let world = open(&data, START, keeping_attempts());
    world.add_endpoint();
    world.put_of("api", 2, |seq| seq == 2);
    world.put_of("short", 6, |_| true);
    world.put_of("api", 1, |_| false);
    world.pass(2 * HOUR);
    assert_eq!(world.log.maintain().unwrap().expired_events, 6);
    let shown = |world: &World| {
        let query = DeliveryQuery {
            statuses: vec![Status::Dead],
            limit: 2,
            ..DeliveryQuery::default()
        };
        let page = world.log.deliveries(&query).unwrap();
        Vec::from_iter(page.items.iter().map(|view| view.event.seq))
    };
    assert_eq!(shown(&world), [2]);
    let dir = dirs.path().join("copy");
    let target: Target = target(&dir);
    target.copy(&world.log, |_, _| ()).unwrap();
    let copy = open(&dir, world.now(), Options::default());
    assert_eq!(shown(&copy), [2]);
    drop(copy);
    std::fs::write(dir.join("unreadable"), b"").unwrap();
    let anew = open(&dir, world.now(), Options::default());
    assert!(dir.join("damaged-1").is_dir());
    assert_eq!(shown(&anew), [2]);
}
