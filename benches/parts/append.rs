//! Groups of events put into a log and committed: over memory, which is what the log itself costs,
//! and over sled with its syncs.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

use crate::harness::{Implementation, InMemory, OnDisk, World};
use crate::{event, timed};

/// Events after which a new log takes over: memory keeps all that is ever written to it.
const LOG_EVENTS: u64 = 50_000;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for events in [1, 64, 256] {
        group.throughput(Throughput::Elements(events));
        appended::<InMemory>(&mut group, "memory", events);
    }
    // A sync takes milliseconds: fewer samples say as much.
    group.sample_size(20);
    for events in [1, 64, 256] {
        group.throughput(Throughput::Elements(events));
        appended::<OnDisk>(&mut group, "sled", events);
    }
}

fn appended<I: Implementation>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, events: u64) {
    group.bench_function(BenchmarkId::new(name, events), |bencher| {
        let (mut world, mut room) = (World::<I>::new(), LOG_EVENTS);
        bencher.iter_custom(|groups| {
            let mut took = Duration::ZERO;
            for _ in 0..groups {
                if room < events {
                    (world, room) = (World::new(), LOG_EVENTS);
                }
                room -= events;
                let new = vec![event(); events as usize];
                took += timed(|| world.append(new)).0;
            }
            took
        });
    });
}
