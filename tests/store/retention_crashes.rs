//! Crashes while something expires: what is kept is kept, and what has expired stays gone.

use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::ManualClock;
use redeliver::endpoint::Order;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Outcome, Retention, Store};

use super::harness::*;
use super::retention::keeping;
use super::sources::{dead_letters, of, short_and_long};

fn options() -> Options {
    keeping(Retention {
        max_age: Some(Duration::from_secs(3600)),
        dead_letters_max_age: Some(Duration::from_secs(3600)),
        ..Retention::default()
    })
}

/// Forty events, some of them large, delivered but for number 11 and a dead letter, number 23, and
/// eight that are young.
fn world() -> World<InMemory> {
    let world = World::<InMemory>::with(options());
    world.add(settings("crm", Order::Independent));
    for n in 0..40_u8 {
        world.append(vec![event("a", vec![n; 1_000 * (1 + usize::from(n % 9))])]);
        for claim in world.claim() {
            let outcome = match claim.token.seq {
                11 => retry(100_000),
                23 => Outcome::Dead,
                _ => Outcome::Delivered,
            };
            world.settle(&claim, outcome);
        }
    }
    world.advance(7200);
    world.append_many(8);
    world
}

fn opened(backend: Memory, clock: &Arc<ManualClock>) -> Log<Memory> {
    Log::over(backend, clock.clone(), options(), ENTROPY).unwrap()
}

fn kept(log: &Log<Memory>) -> Vec<u64> {
    let read = log.read(1, 1000).unwrap();
    read.iter().map(|event| event.seq).collect()
}

#[test]
fn a_base_of_which_a_part_is_damaged_or_gone_is_named_and_nothing_is_lost_in_silence() {
    let world = world();
    assert!(world.log.maintain().unwrap().expired_events > 0);
    let parts = world.log.backend().scan(b"p", b"p", 100).unwrap();
    assert!(!parts.is_empty());
    let open = |key: &[u8], value| {
        let left = world.log.backend().after_kill();
        left.damage(key, value);
        let log = Log::over(left, world.clock.clone(), options(), ENTROPY);
        log.err().map(|error| error.to_string()).unwrap_or_default()
    };
    for (key, bytes) in &parts {
        for at in [1, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            let error = open(key, Some(damaged));
            assert!(error.contains("base"), "{at}: {error}");
        }
        // Without it nobody knows that the events before have expired: they are missed by name.
        let error = open(key, None);
        assert!(
            error.contains("is not there") || error.contains("missing"),
            "{error}"
        );
    }
    assert_eq!(open(b"p", None), "", "whole, it opens");
}

#[test]
fn a_crash_at_every_write_of_a_pass_leaves_what_is_kept_and_the_next_pass_ends_it() {
    let expected: Vec<u64> = std::iter::once(11).chain(41..=48).collect();
    let mut passed = false;
    for writes in 0.. {
        let world = world();
        world.log.backend().fail_writes_after(writes);
        passed = world.log.maintain().is_ok();
        let backend = world.log.backend();
        let mut left = vec![backend.after_kill()];
        left.extend((0..=backend.unsynced_batches()).map(|n| backend.after_power_cut_keeping(n)));
        for left in left {
            let log = opened(left, &world.clock);
            let there = kept(&log);
            let whole: Vec<u64> = (1..=48).collect();
            assert!(there == whole || there == expected, "{writes}: {there:?}");
            for seq in &there {
                let event = log.event(*seq).unwrap().unwrap();
                assert!(!event.content.body.is_empty());
            }
            log.maintain().unwrap();
            assert_eq!(kept(&log), expected, "{writes}");
            let again = opened(log.backend().after_power_cut(), &world.clock);
            assert_eq!(kept(&again), expected, "{writes}");
            assert_eq!(again.endpoints().unwrap()[0].backlog, 9, "{writes}");
            assert_eq!(again.endpoints().unwrap()[0].ended.dead, 0, "{writes}");
            let dead = log.backend().scan(b"x", b"x", 10).unwrap();
            assert_eq!(
                dead.len(),
                0,
                "{writes}: nothing is left of the dead letter"
            );
            let all = log.backend().used_bytes();
            assert!(all < 40_000, "{writes}: {all} bytes are left");
        }
        if passed {
            break;
        }
    }
    assert!(passed);
}

/// The same, of three sources by turns in frames of nine, and with dead letters.
fn mixed() -> World<InMemory> {
    let world = World::<InMemory>::with(short_and_long());
    world.add(settings("crm", Order::Independent));
    for n in 0..6_usize {
        let sources = ["short", "long", "other"];
        let events = (0..9).map(|at| of(sources[at % 3], vec![n as u8; 300 + 1_700 * (at % 5)]));
        world.append(events.collect());
    }
    world.settle_all(|seq| match seq {
        10 => retry(100_000),
        13 => Outcome::Dead,
        _ => Outcome::Delivered,
    });
    world.advance(7200);
    world.append_many(8);
    world
}

#[test]
fn a_crash_at_every_write_of_a_pass_over_mixed_frames_leaves_each_source_what_it_is_to_keep() {
    let is_short = |seq: &u64| ((seq - 1) % 9).is_multiple_of(3) && *seq <= 54;
    let kept_of_short = |seq: &u64| !is_short(seq) || [10, 13].contains(seq);
    let expected: Vec<u64> = (1..=62).filter(kept_of_short).collect();
    let open = |backend: Memory, clock: &Arc<ManualClock>| {
        Log::over(backend, clock.clone(), short_and_long(), ENTROPY).unwrap()
    };
    let mut sizes = Vec::new();
    for writes in 0.. {
        let world = mixed();
        world.log.backend().fail_writes_after(writes);
        let passed = world.log.maintain().is_ok();
        let backend = world.log.backend();
        let mut left = vec![backend.after_kill()];
        left.extend((0..=backend.unsynced_batches()).map(|n| backend.after_power_cut_keeping(n)));
        for left in left {
            let log = open(left, &world.clock);
            let there = kept(&log);
            let whole: Vec<u64> = (1..=62).collect();
            assert!(there == whole || there == expected, "{writes}: {there:?}");
            for seq in &there {
                let event = log.event(*seq).unwrap().unwrap();
                assert!(!event.content.body.is_empty());
            }
            log.maintain().unwrap();
            assert_eq!(kept(&log), expected, "{writes}");
            sizes.push(log.backend().used_bytes());
            let again = open(log.backend().after_power_cut(), &world.clock);
            assert_eq!(kept(&again), expected, "{writes}");
            assert_eq!(dead_letters(&again, 0), [13], "{writes}");
        }
        if passed {
            break;
        }
    }
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(
        sizes.len() > 8 && *most < least + 2_000,
        "{least} to {most} bytes are left"
    );
}
