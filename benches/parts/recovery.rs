//! Opening a store of 100,000 events for the first time after it was left, from a copy each time:
//! a start leaves what makes the next one quicker. `elem/s` are events of the log.

use std::cell::LazyCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use redeliver::clock::ManualClock;
use redeliver::store::{Options, Store};
use tempfile::TempDir;

use crate::harness::{Implementation, OnDisk, START, World};
use crate::{event, timed};

const EVENTS: u64 = 100_000;
const GROUP: u64 = 1_000;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recovery");
    group
        .throughput(Throughput::Elements(EVENTS))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10);
    for (name, clean) in [("stopped", true), ("killed", false)] {
        let left = LazyCell::new(|| filled(clean));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|starts| {
                let mut took = Duration::ZERO;
                for _ in 0..starts {
                    let store = OnDisk(copy(left.path()));
                    let clock = Arc::new(ManualClock::new(START));
                    let (opened, log) = timed(|| store.open(clock, Options::default()));
                    assert_eq!(*log.tail().borrow(), EVENTS);
                    took += opened;
                }
                took
            });
        });
    }
}

/// A store as a clean stop leaves it, or as a kill does; without a snapshot on the way, so that a
/// start after the kill reads every event.
fn filled(clean: bool) -> TempDir {
    let world = World::<OnDisk>::with(Options {
        snapshot_max_records: u64::MAX,
        ..Options::default()
    });
    for _ in 0..EVENTS / GROUP {
        world.append(vec![event(); GROUP as usize]);
    }
    if clean {
        world.log.close().unwrap();
    }
    copy(&world.dir())
}

/// The files of a store; what lies in directories is none of this one's.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        } else {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        }
    }
}
