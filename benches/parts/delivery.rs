//! One delivery after another, claimed, settled, and its end written beside those of others.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use redeliver::clock::Clock;
use redeliver::endpoint::Order;
use redeliver::store::{Effect, Outcome, Store};

use crate::harness::{InMemory, World, retry, settings, settlement};
use crate::{event, timed};

/// Events that wait at a time: as many as a request may bring, and few enough for all to be read
/// from memory, as fresh ones are.
const WAITING: u64 = 4_096;
/// Ends that are written together.
const SAVED_AT_ONCE: u64 = 64;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delivery");
    group.throughput(Throughput::Elements(1));
    for (name, outcome) in [
        ("claim and settle a success", Outcome::Delivered),
        ("claim and settle a failure", retry(3_600)),
    ] {
        group.bench_function(name, |bencher| {
            let (mut world, mut left) = (waiting(), WAITING);
            bencher.iter_custom(|deliveries| {
                let mut took = Duration::ZERO;
                for _ in 0..deliveries {
                    if left == 0 {
                        (world, left) = (waiting(), WAITING);
                    }
                    left -= 1;
                    took += timed(|| attempt(&world, outcome, left)).0;
                }
                took
            });
        });
    }
}

fn waiting() -> World<InMemory> {
    let world = World::new();
    world.add(settings("bench", Order::Independent));
    let ticket = world.log.append(vec![event(); WAITING as usize]).unwrap();
    while world.log.commit().unwrap() {}
    ticket.blocking_recv().unwrap().unwrap();
    world
}

fn attempt(world: &World<InMemory>, outcome: Outcome, left: u64) {
    let claim = world.log.claim_next().unwrap().unwrap();
    let ended = settlement(&claim, world.clock.now(), outcome, Effect::None);
    world.log.settle(claim.token, ended).unwrap();
    if left.is_multiple_of(SAVED_AT_ONCE) {
        world.log.save().unwrap();
    }
}
