//! Ways to be broken, and the checks that each of them must fail.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::receiver::{Kind, Receiver, redeliver};

/// A way to be broken, the checks that fail for it (without the vendor's name), and further
/// arguments.
pub type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Receivers that are looked at side by side.
const WORKERS: usize = 3;

/// Everything that a good receiver must do is judged, but for `unjudged`, and nothing is found.
pub fn good_passes_everything(kind: Kind, unjudged: &[&str]) {
    let Some(receiver) = Receiver::start(kind, "") else {
        return;
    };
    // Twice: each run has ids of its own, even with the same seed.
    for _ in 0..2 {
        let ran = receiver.check(&["--seed", "7"]);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{}", ran.out);
        assert_eq!(ran.with("failed"), [""; 0], "{}", ran.out);
        assert_eq!(ran.with("skipped"), [""; 0]);
        assert_eq!(ran.with("not_judged"), named(kind, unjudged), "{}", ran.out);
        let passed = ran.with("passed").len();
        assert_eq!(passed, ids(kind).len() - unjudged.len());
    }
}

/// Each receiver of `rows` fails its checks and no others.
pub fn each_fails_its_own(kind: Kind, rows: &[Row]) {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let wrong = look(kind, row);
                    found.lock().unwrap().extend(wrong);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// What is wrong with the verdict on one broken receiver, if anything.
fn look(kind: Kind, (broken, failing, more): &Row) -> Option<String> {
    let receiver = Receiver::start(kind, broken)?;
    let ran = receiver.check(more);
    let failed: BTreeSet<_> = ran.with("failed").into_iter().collect();
    let expected: BTreeSet<_> = named(kind, failing).into_iter().collect();
    let code = if expected.is_empty() { 0 } else { 1 };
    if failed == expected && ran.code == code {
        return None;
    }
    Some(format!(
        "{broken}: exit code {}, failed {failed:?}, expected {expected:?}\n{}{:#?}",
        ran.code,
        ran.err,
        ran.reasons()
    ))
}

/// Every check of the vendor is failed by some receiver of `rows`, but for `unjudged`.
pub fn every_check_can_fail(kind: Kind, rows: &[Row], unjudged: &[&str]) {
    let failing = rows.iter().flat_map(|row| named(kind, row.1));
    let reached: BTreeSet<_> = failing.chain(named(kind, unjudged)).collect();
    let all: BTreeSet<_> = ids(kind).into_iter().collect();
    assert_eq!(reached, all);
}

/// The names of all the vendor's checks.
pub fn ids(kind: Kind) -> Vec<String> {
    let args = ["check", kind.vendor, "--list", "--json"];
    let ran = redeliver(&args.map(str::to_owned));
    let list = ran.json();
    let ids = list.as_array().unwrap().iter();
    ids.map(|check| check["id"].as_str().unwrap().to_owned())
        .collect()
}

fn named(kind: Kind, short: &[&str]) -> Vec<String> {
    let full = short.iter().map(|id| format!("{}.{id}", kind.vendor));
    full.collect()
}
