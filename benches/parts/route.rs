//! Finding the endpoints of an event: groups of 64 events put into a log over memory, each for one
//! of 10,000 endpoints. What is more than with a single endpoint is what routing costs.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use redeliver::endpoint::{EndpointState, Order};
use redeliver::event::NewEvent;
use redeliver::store::{EndpointCommand, Store};

use crate::harness::{InMemory, World, settings};
use crate::{event, timed};

const ENDPOINTS: u64 = 10_000;
const GROUP: u64 = 64;
/// Groups after which a new log takes over: memory keeps all that is ever written to it.
const LOG_GROUPS: u64 = 1_000;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(GROUP));
    for (pattern, endpoints) in [("exact", 1), ("exact", ENDPOINTS), ("prefix", ENDPOINTS)] {
        group.bench_function(BenchmarkId::new(pattern, endpoints), |bencher| {
            let (mut world, mut room) = (with(endpoints, pattern), LOG_GROUPS);
            let mut next = 0;
            bencher.iter_custom(|groups| {
                let mut took = Duration::ZERO;
                for _ in 0..groups {
                    if room == 0 {
                        (world, room) = (with(endpoints, pattern), LOG_GROUPS);
                    }
                    room -= 1;
                    let new = (next..next + GROUP).map(|n| of(n % endpoints)).collect();
                    next += GROUP;
                    took += timed(|| world.append(new)).0;
                }
                took
            });
            assert!(!world.claim().is_empty(), "nothing was routed");
        });
    }
}

fn of(endpoint: u64) -> NewEvent {
    NewEvent {
        kind: format!("kind-{endpoint}.made").into(),
        ..event()
    }
}

fn with(endpoints: u64, pattern: &str) -> World<InMemory> {
    let world = World::new();
    for number in 0..endpoints {
        let mut settings = settings(&format!("bench-{number}"), Order::Independent);
        let end = if pattern == "prefix" { "*" } else { "made" };
        settings.filter.patterns = vec![format!("kind-{number}.{end}")];
        let command = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
        world.log.endpoint(command).unwrap();
    }
    world.log.commit().unwrap();
    world
}
