//! Random damage to larger stores: flipped bits, zeroed, swapped, doubled and lost blocks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::cuts::in_parallel;
use super::judge::{Damaged, PANICS};
use super::original::{Moved, Original};

const SECTOR: usize = 512;
const PAGE: usize = 4096;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// All of them where everything is tested, a taste of them otherwise.
fn rounds() -> u64 {
    let all = std::env::var("REDELIVER_TEST_ALL").is_ok_and(|wish| wish == "1");
    number("REDELIVER_DAMAGE_ROUNDS").unwrap_or(if all { 400 } else { 100 })
}

/// A block of this size in the part of the file that holds anything.
fn block(random: &mut StdRng, used: usize, size: usize) -> Range<usize> {
    let at = random.random_range(0..used.div_ceil(size)) * size;
    at..at + size
}

/// Does one kind of damage to the database, and says what it was.
fn damage<'a>(original: &'a Original, random: &mut StdRng) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    let used = original.used();
    let db = damaged.files.get_mut("db").unwrap();
    db.resize(db.len().next_multiple_of(PAGE), 0);
    let size = [SECTOR, PAGE][random.random_range(0..2)];
    let (one, other) = (block(random, used, size), block(random, used, size));
    damaged.what = match random.random_range(0..8) {
        kind @ 0..=1 => {
            let bits = if kind == 0 {
                1
            } else {
                random.random_range(2..20)
            };
            let bits: Vec<usize> = (0..bits)
                .map(|_| random.random_range(0..used * 8))
                .collect();
            for bit in &bits {
                db[bit / 8] ^= 1 << (bit % 8);
            }
            format!("bits {bits:?} flipped")
        }
        2 => {
            db[one.clone()].fill(0);
            format!("{one:?} zeroed")
        }
        3 => {
            let kept = db[one.clone()].to_vec();
            db.copy_within(other.clone(), one.start);
            db[other.clone()].copy_from_slice(&kept);
            damaged.moved = vec![moved(&one, other.start), moved(&other, one.start)];
            format!("{one:?} and {other:?} swapped")
        }
        4 => {
            db.copy_within(one.clone(), other.start);
            damaged.moved = vec![moved(&one, other.start)];
            format!("{one:?} again at {}", other.start)
        }
        5 => {
            let area = one.start..(one.start + random.random_range(64..512) * 1024).min(used);
            db[area.clone()].fill(0);
            format!("{area:?} zeroed")
        }
        6 => {
            let records: Vec<usize> = (0..random.random_range(1..4))
                .map(|_| random.random_range(0..original.records().len()))
                .collect();
            for record in &records {
                let (places, len) = original.records()[*record];
                let bit = random.random_range(0..len * 8);
                for place in places {
                    db[place + bit / 8] ^= 1 << (bit % 8);
                }
            }
            format!("a bit of each copy of records {records:?} flipped")
        }
        _ => {
            let all = db.len();
            db.drain(one.clone());
            damaged.moved = vec![moved(&(one.end..all), one.start)];
            format!("{one:?} lost, and all behind it moved up")
        }
    };
    damaged
}

fn moved(from: &Range<usize>, to: usize) -> Moved {
    let from = from.clone();
    Moved { from, to }
}

#[test]
fn random_damage_names_exactly_what_is_missing_and_serves_no_wrong_byte() {
    let originals = [Original::large(true), Original::large(false)];
    let first = number("REDELIVER_DAMAGE_SEED").unwrap_or(1);
    let rounds = rounds();
    let verdicts: Mutex<BTreeMap<&str, u64>> = Mutex::default();
    in_parallel(rounds as usize, |round| {
        let seed = first + round as u64;
        let mut random = StdRng::seed_from_u64(seed);
        let original = &originals[random.random_range(0..2)];
        let mut damaged = damage(original, &mut random);
        damaged.what = format!("REDELIVER_DAMAGE_SEED={seed}: {}", damaged.what);
        let kind = damaged.lives_on();
        *verdicts.lock().unwrap().entry(kind).or_default() += 1;
    });
    println!(
        "{rounds} rounds from seed {first}: {:?}; {} panics became errors",
        verdicts.into_inner().unwrap(),
        PANICS.load(Ordering::Relaxed)
    );
}
