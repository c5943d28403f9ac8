//! Version 3: a base, and what it says has expired.

use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::ManualClock;
use redeliver::delivery::Status;
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Retention, Store};

use crate::story::{self, WAREHOUSE, at};
use crate::{delivery, records_in, records_of};

#[test]
fn a_store_of_version_3_knows_what_has_expired_and_gives_back_the_rest() {
    let backend = Memory::holding(records_of("store-v3.hex"));
    let clock = Arc::new(ManualClock::new(at(8 * 86_400)));
    let log = Log::over(backend, clock, Options::default(), [9; 3]).unwrap();
    let figures = log.figures();
    assert_eq!(figures.last_seq, 7);
    assert!(
        figures.expired_events > 0 && figures.events > 0,
        "{figures:?}"
    );
    assert_eq!(log.event(1).unwrap(), None);
    assert_eq!(log.expired_at(1), Some(at(7 * 86_400)));
    let views = log.endpoints().unwrap();
    assert_eq!(views[1].endpoint.settings, story::crm());
    assert_eq!((views[0].ended.delivered, views[0].ended.dead), (2, 1));
    assert_eq!(delivery(&log, WAREHOUSE, 3).status, Status::Waiting);
    assert_eq!(delivery(&log, WAREHOUSE, 4).status, Status::Dead);
}

#[test]
fn what_version_3_has_a_place_for_is_written_in_version_3() {
    let log = expired_but_for_dead_letters();
    let records = records_in(log.backend());
    assert_eq!(records[&b"m"[..]][0], 3);
    let frames = records.iter().filter(|(key, _)| key[0] == b'e');
    assert!(frames.clone().count() > 0 && frames.clone().all(|(_, frame)| frame[0] == 1));
    let base: Vec<u8> = records
        .iter()
        .filter(|(key, _)| key[0] == b'p')
        .flat_map(|(_, part)| part.clone())
        .collect();
    // Behind the head of the part come the number of parts, the length, and the head of the base, of
    // which version 3 has the first layout.
    let base_at = if base[23] < 251 { 24 } else { 26 };
    assert_eq!(base[base_at..][..2], [1, 8]);
}

/// A store of whole frames that have expired, and of one that is young.
fn expired_but_for_dead_letters() -> Log<Memory> {
    let clock = Arc::new(ManualClock::new(at(0)));
    let options = Options {
        retention: Retention {
            max_age: Some(Duration::from_secs(3600)),
            ..Default::default()
        },
        ..Options::default()
    };
    let log = Log::over(Memory::default(), clock.clone(), options, [9; 3]).unwrap();
    for second in [0, 0, 7200] {
        clock.set(at(second));
        let ticket = log.append(vec![story::events().remove(0).2]).unwrap();
        log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap();
    }
    assert_eq!(log.maintain().unwrap().expired_events, 2);
    log
}
