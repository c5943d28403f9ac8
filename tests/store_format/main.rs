//! The on-disk format, held by a store that was written once and must be read for ever.
//!
//! `tests/fixtures/store-v1.hex` is every record of a small store, `store-v1.projections.hex` its
//! snapshot. They are dumps of bytes and not sled's files, so that they can be read in a review
//! and hold our format alone; `store-v2.hex` has what is new in version 2,
//! `store-v3.hex` what is new in version 3, `store-v4.hex` in version 4. They were made by
//!
//! ```text
//! cargo test --test store_format -- --ignored regenerate
//! ```
//!
//! which is right only until 0.1.0 is released. After that a change of format is a new version
//! byte and a fixture of its own beside this one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod expired;
mod hexdump;
mod sealed;
mod story;
mod thinned;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::ManualClock;
use redeliver::delivery::{Attempt, Status};
use redeliver::endpoint::EndpointState;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{DeliveryView, Log, Options, Store};

use story::{CRM, GONE, START, WAREHOUSE, at};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures", name]
        .iter()
        .collect()
}

fn records_of(name: &str) -> Records {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    hexdump::parse(&text).into_iter().collect()
}

fn records_in(backend: &impl Backend) -> Records {
    let all = backend.scan(b"", b"", usize::MAX).unwrap();
    all.into_iter().collect()
}

/// The store as the fixture holds it, opened a day later.
fn opened() -> Log<Memory> {
    let backend = Memory::holding(records_of("store-v1.hex"));
    let clock = Arc::new(ManualClock::new(at(86_400)));
    // The entropy of another store: this one has its own.
    Log::over(backend, clock, Options::default(), [9; 3]).unwrap()
}

fn delivery(log: &Log<Memory>, endpoint: u32, seq: u64) -> DeliveryView {
    log.delivery(endpoint, seq).unwrap().unwrap()
}

#[test]
fn a_store_of_version_1_gives_back_every_event_as_it_came_in() {
    let log = opened();
    assert_eq!(log.tag(), 0x1234_5678);
    for (seq, second, content) in story::events() {
        let event = log.event(seq).unwrap().unwrap();
        assert_eq!((event.seq, event.received_at), (seq, at(second)));
        assert_eq!(event.content, content, "event {seq}");
    }
    let first = log.event(1).unwrap().unwrap();
    assert_eq!(
        first.id.to_string(),
        "evt_01HF7YAT000000000004938NKR",
        "ids are read off the record, so they never change"
    );
}

#[test]
fn a_store_of_version_1_gives_back_its_endpoints_with_every_setting() {
    let log = opened();
    let views = log.endpoints().unwrap();
    let [warehouse, crm, gone] = &views[..] else {
        panic!("{views:?}");
    };
    assert_eq!(warehouse.endpoint.settings, story::warehouse());
    assert_eq!(warehouse.endpoint.state, EndpointState::Active);
    assert_eq!(
        (warehouse.endpoint.revision, warehouse.endpoint.from_seq),
        (1, 1)
    );
    assert_eq!(warehouse.endpoint.created_at, START);
    assert_eq!(crm.endpoint.settings, story::crm());
    assert_eq!(crm.endpoint.state, EndpointState::Paused);
    assert_eq!(crm.endpoint.state_reason.as_deref(), Some("maintenance"));
    assert_eq!((crm.endpoint.revision, crm.endpoint.number), (3, CRM));
    assert_eq!(gone.endpoint.state, EndpointState::Removed);
    assert_eq!(gone.endpoint.state_reason.as_deref(), Some("410 Gone"));
    assert_eq!((warehouse.ended.delivered, warehouse.ended.dead), (2, 1));
    assert_eq!(
        gone.ended.removed, 3,
        "what was queued for it ended with it"
    );
}

#[test]
fn a_store_of_version_1_gives_back_every_delivery_where_it_stood() {
    let log = opened();
    let delivered = delivery(&log, WAREHOUSE, 1);
    assert_eq!(delivered.status, Status::Delivered);
    assert_eq!(delivered.attempts, [story::answered(1, 10, 200)]);
    let waiting = delivery(&log, WAREHOUSE, 3);
    assert_eq!(waiting.status, Status::Waiting);
    assert_eq!((waiting.failures, waiting.attempt_count), (1, 1));
    assert_eq!(
        waiting.next_attempt_at,
        Some(at(10).plus(Duration::from_secs(30)))
    );
    let unanswered = Attempt {
        number: 1,
        started_at: at(10),
        ended_at: at(10),
        status: None,
        error: Some("connection refused".to_owned()),
        response_excerpt: None,
    };
    assert_eq!(waiting.attempts, [unanswered]);
    let dead = delivery(&log, WAREHOUSE, 4);
    assert_eq!(dead.status, Status::Dead);
    assert_eq!(dead.attempts, [story::answered(1, 10, 500)]);
    let replayed = delivery(&log, WAREHOUSE, 2);
    assert_eq!(replayed.status, Status::Delivered);
    let numbers: Vec<u32> = replayed.attempts.iter().map(|a| a.number).collect();
    assert_eq!(numbers, [1, 2], "a replay goes on counting");
    assert_eq!(delivery(&log, GONE, 1).status, Status::Removed);
}

#[test]
fn a_store_of_version_1_opens_without_being_told_again_of_the_loss_that_was_accepted() {
    // `opened` accepts no loss: the record of it does.
    let log = opened();
    assert_eq!(log.depth().last_seq, 7);
    assert_eq!(log.event(story::LOST + 1).unwrap().unwrap().seq, 7);
    let records = records_of("store-v1.hex");
    assert!(!records.contains_key(&[&b"e"[..], &story::LOST.to_be_bytes()].concat()));
}

#[test]
fn a_store_of_version_1_still_recognises_a_repeated_key() {
    let backend = Memory::holding(records_of("store-v1.hex"));
    let clock = Arc::new(ManualClock::new(at(3600)));
    let log = Log::over(backend, clock, Options::default(), [9; 3]).unwrap();
    let (seq, _, keyed) = story::events().remove(1);
    assert_eq!(keyed.idempotency_key.as_deref(), Some("order-17"));
    let ticket = log.append(vec![keyed]).unwrap();
    log.commit().unwrap();
    let answer = ticket.blocking_recv().unwrap().unwrap()[0];
    assert_eq!((answer.seq, answer.duplicate), (seq, true));
}

#[test]
fn the_same_story_is_written_in_the_same_bytes_as_in_version_1() {
    let (kept, written) = (records_of("store-v1.hex"), records_in(&story::in_memory()));
    let keys: Vec<String> = kept.keys().map(hex::encode).collect();
    let written_keys: Vec<String> = written.keys().map(hex::encode).collect();
    assert_eq!(written_keys, keys);
    for (key, value) in &kept {
        assert!(
            written.get(key) == Some(value),
            "the record at {} is written differently than in version 1: raise the version in \
             store/record/codec.rs, keep reading the old one, and give the new one a fixture",
            hex::encode(key)
        );
    }
}

#[test]
fn the_snapshot_of_the_same_story_is_written_in_the_same_bytes_as_in_version_1() {
    let kept = records_of("store-v1.projections.hex");
    assert!(
        story::on_disk() == kept,
        "snapshot or high-water mark are written differently than in version 1: raise the version \
         in store/record/codec.rs, so that an old snapshot is thrown away instead of misread"
    );
}

#[test]
#[ignore = "writes the fixtures: right only until the format is released"]
fn regenerate_the_fixtures_of_version_1() {
    std::fs::write(
        fixture("store-v1.hex"),
        hexdump::print(&records_in(&story::in_memory())),
    )
    .unwrap();
    std::fs::write(
        fixture("store-v1.projections.hex"),
        hexdump::print(&story::on_disk()),
    )
    .unwrap();
}
