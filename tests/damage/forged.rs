//! What is of another store, beside the database or in the body of an event.

use std::fs;
use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::store::backend::Backend;
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Store};

use super::harness::{START, event};
use super::judge::Damaged;
use super::original::{Original, place};

/// Another store of nine events.
fn other() -> (tempfile::TempDir, Log<Disk>) {
    let dir = place();
    let clock = Arc::new(ManualClock::new(START));
    let entropy = [7 << 32, 8, 9];
    let log = Log::open(dir.path(), 8 << 20, clock, Options::default(), entropy).unwrap();
    for number in 0..9 {
        drop(log.append(vec![event("other", format!("other {number}"))]));
        log.commit().unwrap();
    }
    (dir, log)
}

/// The frame with another first number, and the checksum that goes with that.
fn renumbered(frame: &[u8], first: u64) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[10..18].copy_from_slice(&first.to_le_bytes());
    let crc = crc32c::crc32c(&frame[6..]);
    frame[2..6].copy_from_slice(&crc.to_le_bytes());
    frame
}

/// Breaks the head of every copy of the frame with this event: what lies in it is looked at.
fn rot(damaged: &mut Damaged<'_>, seq: u64) {
    let original = damaged.original;
    let (places, _) = original.frame_of(seq);
    let db = places.iter().map(|place| ("db", *place));
    let volumes = original.volumes_of(seq).iter();
    let volumes = volumes.map(|(name, place)| (name.as_str(), *place));
    for (name, place) in db.chain(volumes) {
        damaged.files.get_mut(name).unwrap()[place + 2] ^= 1;
    }
}

#[test]
fn frames_in_the_body_of_a_damaged_event_are_its_senders() {
    let (_dir, other) = other();
    let backend = other.backend();
    let meta = backend.get(b"m").unwrap().unwrap();
    let frames = backend.scan(b"e", b"e", 9).unwrap();
    let frames: Vec<Vec<u8>> = frames.into_iter().map(|(_, frame)| frame).collect();
    let with_all = [std::slice::from_ref(&meta), frames.as_slice()]
        .concat()
        .concat();
    let without_end = [u64::MAX, u64::MAX - 1, 1 << 48].map(|first| renumbered(&frames[0], first));
    for (what, body) in [
        ("a description", meta),
        ("descriptions and events", with_all),
        ("numbers without end", without_end.concat()),
    ] {
        for in_a_volume in [false, true] {
            let original = Original::with_body(body.clone(), in_a_volume);
            let mut damaged = Damaged::new(&original);
            damaged.what = what.to_owned();
            rot(&mut damaged, 6);
            // A snapshot knows the event: of a page that sled cannot read a start is told all the
            // same, of a record nobody before it is read.
            let kind = if in_a_volume {
                "found by reading"
            } else {
                "named"
            };
            assert_eq!(damaged.lives_on(), kind, "{what}");
        }
    }
}

#[test]
fn projections_of_another_store_do_not_make_a_damaged_one_hopeless() {
    let (dir, other) = other();
    other.close().unwrap();
    drop(other);
    let projections = fs::read(dir.path().join("projections")).unwrap();
    let original = Original::small();
    let mut damaged = Damaged::new(&original);
    damaged.what = "projections of another store, and no conf".to_owned();
    let files = &mut damaged.files;
    files.insert("projections".into(), projections);
    files.insert("conf".into(), b"nothing".to_vec());
    assert_eq!(damaged.lives_on(), "whole");
    damaged.what = "projections of another store, and a damaged event".to_owned();
    rot(&mut damaged, 2);
    assert_eq!(damaged.lives_on(), "named");
}
