//! A day of events that are kept for an hour: the directory's size stays bounded.
//!
//! `REDELIVER_CHURN_EVENTS` is how many come in a quarter of an hour; 600 unless it is said.

use std::path::Path;
use std::time::Duration;

use redeliver::clock::Clock;
use redeliver::endpoint::Order;
use redeliver::store::{Effect, Outcome, Retention, Store, verify};

use super::harness::*;
use super::retention::keeping;
use super::sources::{of, short_and_long};

const STEPS: u64 = 96;
const STEP_S: u64 = 900;
const BODY_BYTES: usize = 4_000;
/// Several of them share a frame.
const SMALL_BYTES: usize = 700;
const GROUP: u64 = 100;

fn bytes_of(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let bytes = entries.map(|entry| {
        let meta = entry.metadata().unwrap();
        match meta.is_dir() {
            true => bytes_of(&entry.path()),
            false => meta.len(),
        }
    });
    bytes.sum()
}

#[test]
fn churn_of_a_day_leaves_the_directory_as_large_as_after_its_first_hours() {
    let events = std::env::var("REDELIVER_CHURN_EVENTS").ok();
    let events: u64 = events.map_or(600, |n| n.parse().unwrap());
    let world = World::<OnDisk>::with(keeping(Retention {
        max_age: Some(Duration::from_secs(3600)),
        ..Retention::default()
    }));
    world.add(settings("crm", Order::Independent));
    let (mut sizes, mut copied) = (Vec::new(), 0);
    for step in 0..STEPS {
        for group in 0..events / GROUP {
            let bodies = (0..GROUP).map(|n| {
                let byte = (step * 31 + group * 7 + n) as u8;
                event("churn", vec![byte; BODY_BYTES])
            });
            world.append(bodies.collect());
            while let Some(claim) = world.log.claim(1).unwrap().pop() {
                // One in five hundred waits for two hours more.
                let outcome = match claim.token.seq % 500 {
                    0 if claim.attempt == 1 => retry(7_200),
                    _ => Outcome::Delivered,
                };
                let now = world.clock.now();
                let settled = settlement(&claim, now, outcome, Effect::None);
                world.log.settle(claim.token, settled).unwrap();
            }
        }
        world.advance(STEP_S);
        copied += world.log.maintain().unwrap().copied_bytes;
        let bytes = bytes_of(&world.dir());
        sizes.push(bytes);
        if step % 8 == 7 {
            let figures = world.log.figures();
            println!(
                "after {:>4} h: {:>6} MiB in the directory, records {:>6} MiB of which live {:>5} MiB, db {:>4} MiB, {} events",
                (step + 1) as f64 / 4.0,
                bytes >> 20,
                figures.log_bytes >> 20,
                figures.live_bytes >> 20,
                std::fs::metadata(world.dir().join("db")).unwrap().len() >> 20,
                figures.events,
            );
        }
    }
    let written = STEPS * events * BODY_BYTES as u64;
    let most = |sizes: &[u64]| sizes.iter().copied().max().unwrap();
    let (early, late) = (most(&sizes[..32]), most(&sizes[32..]));
    println!(
        "{} MiB of bodies in all; at most {} MiB in the first 8 hours, {} MiB later; {} MiB copied",
        written >> 20,
        early >> 20,
        late >> 20,
        copied >> 20,
    );
    // A volume more or less, for they go as a whole.
    assert!(late <= early + (80 << 20), "{late} bytes, {early} before");
    assert!(copied < written / 4, "{copied} bytes were copied");
    let directory = world.into_directory();
    let report = verify(directory.0.path(), 8 << 20).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn churn_of_two_sources_in_the_same_frames_gives_back_the_room_of_the_short_one() {
    let events = std::env::var("REDELIVER_CHURN_EVENTS").ok();
    let events: u64 = events.map_or(600, |n| n.parse().unwrap());
    let world = World::<OnDisk>::with(short_and_long());
    let (mut sizes, mut thinned) = (Vec::new(), 0);
    for step in 0..STEPS {
        for group in 0..events / GROUP {
            // Nine parts of the short one and one of the long one, which is kept for ever.
            let bodies = (0..GROUP).map(|n| {
                let source = if n % 10 == 3 { "long" } else { "short" };
                of(source, vec![(step * 31 + group * 7 + n) as u8; SMALL_BYTES])
            });
            world.append(bodies.collect());
        }
        world.advance(STEP_S);
        let done = world.log.maintain().unwrap();
        thinned += done.thinned_frames;
        let figures = world.log.figures();
        sizes.push((bytes_of(&world.dir()), figures.live_bytes, figures.events));
    }
    let written = STEPS * events * SMALL_BYTES as u64;
    let (bytes, live, left) = *sizes.last().unwrap();
    println!(
        "{} MiB of bodies in all, {left} events are left; {} MiB in the directory, {} MiB of records are live, {thinned} frames were thinned",
        written >> 20,
        bytes >> 20,
        live >> 20,
    );
    let hour = 4 * events;
    assert!((STEPS * events / 10..=STEPS * events / 10 + 2 * hour).contains(&left));
    let of_what_is_left = left * (SMALL_BYTES as u64 + 200);
    assert!(
        live < of_what_is_left * 4 / 3 + (8 << 20),
        "{live} bytes are live"
    );
    assert!(bytes < 2 * live + (160 << 20), "{bytes} bytes are on disk");
    let directory = world.into_directory();
    let report = verify(directory.0.path(), 8 << 20).unwrap();
    assert_eq!((report.findings, report.events), (vec![], left));
}
