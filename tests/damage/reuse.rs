//! A group that was half written when the power went or the process died, in a segment that sled
//! uses again: behind the tear lies what the segment held before.

use std::collections::BTreeMap;
use std::fs;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redeliver::endpoint::{EndpointState, Order};
use redeliver::store::disk::Disk;
use redeliver::store::{Effect, EndpointCommand, Log, Options, Outcome, Store, StoreError, verify};

use super::harness::{START, event, settings, settlement, without_journal};
use super::judge::count_panics;
use super::original::{accepting, open, place, read_files, write_files};

const PAGE: usize = 4096;

/// Files of a store before a group was written, the database after it, and the bytes in which the
/// two differ.
struct Group {
    before: BTreeMap<String, Vec<u8>>,
    after: Vec<u8>,
    last_seq: u64,
}

/// How a crash is called that let some pages come to the disk and not those before them.
const ANY_ORDER: &str = "only pages";

/// In a group.
const EVENTS: u64 = 10;

/// Events of sizes from small to several parts.
fn write_group(log: &Log<Disk>, number: usize) {
    let sizes = (0..EVENTS as usize).map(|n| [50, 700, 5_000, 30_000][(number + n) % 4]);
    let fill = number as u8;
    let events: Vec<_> = sizes.map(|len| event("t", vec![fill; len])).collect();
    drop(log.append(events).unwrap());
    log.commit().unwrap();
}

fn settle(log: &Log<Disk>) {
    for claim in log.claim(20).unwrap() {
        let done = settlement(&claim, START, Outcome::Delivered, Effect::None);
        log.settle(claim.token, done).unwrap();
    }
}

impl Group {
    /// The pages that the group has written.
    fn pages(&self) -> Vec<usize> {
        let before = &self.before["db"];
        let pages = self.after.chunks(PAGE).enumerate();
        let changed = pages.filter(|(page, bytes)| {
            let was = before.get(page * PAGE..page * PAGE + bytes.len());
            was != Some(*bytes)
        });
        changed.map(|(page, _)| page).collect()
    }

    /// Whether anything but zeros was where it was written.
    fn is_on_used_ground(&self) -> bool {
        let before = &self.before["db"];
        let pages = self.pages();
        let last = pages.last().copied().unwrap_or(0);
        before
            .get(last * PAGE..(last + 1) * PAGE)
            .is_some_and(|page| page.iter().any(|b| *b != 0))
    }
}

/// Groups that were written into segments that held something before.
fn groups(wanted: usize) -> Vec<Group> {
    let dir = place();
    let mut found = Vec::new();
    let mut last_seq = 0;
    for start in 0..8 {
        let log = open(dir.path(), without_journal()).unwrap();
        if start == 0 {
            let endpoint = Box::new(settings("crm", Order::Independent));
            let add = EndpointCommand::Add(endpoint, EndpointState::Active);
            drop(log.endpoint(add).unwrap());
        }
        for number in 0..150 {
            settle(&log);
            log.commit().unwrap();
            let is_looked_at = start > 0 && number % 7 == 0;
            let before = is_looked_at.then(|| read_files(dir.path()));
            write_group(&log, number);
            if let Some(before) = before {
                let after = fs::read(dir.path().join("db")).unwrap();
                let group = Group {
                    before,
                    after,
                    last_seq,
                };
                if group.is_on_used_ground() {
                    found.push(group);
                }
                if found.len() == wanted {
                    return found;
                }
            }
            last_seq += EVENTS;
        }
    }
    panic!("no segment is used again");
}

/// The files of a store that has used a segment again.
pub fn used_again() -> BTreeMap<String, Vec<u8>> {
    groups(1).remove(0).before
}

impl Group {
    /// The files after a crash that let only these of the group's pages come to the disk.
    fn with_pages(&self, pages: impl IntoIterator<Item = usize>) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.before.clone();
        let db = files.get_mut("db").unwrap();
        db.resize(self.after.len().max(db.len()), 0);
        for page in pages {
            let at = page * PAGE..((page + 1) * PAGE).min(self.after.len());
            db[at.clone()].copy_from_slice(&self.after[at]);
        }
        files
    }

    /// Ways in which a kill or a power cut may end its writing.
    fn crashes(&self, random: &mut StdRng) -> Vec<(String, Vec<usize>)> {
        let pages = self.pages();
        let mut crashes = Vec::new();
        for cut in [1, 2, pages.len() / 3, pages.len() / 2, pages.len() - 1] {
            let what = format!("{cut} of {} pages", pages.len());
            crashes.push((what, pages[..cut].to_vec()));
        }
        for _ in 0..4 {
            let mut some = pages.clone();
            some.retain(|_| random.random_range(0..2) == 0);
            crashes.push((format!("{ANY_ORDER} {some:?} of {pages:?}"), some));
        }
        crashes
    }
}

#[test]
fn a_half_written_group_in_a_segment_that_is_used_again_is_no_damage() {
    count_panics();
    let mut random = StdRng::seed_from_u64(1);
    for (number, group) in groups(3).iter().enumerate() {
        for (what, pages) in group.crashes(&mut random) {
            let dir = place();
            write_files(dir.path(), &group.with_pages(pages));
            let log = open(dir.path(), Options::default())
                .unwrap_or_else(|error| panic!("group {number}, {what}: {error}"));
            // A disk that writes pages in any order can leave what only looks like damage. Then the
            // database is put together from its records, and the rest holds all the same.
            let was_rebuilt = dir.path().join("damaged-1").exists();
            let in_order = !what.starts_with(ANY_ORDER);
            assert!(!(was_rebuilt && in_order), "group {number}, {what}");
            // All of the group, or nothing; the last pages may hold no record of it.
            let last_seq = *log.tail().borrow();
            let is_right = [group.last_seq, group.last_seq + EVENTS].contains(&last_seq);
            assert!(is_right, "group {number}, {what}: {last_seq}");
            drop(log);
            let report = verify(dir.path(), 8 << 20).unwrap();
            let found = (report.findings, report.events);
            assert_eq!(found, (Vec::new(), last_seq), "group {number}, {what}");
        }
    }
}

#[test]
fn beside_damage_a_half_written_group_is_not_asked_about() {
    count_panics();
    let mut random = StdRng::seed_from_u64(2);
    for group in groups(1) {
        for (what, pages) in group.crashes(&mut random).into_iter().skip(3).take(3) {
            let dir = place();
            let mut files = group.with_pages(pages);
            let rotten = group.last_seq - 700;
            rot(files.get_mut("db").unwrap(), rotten);
            write_files(dir.path(), &files);
            let error = open(dir.path(), Options::default()).err().unwrap();
            let StoreError::Damaged { from, to, .. } = error else {
                panic!("{what}: {error}");
            };
            assert!(
                from <= rotten && rotten <= to && to < from + 10,
                "{what}: {from} to {to}"
            );
            let log = open(dir.path(), accepting(Some((from, to)), None)).unwrap();
            let last_seq = *log.tail().borrow();
            let is_right = [group.last_seq, group.last_seq + EVENTS].contains(&last_seq);
            assert!(is_right, "{what}: {last_seq}");
            write_group(&log, 0);
            log.close().unwrap();
            drop(log);
            let report = verify(dir.path(), 8 << 20).unwrap();
            let events = last_seq + EVENTS - (to + 1 - from);
            assert_eq!(
                (report.findings, report.events),
                (Vec::new(), events),
                "{what}"
            );
        }
    }
}

/// Breaks every copy of the frame with this event in it.
fn rot(db: &mut [u8], seq: u64) {
    let heads = (0..db.len() - 22).filter(|at| db[*at] == 1 && db[at + 1] == 1);
    let first = |at: usize| u64::from_le_bytes(db[at + 10..at + 18].try_into().unwrap());
    let near = heads.map(|at| (first(at), at));
    let near: Vec<_> = near
        .filter(|(first, _)| (seq - 9..=seq).contains(first))
        .collect();
    let first = near.iter().map(|(first, _)| *first).max().unwrap();
    for (_, at) in near.iter().filter(|(number, _)| *number == first) {
        db[at + 2] ^= 1;
    }
}
