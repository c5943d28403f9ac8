//! The request of one attempt, its body signed as Hotjar signs. The body is one that is passed on
//! as it came, so that exactly so many bytes are signed.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use redeliver::endpoint::{EndpointSettings, Order};
use redeliver::event::{Event, Form, NewEvent};
use redeliver::id::EventId;
use redeliver::secret::Secret;
use redeliver::vendor::{Profile, hotjar};

use crate::harness::{self, START};

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signature");
    let settings = EndpointSettings {
        signing_key: Some(Secret::new("benchmark key, not a secret")),
        ..harness::settings("bench", Order::Independent)
    };
    for bytes in [300, 1_024, 64 * 1_024] {
        let event = Event {
            id: EventId::new(START, 1, 0),
            seq: 1,
            received_at: START,
            content: NewEvent {
                form: Form::Relayed,
                ..harness::event("survey_response", vec![b'7'; bytes])
            },
        };
        let request = || Profile::Hotjar.request(black_box(&event), &settings, START);
        assert_eq!(request().unwrap().headers[0].0, hotjar::SIGNATURE_HEADER);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("hotjar", bytes), |bencher| {
            bencher.iter(request);
        });
    }
}
