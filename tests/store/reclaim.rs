//! Files of records that are emptied: what is still pointed to is copied first, and a crash in the
//! middle of it loses nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use redeliver::store::backend::{Backend, Change, Durability};
use redeliver::store::disk::Disk;
use redeliver::store::{Retention, Store, verify};

use super::harness::*;
use super::retention::{HOUR_S, hours, keeping};

/// More than two files of records.
const EVENTS: u8 = 150;
const BODY_BYTES: usize = 1 << 20;
/// A file that is as long gets no more records.
const FILE_BYTES: u64 = 64 << 20;

/// One event in so many stays.
const KEPT: u64 = 15;

/// The directory as a kill at this moment leaves it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn everything(disk: &Disk) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let prefixes = [b"b", b"e"].into_iter();
    let all = prefixes.flat_map(|prefix| disk.scan(prefix, prefix, usize::MAX).unwrap());
    all.collect()
}

/// A store of an earlier version does not say how much of each volume is pointed to.
fn is_counted_anew(dir: &Path) {
    let disk = Disk::open(dir, 8 << 20).unwrap();
    let live = disk.space().live_bytes;
    let counts = (0..20_u32).map(|volume| [&b"v"[..], &volume.to_be_bytes()].concat());
    let counts = counts.map(Change::Delete).collect();
    disk.write(counts, Durability::Disk).unwrap();
    drop(disk);
    let disk = Disk::open(dir, 8 << 20).unwrap();
    assert_eq!(disk.space().live_bytes, live);
}

#[test]
fn a_kill_while_records_are_copied_loses_none_of_them_and_the_next_start_ends_it() {
    let world = World::<OnDisk>::new();
    for n in 0..EVENTS {
        world.append(vec![event("a", vec![n; BODY_BYTES])]);
    }
    let directory = world.into_directory();
    let dir = directory.0.path();
    let disk = Disk::open(dir, 8 << 20).unwrap();
    // As retention deletes, but for what it writes down before.
    let number = |key: &[u8]| u64::from_be_bytes(key[1..9].try_into().unwrap());
    let all = everything(&disk);
    let gone = all.keys().filter(|key| number(key) % KEPT != 0);
    let gone: Vec<Change> = gone.cloned().map(Change::Delete).collect();
    for batch in gone.chunks(512) {
        disk.write(batch.to_vec(), Durability::Disk).unwrap();
    }
    disk.checkpoint().unwrap();
    let kept = everything(&disk);
    assert_eq!(kept.len() * KEPT as usize, all.len());
    let before = disk.space();
    assert!(before.log_bytes > 3 * before.live_bytes, "{before:?}");

    let (asked, left) = (Cell::new(0), RefCell::new(Vec::new()));
    let copied = disk.reclaim(&|| {
        asked.set(asked.get() + 1);
        if asked.get() % 3 == 1 && left.borrow().len() < 4 {
            let killed = tempfile::tempdir().unwrap();
            copy(dir, killed.path());
            left.borrow_mut().push(killed);
        }
        false
    });
    assert!(copied.unwrap() > 0);
    assert!(left.borrow().len() >= 2, "{} moments", left.borrow().len());
    let after = disk.space();
    assert!(after.log_bytes < before.log_bytes, "{before:?} {after:?}");
    assert_eq!(everything(&disk), kept);
    drop(disk);
    for killed in left.into_inner() {
        is_counted_anew(killed.path());
        let disk = Disk::open(killed.path(), 8 << 20).unwrap();
        assert_eq!(everything(&disk), kept);
        disk.reclaim(&|| false).unwrap();
        assert_eq!(everything(&disk), kept);
        assert!(disk.space().log_bytes <= 2 * disk.space().live_bytes + (64 << 20));
    }
    let disk = Disk::open(dir, 8 << 20).unwrap();
    assert_eq!(everything(&disk), kept);
}

/// What retention let go is named by fewer bytes than fill the journal, so that no write is to be
/// expected that brings it into the database.
#[test]
fn files_of_which_everything_has_expired_are_deleted_although_nothing_more_is_written() {
    let world = World::<OnDisk>::with(keeping(Retention {
        max_age: hours(1),
        ..Retention::default()
    }));
    for n in 0..EVENTS {
        world.append(vec![event("a", vec![n; BODY_BYTES])]);
    }
    let before = world.log.figures();
    assert!(before.log_bytes > 2 * FILE_BYTES, "{before:?}");
    world.advance(2 * HOUR_S);
    let expired = world.log.maintain().unwrap().expired_events;
    assert_eq!(expired, u64::from(EVENTS));

    let after = world.log.figures();
    assert!(after.live_bytes < 100_000, "{after:?}");
    assert!(
        after.log_bytes <= FILE_BYTES + BODY_BYTES as u64,
        "{after:?}"
    );
    // As a kill leaves it.
    let killed = world.kill();
    let report = verify(killed.0.path(), 8 << 20).unwrap();
    assert_eq!((report.events, report.findings), (0, Vec::new()));
}

/// What has expired is told to the database once; what is only new waits for the journal to be full.
#[test]
fn a_pass_that_lets_nothing_go_writes_nothing() {
    let world = World::<OnDisk>::with(keeping(Retention {
        max_age: hours(1),
        ..Retention::default()
    }));
    let written = || {
        let names = ["journal-0", "journal-1"].into_iter();
        let journal = names.map(|name| fs::read(world.dir().join(name)).unwrap());
        (journal.collect::<Vec<_>>(), world.log.figures().log_bytes)
    };
    for lets_go in [false, true, true] {
        world.append(vec![event("a", vec![1; 20_000]), event("a", "1")]);
        world.advance(HOUR_S / 2 + 1);
        let before = written();
        let expired = world.log.maintain().unwrap().expired_events;
        assert_eq!(expired > 0, lets_go);
        assert_eq!(written() != before, lets_go);
        let before = written();
        world.log.maintain().unwrap();
        assert!(written() == before);
    }
}
