//! The two sides of a backup without a network between them: cut off, changed, mixed up.

use std::path::Path;
use std::sync::Arc;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::event::{Form, NewEvent};
use redeliver::store::backup::{BackupError, Have, LENGTH_BYTES, Target};
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Store, verify};

const CACHE: u64 = 8 << 20;

fn open(dir: &Path, entropy: u64) -> Log<Disk> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let entropy = [entropy << 32 | 1, 2, 3];
    Log::open(dir, CACHE, clock, Options::default(), entropy).unwrap()
}

fn put(log: &Log<Disk>, bodies: &[usize]) {
    for (number, len) in bodies.iter().enumerate() {
        let event = NewEvent {
            source: "api".into(),
            kind: "order.paid".into(),
            subject: None,
            time: None,
            content_type: "text/plain".into(),
            form: Form::Data,
            body: vec![number as u8; *len].into(),
            status: None,
            idempotency_key: None,
        };
        let ticket = log.append(vec![event]).unwrap();
        log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap();
    }
}

/// Every piece of a copy, without their lengths.
fn pieces(log: &Log<Disk>, have: &Have) -> Vec<Vec<u8>> {
    let mut cursor = log.begin_backup(have).unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = log.read_backup(&mut cursor).unwrap() {
        pieces.push(piece[LENGTH_BYTES..].to_vec());
    }
    pieces
}

fn target(dir: &Path) -> Target {
    Target::begin(dir, CACHE, 9).unwrap()
}

fn bodies() -> Vec<usize> {
    (0..70).map(|number| number % 7 * 60_000).collect()
}

#[test]
fn a_copy_that_is_cut_off_anywhere_is_gone_on_with_and_whole_at_last() {
    let dirs = tempfile::tempdir().unwrap();
    let log = open(&dirs.path().join("data"), 1);
    put(&log, &bodies());
    let all = pieces(&log, &Have::NOTHING);
    assert!(all.len() > 8, "{}", all.len());
    for cut in (0..all.len()).step_by(all.len() / 12) {
        let dir = dirs.path().join(format!("copy-{cut}"));
        let mut first = target(&dir);
        for piece in &all[..cut] {
            first.take(piece).unwrap();
        }
        let ended = first.finish();
        assert!(matches!(ended, Err(BackupError::Broken { .. })), "{cut}");
        assert!(!dir.exists());
        // More has come in meanwhile.
        let mut second = target(&dir);
        for piece in pieces(&log, &second.have()) {
            second.take(&piece).unwrap();
        }
        let summary = second.finish().unwrap();
        assert_eq!(
            (summary.report.last_seq, summary.report.events),
            (70, 70),
            "{cut}"
        );
        assert!(verify(&dir, CACHE).unwrap().findings.is_empty());
        let copy = open(&dir, 1);
        for seq in 1..=70 {
            assert_eq!(copy.event(seq).unwrap(), log.event(seq).unwrap());
        }
    }
}

#[test]
fn no_change_of_a_piece_goes_unnoticed() {
    let dirs = tempfile::tempdir().unwrap();
    let log = open(&dirs.path().join("data"), 1);
    put(&log, &[10, 9_000, 20]);
    let all = pieces(&log, &Have::NOTHING);
    let dir = dirs.path().join("copy");
    for (number, piece) in all.iter().enumerate() {
        for at in (0..piece.len()).step_by(1 + piece.len() / 40) {
            let mut target = target(&dir);
            let taken = all.iter().enumerate().try_for_each(|(n, piece)| {
                let mut piece = piece.clone();
                if n == number {
                    piece[at] ^= 1;
                }
                target.take(&piece)
            });
            assert!(taken.is_err(), "byte {at} of piece {number}");
        }
    }
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    let repeated = [&all[..2], &all[1..]].concat();
    let missing = [&all[..1], &all[2..]].concat();
    for wrong in [swapped, repeated, missing] {
        let mut target = target(&dir);
        let mut pieces = wrong.iter();
        let taken = pieces.try_for_each(|piece| target.take(piece));
        assert!(matches!(taken, Err(BackupError::Broken { .. })));
    }
    assert!(!dir.exists());
}

#[test]
fn a_part_of_another_store_or_of_another_history_is_not_gone_on_with() {
    let dirs = tempfile::tempdir().unwrap();
    let [one, other, fork] = [("one", 1), ("other", 2), ("fork", 1)].map(|(name, entropy)| {
        let log = open(&dirs.path().join(name), entropy);
        let mut bodies = vec![120_000; 70];
        bodies[0] += usize::from(name == "fork");
        put(&log, &bodies);
        log
    });
    let dir = dirs.path().join("copy");
    let mut target_of_one = target(&dir);
    for piece in &pieces(&one, &Have::NOTHING) {
        target_of_one.take(piece).unwrap();
    }
    drop(target_of_one);
    let mut again = target(&dir);
    let have = again.have();
    assert_eq!(have.tag, Some(1));
    let refused = other.begin_backup(&have).map(drop);
    assert_eq!(refused, Err(BackupError::OtherStore));
    let taken = pieces(&fork, &have)
        .iter()
        .try_for_each(|piece| again.take(piece));
    assert!(
        matches!(taken, Err(BackupError::Behind { .. })),
        "{taken:?}"
    );
    drop(again);
    let younger = open(&dirs.path().join("younger"), 1);
    let refused = younger.begin_backup(&have).map(drop);
    assert!(matches!(refused, Err(BackupError::Behind { .. })));
}

#[test]
fn nothing_is_deleted_while_a_copy_is_made() {
    let dirs = tempfile::tempdir().unwrap();
    let log = open(&dirs.path().join("data"), 1);
    put(&log, &[10, 20]);
    let cursor = log.begin_backup(&Have::NOTHING).unwrap();
    assert_eq!(log.pins().delete_below(2).below(), 1);
    drop(cursor);
    assert_eq!(log.pins().delete_below(2).below(), 2);
}
