//! `store verify` and `store stats`, on stores that the library has made.

use std::path::Path;
use std::sync::Arc;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::event::{Form, NewEvent};
use redeliver::store::disk::Disk;
use redeliver::store::{Log, Options, Store};

use crate::{run, starting};

fn store(dir: &Path) -> Log<Disk> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    Log::open(dir, 8 << 20, clock, Options::default(), [1, 2, 3]).unwrap()
}

/// Ends the use of a store. A process that is just being started by another test still has the
/// store's lock among its descriptors, until it has become the binary.
fn end(log: Log<Disk>) {
    let _none_starts = starting();
    drop(log);
}

fn event() -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: "order.paid".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: b"{}".to_vec().into(),
        status: None,
        idempotency_key: None,
    }
}

#[test]
fn a_store_is_verified_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().display().to_string();
    let stats = ["store", "stats", "--data", &data];
    for verb in ["verify", "stats"] {
        let nothing = run(&["store", verb, "--data", &data]);
        assert_eq!(nothing.code, 3);
        assert!(
            nothing.err.contains("there is no store in it"),
            "{}",
            nothing.err
        );
    }
    let log = store(dir.path());
    let locked = run(&stats);
    assert_eq!(locked.code, 3);
    assert!(
        locked.err.contains("in use by another process"),
        "{}",
        locked.err
    );
    log.close().unwrap();
    end(log);
    let empty = run(&stats);
    assert_eq!(empty.code, 0, "{}", empty.err);
    let log = store(dir.path());
    let ticket = log.append(vec![event(), event(), event()]).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap();
    log.close().unwrap();
    end(log);
    let verified = run(&["store", "verify", "--data", &data]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(
        verified.out.ends_with("the store is whole\n"),
        "{}",
        verified.out
    );
    let counted = run(&stats);
    assert_eq!(counted.code, 0, "{}", counted.err);
    assert!(
        counted.out.contains("2023-11-14T22:13:20.000Z"),
        "{}",
        counted.out
    );
    let counted = run(&[&stats[..], &["--json"]].concat());
    let counted: serde_json::Value = serde_json::from_str(&counted.out).unwrap();
    assert_eq!(
        (&counted["events"], &counted["last_seq"]),
        (&3.into(), &3.into())
    );
    assert_eq!(counted["endpoints"], serde_json::json!([]));
}

#[test]
fn looking_at_a_store_changes_nothing_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = store(dir.path());
    log.close().unwrap();
    end(log);
    let files = || {
        let names = ["projections", "high-water"];
        names.map(|name| std::fs::read(dir.path().join(name)).unwrap())
    };
    let before = files();
    let data = dir.path().display().to_string();
    for verb in ["stats", "verify", "stats"] {
        assert_eq!(run(&["store", verb, "--data", &data]).code, 0);
    }
    assert_eq!(files(), before);
}

#[test]
fn a_store_that_lost_events_fails_the_check_and_names_them() {
    let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    end(store(dir.path()));
    std::fs::copy(dir.path().join("db"), old.path().join("db")).unwrap();
    let log = store(dir.path());
    let ticket = log.append(vec![event(), event()]).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap();
    log.close().unwrap();
    end(log);
    std::fs::copy(old.path().join("db"), dir.path().join("db")).unwrap();
    let data = dir.path().display().to_string();
    let ran = run(&["store", "verify", "--data", &data]);
    let all = "every record is still there, and a start puts the database together anew";
    assert!(ran.code == 1 && ran.out.contains(all), "{}", ran.out);
    std::fs::remove_dir_all(dir.path().join("records")).unwrap();
    let data = dir.path().display().to_string();
    let ran = run(&["store", "verify", "--data", &data]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("events 1 to 2: "), "{}", ran.out);
    assert_eq!(ran.err, "error: the store is damaged: 1 finding\n");
}

#[test]
fn a_store_whose_new_database_is_still_to_be_moved_into_its_place_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let log = store(dir.path());
    drop(log.append(vec![event()]).unwrap());
    log.close().unwrap();
    end(log);
    let data = dir.path().display().to_string();
    for verb in ["verify", "stats"] {
        std::fs::create_dir(dir.path().join("rebuilt")).unwrap();
        std::fs::rename(dir.path().join("db"), dir.path().join("rebuilt/db")).unwrap();
        let ran = run(&["store", verb, "--data", &data]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

/// The user who owns nothing.
const NOBODY: u32 = 65_534;

#[test]
fn root_leaves_nothing_in_the_store_of_another_user() {
    let dir = tempfile::tempdir().unwrap();
    end(store(dir.path()));
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root, who alone can give files away");
        return;
    }
    std::os::unix::fs::chown(dir.path(), Some(NOBODY), None).unwrap();
    let data = dir.path().to_str().unwrap();
    let target = dir.path().join("copy").display().to_string();
    let before = std::fs::read_dir(dir.path()).unwrap().count();
    for args in [
        &["store", "verify", "--data", data][..],
        &["store", "stats", "--data", data],
        &["store", "export", "--data", data, "-"],
        &["store", "backup", "--data", data, &target],
        &["store", "seal", "--data", data, &target],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 3, "{args:?}: {}", ran.err);
        assert!(
            ran.err.contains("sudo -u '#65534'"),
            "{args:?}: {}",
            ran.err
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), before);
}
