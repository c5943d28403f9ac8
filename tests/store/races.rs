//! Committing and claiming at the same time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock};
use redeliver::delivery::Attempt;
use redeliver::endpoint::{EndpointSettings, EndpointState, Order};
use redeliver::store::backend::{Backend, Change, Durability, Entry};
use redeliver::store::memory::Memory;
use redeliver::store::{
    Claim, Effect, EndpointCommand, Log, Options, Outcome, Settlement, Store, StoreError,
};

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
    let _ticket = log.endpoint(add).unwrap();
    log.commit().unwrap();
    std::thread::scope(|scope| {
        let claiming = scope.spawn(|| {
            let mut claimed = 0;
            while claimed < EVENTS {
                claimed += log.claim(64).expect("what is queued can be read").len();
            }
        });
        for _ in 0..EVENTS {
            let _ticket = log.append(vec![event("t", "{}")]).unwrap();
            log.commit().unwrap();
        }
        claiming.join().unwrap();
    });
}

type Meanwhile = Box<dyn FnOnce() + Send>;

/// Memory, with something that happens while the next batch is being written.
#[derive(Default)]
struct Slow {
    memory: Memory,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Backend for Slow {
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        self.memory.write(changes, durability)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.get(key)
    }

    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.memory.last(prefix, key)
    }

    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.memory.scan(prefix, key, limit)
    }

    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.memory.scan_back(prefix, key, limit)
    }

    fn used_bytes(&self) -> u64 {
        self.memory.used_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.memory.free_bytes()
    }
}

const DELAY: Duration = Duration::from_secs(30);

fn fail(log: &Log<Slow>, claim: &Claim, clock: &ManualClock) {
    let now = clock.now();
    let settlement = Settlement {
        attempt: Attempt {
            number: claim.attempt,
            started_at: now,
            ended_at: now,
            status: Some(500),
            error: None,
            response_excerpt: None,
        },
        outcome: Outcome::Retry { after: DELAY },
        effect: Effect::None,
    };
    log.settle(claim.token, settlement).unwrap();
}

#[test]
fn an_attempt_that_ends_while_a_group_is_being_written_makes_its_retry_no_earlier() {
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(Slow::default(), clock.clone(), Options::default(), ENTROPY);
    let log = Arc::new(log.unwrap());
    let add = EndpointCommand::Add(
        Box::new(settings("e", Order::Independent)),
        EndpointState::Active,
    );
    let _ticket = log.endpoint(add).unwrap();
    let _ticket = log.append(vec![event("t", "{}")]).unwrap();
    log.commit().unwrap();
    let claim = log.claim(1).unwrap().remove(0);
    let _ticket = log.append(vec![event("t", "{}")]).unwrap();
    let (shared, time) = (log.clone(), clock.clone());
    // The disk takes five seconds, and the attempt ends in the fifth.
    let meanwhile = move || {
        time.set(START.plus(Duration::from_secs(5)));
        fail(&shared, &claim, &time);
    };
    *log.backend().meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    log.commit().unwrap();
    let due = START.plus(Duration::from_secs(5)).plus(DELAY);
    let view = log.endpoints().unwrap().remove(0);
    assert_eq!(view.next_attempt_at, Some(due));
}
