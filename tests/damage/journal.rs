//! The journal: flipped at its bytes, cut, zeroed, gone.

use super::cuts::in_parallel;
use super::judge::Damaged;
use super::original::Original;

const PAGE: usize = 4096;

pub fn changed<'a>(
    original: &'a Original,
    what: &str,
    change: impl FnOnce(&mut Damaged<'a>),
) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    damaged.what = what.to_owned();
    change(&mut damaged);
    damaged
}

pub fn file<'a>(damaged: &'a mut Damaged<'_>, name: &str) -> &'a mut Vec<u8> {
    damaged.files.get_mut(name).unwrap()
}

pub fn all_live_on(all: &[Damaged<'_>]) -> [usize; 2] {
    let named = std::sync::atomic::AtomicUsize::new(0);
    in_parallel(all.len(), |number| {
        if all[number].lives_on() == "named" {
            named.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let named = named.into_inner();
    [named, all.len() - named]
}

#[test]
fn a_journal_that_is_damaged_anywhere_names_exactly_what_is_missing() {
    let original = Original::journaled();
    let mut all = Vec::new();
    for (name, entries) in &original.journal {
        assert!(entries.len() > 3, "{name} holds {} entries", entries.len());
        let used = entries.last().unwrap().end.div_ceil(PAGE);
        for entry in entries {
            let (begin, len) = (entry.start, entry.len());
            // Its head, which tells its length, its place and its checksum, and the rest here and
            // there.
            for at in (0..40)
                .step_by(3)
                .chain((40..len).step_by(1_597))
                .chain([len - 1])
            {
                let what = format!("{name}, byte {at} of the entry at {begin} flipped");
                all.push(changed(&original, &what, |damaged| {
                    file(damaged, name)[begin + at] ^= 1 << (at % 8);
                }));
            }
        }
        for at in [0, 5, 9, 11] {
            let what = format!("{name}, byte {at} flipped");
            all.push(changed(&original, &what, |damaged| {
                file(damaged, name)[at] ^= 1
            }));
        }
        for page in 0..=used {
            let what = format!("{name}, page {page} zeroed");
            all.push(changed(&original, &what, |damaged| {
                file(damaged, name)[page * PAGE..(page + 1) * PAGE].fill(0);
            }));
            for len in [page * PAGE, page * PAGE + 1, page * PAGE + 2_000] {
                let what = format!("{name} cut to {len}");
                all.push(changed(&original, &what, |damaged| {
                    file(damaged, name).truncate(len)
                }));
            }
        }
        all.push(changed(&original, &format!("no {name}"), |damaged| {
            damaged.files.remove(name);
        }));
    }
    all.push(changed(&original, "no journal", |damaged| {
        damaged
            .files
            .retain(|name, _| !name.starts_with("journal-"));
    }));
    let [named, whole] = all_live_on(&all);
    println!("{named} lost something, {whole} nothing");
    assert!(
        named > 20 && whole > 20,
        "{named} lost something, {whole} nothing"
    );
}

#[test]
fn a_journal_and_a_database_that_are_both_damaged_name_what_is_in_neither() {
    let original = Original::journaled();
    let mut all = Vec::new();
    let records = original.records();
    for (number, entry) in original.journal.values().flatten().enumerate() {
        let what = format!("the entry at {} and a record", entry.start);
        all.push(changed(&original, &what, |damaged| {
            for (name, entries) in &original.journal {
                if entries.contains(entry) {
                    file(damaged, name)[entry.start + 30] ^= 1;
                }
            }
            let (places, len) = records[number % records.len()];
            for at in places {
                file(damaged, "db")[at + len / 2] ^= 4;
            }
        }));
    }
    all_live_on(&all);
}
