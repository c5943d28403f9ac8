//! The files beside the database: missing, empty, cut, flipped, old, another store's, no files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redeliver::store::{Options, Store, StoreError, verify};

use super::cuts::in_parallel;
use super::harness::event;
use super::judge::{Damaged, Verdict};
use super::original::{Original, open, place, read_files, write_files};

/// Whatever is wrong with these, nothing is missing: the database alone says all.
const DISPENSABLE: [&str; 3] = ["conf", "high-water", "projections"];

fn sleds_snapshot(original: &Original) -> String {
    let mut names = original.files.keys();
    names
        .find(|name| name.starts_with("snap."))
        .unwrap()
        .clone()
}

fn without<'a>(original: &'a Original, name: &str) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    damaged.files.remove(name);
    damaged.what = format!("no {name}");
    damaged
}

fn with<'a>(original: &'a Original, name: &str, bytes: Vec<u8>, what: &str) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    damaged.files.insert(name.to_owned(), bytes);
    damaged.what = format!("{name} {what}");
    damaged
}

#[test]
fn a_small_file_that_is_cut_flipped_or_gone_costs_nothing() {
    let original = Original::small();
    let snapshot = sleds_snapshot(&original);
    let names = DISPENSABLE.into_iter().chain([snapshot.as_str()]);
    let mut all = Vec::new();
    for name in names {
        all.push(without(&original, name));
        let bytes = &original.files[name];
        for at in 0..bytes.len() {
            all.push(with(
                &original,
                name,
                bytes[..at].to_vec(),
                &format!("cut to {at}"),
            ));
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            all.push(with(&original, name, flipped, &format!("flipped at {at}")));
        }
    }
    in_parallel(all.len(), |number| {
        let damaged = &all[number];
        // Each kind to its end, the others to their first answer.
        if number % 40 == 0 {
            assert_eq!(damaged.lives_on(), "whole", "{}", damaged.what);
        } else {
            let dir = place();
            write_files(dir.path(), &damaged.files);
            let verdict = damaged.verdict(dir.path());
            assert_eq!(verdict, Verdict::Whole, "{}", damaged.what);
        }
    });
}

#[test]
fn what_a_crash_leaves_of_a_snapshot_is_no_obstacle() {
    let original = Original::small();
    for name in ["snap.0000000000000500.generating", "projections.unfinished"] {
        for bytes in [Vec::new(), b"half".to_vec()] {
            with(&original, name, bytes, "left over").lives_on();
        }
    }
    with(&original, "snap.FFFFFFFFFFFFFFFF", Vec::new(), "empty").lives_on();
    with(&original, &sleds_snapshot(&original), Vec::new(), "empty").lives_on();
}

#[test]
fn a_database_that_is_gone_is_not_made_again_as_if_nothing_had_been() {
    let original = Original::small();
    for damaged in [
        without(&original, "db"),
        with(&original, "db", Vec::new(), "empty"),
        with(&original, "db", vec![0; 20_000], "nothing but zeros"),
    ] {
        let dir = place();
        write_files(dir.path(), &damaged.files);
        for _ in 0..2 {
            let error = open(dir.path(), Options::default()).err().unwrap();
            let StoreError::Corrupt(_) = &error else {
                panic!("{}: {error}", damaged.what);
            };
            assert!(error.to_string().contains("restore a backup"), "{error}");
        }
        let mark = fs::read(dir.path().join("high-water")).unwrap();
        assert_eq!(mark, original.files["high-water"], "{}", damaged.what);
    }
}

#[test]
fn an_older_snapshot_of_the_same_store_is_caught_up_with() {
    let older = Original::small();
    let dir = place();
    write_files(dir.path(), &older.files);
    let log = open(dir.path(), Options::default()).unwrap();
    for body in ["four", "five"] {
        drop(log.append(vec![event("a", body)]).unwrap());
        log.commit().unwrap();
    }
    log.close().unwrap();
    drop(log);
    let newer = fs::read(dir.path().join("projections")).unwrap();
    assert_ne!(newer, older.files["projections"]);
    fs::write(dir.path().join("projections"), &older.files["projections"]).unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    assert_eq!(log.read(1, 10).unwrap().len(), 5);
    assert_eq!(log.claim(10).unwrap().len(), 1);
}

#[test]
fn the_last_event_that_a_snapshot_knows_can_be_given_up() {
    let original = Original::going_on();
    let mut damaged = Damaged::new(&original);
    let (places, len) = original.frame_of(3);
    let db = damaged.files.get_mut("db").unwrap();
    for place in places {
        db[place + len - 1] ^= 1;
    }
    assert_eq!(damaged.lives_on(), "named");
}

#[test]
fn projections_of_another_store_are_ignored() {
    let original = Original::small();
    let other = place();
    let clock = redeliver::clock::ManualClock::new(super::harness::START);
    let log = redeliver::store::Log::open(
        other.path(),
        8 << 20,
        std::sync::Arc::new(clock),
        Options::default(),
        [7 << 32, 8, 9],
    )
    .unwrap();
    drop(log.append(vec![event("other", "other"); 9]).unwrap());
    log.commit().unwrap();
    log.close().unwrap();
    drop(log);
    let bytes = fs::read(other.path().join("projections")).unwrap();
    assert_eq!(
        with(&original, "projections", bytes, "of another store").lives_on(),
        "whole"
    );
    // A mark names no store: one that says more is believed, until the operator says otherwise.
    let bytes = fs::read(other.path().join("high-water")).unwrap();
    let dir = place();
    write_files(dir.path(), &with(&original, "high-water", bytes, "").files);
    let error = open(dir.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("--accept-loss 4-9"), "{error}");
    open(dir.path(), super::original::accepting(Some((4, 9)), None)).unwrap();
}

#[test]
fn a_directory_in_the_place_of_a_file_is_told_with_its_path() {
    let original = Original::small();
    for name in [
        "db",
        "conf",
        "high-water",
        "lock",
        &sleds_snapshot(&original),
    ] {
        let dir = place();
        write_files(dir.path(), &original.files);
        let path = dir.path().join(name);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let error = open(dir.path(), Options::default()).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains(dir.path().to_str().unwrap()) && error.contains("Is a directory"),
            "{name}: {error:?}"
        );
    }
    // The snapshot of the projections is a cache.
    let dir = place();
    write_files(dir.path(), &original.files);
    fs::remove_file(dir.path().join("projections")).unwrap();
    fs::create_dir(dir.path().join("projections")).unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    assert_eq!(log.read(1, 10).unwrap().len(), 3);
}

#[test]
fn files_that_may_not_be_read_are_told_and_stay_as_they_are() {
    let original = Original::small();
    let probe = place();
    let closed = probe.path().join("closed");
    fs::write(&closed, b"").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&closed).is_ok() {
        println!("skipped: whoever runs this may read every file, as root may");
        return;
    }
    for name in ["db", "conf", "high-water", "lock"] {
        let dir = place();
        write_files(dir.path(), &original.files);
        let path = dir.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let error = open(dir.path(), Options::default()).err().unwrap();
        assert!(
            matches!(error, StoreError::Directory { .. }),
            "{name}: {error}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), original.files[name]);
    }
}

#[test]
fn verifying_writes_no_file_of_ours() {
    let original = Original::small();
    let names = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let dir = place();
    write_files(dir.path(), &without(&original, "high-water").files);
    assert_eq!(verify(dir.path(), 8 << 20).unwrap().findings, []);
    assert!(!names(dir.path()).contains(&"high-water".into()));
}

#[test]
fn a_crash_while_the_new_database_is_moved_into_its_place_is_caught_up_with() {
    let original = Original::small();
    let rebuilt = {
        let dir = place();
        let damaged = with(&original, "conf", b"no configuration".to_vec(), "wrong");
        write_files(dir.path(), &damaged.files);
        drop(open(dir.path(), Options::default()).unwrap());
        assert!(dir.path().join("damaged-1/db").is_file());
        let files = read_files(dir.path());
        ["high-water", "projections", "records", "conf", "db"].map(|name| {
            let is_of = |file: &str| file.split('/').next() == Some(name);
            let of: BTreeMap<_, _> = files
                .clone()
                .into_iter()
                .filter(|(file, _)| is_of(file))
                .collect();
            assert!(!of.is_empty(), "{name}");
            (name, of)
        })
    };
    // As if the process had died after so many steps: each file is moved away, then its new one in.
    for steps in 0..=2 * rebuilt.len() {
        let dir = place();
        let at = |name: &str| dir.path().join(name);
        write_files(dir.path(), &original.files);
        fs::write(at("unreadable"), b"").unwrap();
        fs::create_dir(at("rebuilt")).unwrap();
        fs::write(at("rebuilt/lock"), b"1").unwrap();
        fs::create_dir(at("damaged-1")).unwrap();
        for (number, (name, files)) in rebuilt.iter().enumerate() {
            if 2 * number < steps && at(name).exists() {
                fs::rename(at(name), at("damaged-1").join(name)).unwrap();
            }
            let is_in = 2 * number + 1 < steps;
            let new = if is_in { at("") } else { at("rebuilt") };
            write_files(&new, files);
        }
        if steps > 0 {
            fs::remove_file(at(&sleds_snapshot(&original))).unwrap();
        }
        let report = verify(dir.path(), 8 << 20).unwrap();
        assert_eq!(report.findings, [], "{steps} steps");
        let log = open(dir.path(), Options::default()).unwrap();
        for (seq, written) in (1..).zip(&original.events) {
            assert_eq!(
                log.event(seq).unwrap().as_ref(),
                Some(written),
                "{steps} steps"
            );
        }
        for name in ["rebuilt", "unreadable", "damaged-2"] {
            assert!(!at(name).exists(), "{steps} steps: {name}");
        }
        let kept = fs::read(at("damaged-1/db")).unwrap();
        assert_eq!(kept, original.files["db"], "{steps} steps");
    }
    // One that was not finished is begun anew, if it is wanted at all.
    let dir = place();
    write_files(dir.path(), &original.files);
    fs::create_dir(dir.path().join("rebuilding")).unwrap();
    fs::write(dir.path().join("rebuilding/db"), b"half").unwrap();
    assert_eq!(
        open(dir.path(), Options::default())
            .unwrap()
            .read(1, 9)
            .unwrap()
            .len(),
        3
    );
}
