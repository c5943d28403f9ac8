//! The bytes of a group of events, as the log cuts them into frames: made, and read again.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use redeliver::clock::Timestamp;
use redeliver::store::backend::Backend;
use redeliver::store::codec::{self, Blob, Head, Kind};
use serde::{Deserialize, Serialize};

use crate::event;
use crate::harness::{InMemory, World};

/// An event's record as `docs/store-format.md` has it; that these are the log's own is asserted.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    received_at: Timestamp,
    source: &'a str,
    kind: &'a str,
    subject: Option<&'a str>,
    time: Option<Timestamp>,
    content_type: &'a str,
    relayed: bool,
    status: Option<&'a str>,
    idempotency_key: Option<&'a str>,
    #[serde(borrow)]
    body: Body<'a>,
}

#[derive(Serialize, Deserialize)]
enum Body<'a> {
    #[serde(borrow)]
    Inline(Blob<'a>),
    Chunked {
        parts: u32,
        bytes: u32,
    },
}

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for events in [1, 64, 256] {
        let frames = written(events);
        let records: Vec<_> = frames.iter().map(|bytes| decoded(bytes)).collect();
        assert_eq!(encoded(&records), frames, "these are not the log's records");
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(BenchmarkId::new("encode", events), |bencher| {
            bencher.iter(|| encoded(black_box(&records)));
        });
        group.bench_function(BenchmarkId::new("decode", events), |bencher| {
            bencher.iter(|| {
                for bytes in black_box(&frames) {
                    black_box(decoded(bytes));
                }
            });
        });
    }
}

/// What a log writes for one group.
fn written(events: usize) -> Vec<Vec<u8>> {
    let world = World::<InMemory>::new();
    world.append(vec![event(); events]);
    let frames = world.log.backend().scan(b"e", b"e", events).unwrap();
    frames.into_iter().map(|(_, bytes)| bytes).collect()
}

fn decoded(bytes: &[u8]) -> (Head, Vec<Record<'_>>) {
    let frame = codec::open(bytes, Kind::Events).unwrap();
    (frame.head, frame.decode().unwrap())
}

fn encoded(frames: &[(Head, Vec<Record<'_>>)]) -> Vec<Vec<u8>> {
    let encode = |(head, records): &(Head, Vec<Record<'_>>)| {
        let (bytes, _) = codec::encode(*head, records).unwrap();
        bytes
    };
    frames.iter().map(encode).collect()
}
