//! What only a store on disk can get wrong: locks, directories, damage, snapshots, old formats.

use std::fs;
use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::Order;
use redeliver::store::backend::Backend;
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Outcome, Store, StoreError, verify};

use super::harness::*;

pub fn open(
    dir: &std::path::Path,
    options: Options,
) -> Result<Log<redeliver::store::disk::Disk>, StoreError> {
    let clock = Arc::new(ManualClock::new(START));
    Log::open(dir, 8 << 20, clock, options, ENTROPY)
}

#[test]
fn a_second_process_is_refused_and_told_who_owns_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), Options::default()).unwrap();
    let error = open(dir.path(), Options::default()).err().unwrap();
    let owner = format!("(process {})", std::process::id());
    assert!(
        matches!(&error, StoreError::Locked { .. }) && error.to_string().contains(&owner),
        "{error}"
    );
    drop(first);
    open(dir.path(), Options::default()).unwrap();
}

#[test]
fn a_data_directory_that_is_a_file_is_refused_in_words() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = open(file.path(), Options::default()).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("choose a writable directory with --data"),
        "{error}"
    );
}

#[test]
fn a_snapshot_that_sled_left_unfinished_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), Options::default())
        .unwrap()
        .close()
        .unwrap();
    fs::write(dir.path().join("snap.0000000000000000.generating"), b"half").unwrap();
    open(dir.path(), Options::default()).unwrap();
}

#[test]
fn a_start_from_a_snapshot_equals_a_start_from_the_whole_log() {
    let world = World::<OnDisk>::new();
    let endpoint = world.add(settings("warehouse", Order::Independent));
    world.append_many(4);
    for (claim, outcome) in world
        .claim()
        .iter()
        .zip([Outcome::Delivered, retry(30), Outcome::Dead])
    {
        world.settle(claim, outcome);
    }
    let world = world.restart(true);
    world.append_many(2);
    for kind in ["torn", "absent"] {
        let view = |log: &Log<_>| {
            let deliveries = (1..=6).map(|seq| {
                let delivery = log.delivery(endpoint, seq).unwrap().unwrap();
                (delivery.status, delivery.attempts, delivery.next_attempt_at)
            });
            let deliveries: Vec<_> = deliveries.collect();
            (deliveries, format!("{:?}", log.endpoints().unwrap()))
        };
        let dir = tempfile::tempdir().unwrap();
        copy(&world.dir(), dir.path());
        let from_snapshot = view(&open(dir.path(), Options::default()).unwrap());
        match kind {
            "torn" => fs::write(dir.path().join("projections"), b"torn").unwrap(),
            _ => fs::remove_file(dir.path().join("projections")).unwrap(),
        }
        let from_log = view(&open(dir.path(), Options::default()).unwrap());
        assert_eq!(from_snapshot, from_log, "{kind}");
    }
}

/// Copies a store's files, as a kill at this moment would leave them.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Flips a bit in every copy of the frames of events at these positions.
pub fn erase(dir: &std::path::Path, firsts: &[u64]) {
    erase_frames(dir, b"e", firsts);
}

/// Flips a bit in every copy of the frames of this kind with these numbers.
pub fn erase_frames(dir: &std::path::Path, prefix: &[u8], firsts: &[u64]) {
    let disk = Disk::open(dir, 8 << 20).unwrap();
    let key = |first: &u64| [prefix, &first.to_be_bytes()].concat();
    let frames = firsts.iter().map(|first| disk.get(&key(first)).unwrap());
    let frames: Vec<Vec<u8>> = frames.flatten().collect();
    drop(disk);
    let volumes = fs::read_dir(dir.join("records")).into_iter().flatten();
    let volumes = volumes.map(|volume| volume.unwrap().path());
    for path in volumes.chain([dir.join("db")]) {
        let mut bytes = fs::read(&path).unwrap();
        for frame in &frames {
            for at in 0..bytes.len().saturating_sub(frame.len() - 1) {
                if bytes[at] == frame[0] && bytes[at..].starts_with(frame) {
                    bytes[at + frame.len() - 1] ^= 1;
                }
            }
        }
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_log_that_lost_its_end_is_refused_with_the_missing_numbers_until_the_loss_is_accepted() {
    let world = World::<OnDisk>::new();
    world.append_many(3);
    let dir = tempfile::tempdir().unwrap();
    copy(&world.dir(), dir.path());
    world.append_many(2);
    // The database is the older one, the mark the newer one: what was acknowledged is gone.
    fs::copy(
        world.dir().join("high-water"),
        dir.path().join("high-water"),
    )
    .unwrap();
    let error = open(dir.path(), Options::default()).err().unwrap();
    let StoreError::Damaged { from: 4, to: 5, .. } = &error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains("--accept-loss 4-5"), "{error}");
    let accept = Options {
        accept_loss: Some(4..=5),
        ..Options::default()
    };
    let log = open(dir.path(), accept).unwrap();
    log.commit().unwrap();
    let ticket = log.append(vec![event("a", "")]).unwrap();
    log.commit().unwrap();
    assert_eq!(ticket.blocking_recv().unwrap().unwrap()[0].seq, 6);
    let steps_over_the_hole = |log: &Log<redeliver::store::disk::Disk>| {
        assert_eq!(log.event(4).unwrap(), None);
        let seqs: Vec<u64> = log.read(1, 10).unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 6]);
    };
    steps_over_the_hole(&log);
    drop(log);
    let log = open(dir.path(), Options::default()).unwrap();
    steps_over_the_hole(&log);
    log.close().unwrap();
    drop(log);
    steps_over_the_hole(&open(dir.path(), Options::default()).unwrap());
}

#[test]
fn attempts_that_a_power_cut_took_along_are_no_damage() {
    let world = World::<OnDisk>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(2);
    let dir = tempfile::tempdir().unwrap();
    copy(&world.dir(), dir.path());
    // Settlements are not synced by themselves: after a power cut the database may be without
    // them although the mark, written later, is there.
    let head = world.claim().remove(0);
    world.settle(&head, Outcome::Delivered);
    fs::copy(
        world.dir().join("high-water"),
        dir.path().join("high-water"),
    )
    .unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    assert_eq!(log.claim(1).unwrap()[0].attempt, 1, "it is repeated");
}

#[test]
fn verify_reads_a_whole_store_and_finds_nothing() {
    let world = World::<OnDisk>::new();
    world.add(settings("crm", Order::InOrder));
    world.append(vec![event("large", vec![7; 200_000]), event("small", "{}")]);
    let head = world.claim().remove(0);
    world.settle(&head, Outcome::Delivered);
    let dir = world.dir();
    let kept = world.into_directory();
    let report = verify(&dir, 8 << 20).unwrap();
    assert_eq!((report.events, report.last_seq, report.attempts), (2, 2, 1));
    assert_eq!(report.findings, []);
    drop(kept);
    let nothing = tempfile::tempdir().unwrap();
    let error = verify(nothing.path(), 8 << 20).unwrap_err();
    assert!(
        error.to_string().contains("there is no store in it"),
        "{error}"
    );
}

#[test]
fn a_store_that_was_killed_with_a_journal_goes_on_without_one_and_the_other_way_round() {
    let world = World::without_journal();
    world.append_many(2);
    let OnDisk(dir) = world.kill();
    for (number, options) in (1..).zip([Options::default(), without_journal(), without_journal()]) {
        let log = open(dir.path(), options).unwrap();
        let ticket = log.append(vec![event("test", "more")]).unwrap();
        log.commit().unwrap();
        assert_eq!(ticket.blocking_recv().unwrap().unwrap()[0].seq, 2 + number);
        // Without a word of farewell.
        drop(log);
        assert_eq!(dir.path().join("journal-0").exists(), number == 1);
    }
    let log = open(dir.path(), Options::default()).unwrap();
    let seqs: Vec<u64> = log.read(1, 9).unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    log.close().unwrap();
    assert!(
        !dir.path().join("journal-0").exists(),
        "nothing is left to be done"
    );
}
