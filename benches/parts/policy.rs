//! One step of the retry state machine: a refusal, after three failures, under each policy.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use redeliver::policy::{Input, Phase, step};
use redeliver::vendor::{esputnik, hotjar};

use crate::harness::START;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    let phase = Phase::InFlight { failures: 3 };
    let refusal = Input::Answer {
        status: 503,
        retry_after: None,
    };
    for policy in [hotjar::policy(), esputnik::policy()] {
        group.bench_function(BenchmarkId::new("step", &policy.name), |bencher| {
            bencher.iter(|| step(black_box(phase), black_box(refusal), &policy, START, 0.5));
        });
    }
}
