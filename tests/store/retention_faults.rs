//! What a pass reads: no more than it has to, and where it cannot for a moment, the next one makes up
//! for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock};
use redeliver::endpoint::{EndpointState, Order};
use redeliver::event::NewEvent;
use redeliver::store::backend::{Backend, Change, Durability, Entry};
use redeliver::store::memory::Memory;
use redeliver::store::{
    Effect, EndpointCommand, Log, Options, Outcome, Retention, Store, StoreError,
};

use super::harness::*;
use super::retention::keeping;
use super::sources::{of, short_and_long};

/// Memory of which one read fails, as when the process has no descriptor left.
#[derive(Default)]
struct Failing {
    memory: Memory,
    /// Reads until the one that fails, it included; 0 is never.
    fails_at: AtomicU64,
    /// Frames of events that were read.
    frames: AtomicU64,
}

impl Failing {
    fn read(&self) -> Result<(), StoreError> {
        let left = self.fails_at.load(Ordering::Relaxed);
        self.fails_at
            .store(left.saturating_sub(1), Ordering::Relaxed);
        match left {
            1 => Err(StoreError::Disk("too many open files".to_owned())),
            _ => Ok(()),
        }
    }

    fn has_failed(&self) -> bool {
        self.fails_at.load(Ordering::Relaxed) == 0
    }
}

impl Backend for Failing {
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        self.memory.write(changes, durability)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read()?;
        self.memory.get(key)
    }

    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.read()?;
        self.memory.last(prefix, key)
    }

    fn scan(&self, prefix: &[u8], key: &[u8], most: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        let found = self.memory.scan(prefix, key, most)?;
        let frames = found.iter().filter(|(key, _)| key[0] == b'e').count();
        self.frames.fetch_add(frames as u64, Ordering::Relaxed);
        Ok(found)
    }

    fn scan_back(&self, prefix: &[u8], key: &[u8], most: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.memory.scan_back(prefix, key, most)
    }

    fn used_bytes(&self) -> u64 {
        self.memory.used_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.memory.free_bytes()
    }
}

fn put(log: &Log<Failing>, events: Vec<NewEvent>) {
    let ticket = log.append(events).unwrap();
    log.commit().unwrap();
    ticket.blocking_recv().unwrap().unwrap();
}

/// Frames of two sources by turns, with large bodies and a dead letter in between.
fn log(options: Options) -> (Log<Failing>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(Failing::default(), clock.clone(), options, ENTROPY).unwrap();
    let add = EndpointCommand::Add(
        Box::new(settings("crm", Order::Independent)),
        EndpointState::Active,
    );
    drop(log.endpoint(add).unwrap());
    log.commit().unwrap();
    for n in 0..12_usize {
        let source = |at: usize| ["short", "long"][at % 2];
        let events = (0..6).map(|at| of(source(at), vec![n as u8; 300 + 4_000 * (at % 5)]));
        put(&log, events.collect());
        while let Some(claim) = log.claim(1).unwrap().pop() {
            let outcome = match claim.token.seq {
                13 => Outcome::Dead,
                _ => Outcome::Delivered,
            };
            let settled = settlement(&claim, clock.now(), outcome, Effect::None);
            log.settle(claim.token, settled).unwrap();
        }
        log.save().unwrap();
    }
    clock.set(clock.now().plus(Duration::from_secs(7_200)));
    put(&log, vec![of("long", "young")]);
    log.save().unwrap();
    (log, clock)
}

fn seqs(log: &Log<Failing>) -> Vec<u64> {
    let read = log.read(1, 1_000).unwrap();
    read.iter().map(|event| event.seq).collect()
}

fn keys(log: &Log<Failing>) -> Vec<Vec<u8>> {
    let all = log.backend().memory.scan(b"", b"", usize::MAX).unwrap();
    // The number of a base says only how often one was written.
    let keys = all.into_iter().map(|(key, _)| key);
    keys.filter(|key| key[0] != b'p').collect()
}

#[test]
fn a_pass_in_which_a_read_fails_leaves_nothing_that_the_next_ones_do_not_take_away() {
    let general = || {
        keeping(Retention {
            max_age: Some(Duration::from_secs(3_600)),
            ..Retention::default()
        })
    };
    for options in [short_and_long, general] {
        let mut failures = 0;
        let expected = {
            let (log, _) = log(options());
            assert!(log.maintain().unwrap().expired_events > 30);
            (seqs(&log), keys(&log))
        };
        for at in 1.. {
            let (log, _) = log(options());
            log.backend().fails_at.store(at, Ordering::Relaxed);
            let done = log.maintain();
            if !log.backend().has_failed() {
                break;
            }
            log.backend().fails_at.store(0, Ordering::Relaxed);
            failures += u32::from(done.is_err());
            log.maintain().unwrap();
            assert_eq!(seqs(&log), expected.0, "{at}: {done:?}");
            assert_eq!(keys(&log), expected.1, "{at}: {done:?}");
        }
        assert!(failures > 5, "{failures}");
    }
}

#[test]
fn a_backlog_above_max_bytes_is_not_read_through_at_each_look() {
    let clock = Arc::new(ManualClock::new(START));
    let options = keeping(Retention {
        max_bytes: Some(1),
        ..Retention::default()
    });
    let log = Log::over(Failing::default(), clock, options, ENTROPY).unwrap();
    put(&log, vec![event("a", "first")]);
    let add = EndpointCommand::Add(
        Box::new(settings("crm", Order::Independent)),
        EndpointState::Paused,
    );
    drop(log.endpoint(add).unwrap());
    log.commit().unwrap();
    for _ in 0..40 {
        put(&log, (0..500).map(|_| event("a", "waits")).collect());
    }
    let all = log.backend().memory.scan(b"e", b"e", usize::MAX).unwrap();
    let before = log.backend().frames.load(Ordering::Relaxed);
    assert_eq!(log.maintain().unwrap().expired_events, 1);
    let read = log.backend().frames.load(Ordering::Relaxed) - before;
    let all = all.len() as u64;
    assert!(all > 100 && read < all, "{read} of {all} frames");
    assert_eq!(seqs(&log).first(), Some(&2));
}
