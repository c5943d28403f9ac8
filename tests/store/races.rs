//! Committing and claiming at the same time.

use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::{EndpointSettings, EndpointState, Order};
use redeliver::store::memory::Memory;
use redeliver::store::{EndpointCommand, Log, Options, Store};

use crate::harness::{ENTROPY, START, event, settings};

/// Few events to each store: the memory's stand-in for a sync copies all of it.
const EVENTS: usize = 200;
const STORES: usize = 40;

#[test]
fn what_can_be_claimed_is_in_the_log_already() {
    for _ in 0..STORES {
        commit_and_claim();
    }
}

fn commit_and_claim() {
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(Memory::default(), clock, Options::default(), ENTROPY).unwrap();
    let wide = EndpointSettings {
        concurrency: u32::try_from(EVENTS).unwrap(),
        ..settings("e", Order::Independent)
    };
    let add = EndpointCommand::Add(Box::new(wide), EndpointState::Active);
    let _ = log.endpoint(add).unwrap();
    log.commit().unwrap();
    std::thread::scope(|scope| {
        let claiming = scope.spawn(|| {
            let mut claimed = 0;
            while claimed < EVENTS {
                claimed += log.claim(64).expect("what is queued can be read").len();
            }
        });
        for _ in 0..EVENTS {
            let _ = log.append(vec![event("t", "{}")]).unwrap();
            log.commit().unwrap();
        }
        claiming.join().unwrap();
    });
}
