//! Volumes: flipped at their bytes, cut, zeroed, swapped, gone; and the database with them.

use super::journal::{all_live_on, changed, file};
use super::original::{Original, is_volume};

/// What comes before a record: its length and its check.
const RECORD_HEAD: usize = 8;

const SECTOR: usize = 512;

fn volumes(original: &Original) -> Vec<(&str, usize)> {
    let files = original.files.iter().filter(|(name, _)| is_volume(name));
    let files: Vec<_> = files
        .map(|(name, bytes)| (name.as_str(), bytes.len()))
        .collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn a_record_with_a_bit_flipped_is_missing_if_it_is_nowhere_else() {
    let mut all = Vec::new();
    let originals = [Original::journaled(), Original::checkpointed()];
    for (number, original) in originals.iter().enumerate() {
        let records = original.records_of_volumes().into_iter().skip(number);
        for (places, len) in records.step_by(3) {
            let bytes = [0, 5, RECORD_HEAD, 9, 11, 20, 30].into_iter();
            for byte in bytes.chain([RECORD_HEAD + len / 2, RECORD_HEAD + len - 1]) {
                let what = format!("byte {byte} of the record at {places:?} flipped");
                all.push(changed(original, &what, |damaged| {
                    for (name, at) in places {
                        file(damaged, name)[at - RECORD_HEAD + byte] ^= 1 << (byte % 8);
                    }
                }));
            }
        }
    }
    let [named, others] = all_live_on(&all);
    println!("{named} named at the start, {others} lost nothing or were found by reading");
    assert!(named > 20 && others > 20, "{named}, {others}");
}

#[test]
fn a_volume_that_is_cut_zeroed_or_gone_names_exactly_what_is_missing() {
    let original = Original::journaled();
    let mut all = Vec::new();
    for (name, len) in volumes(&original) {
        for at in [0, 3, 9, 11, 40] {
            let what = format!("{name}, byte {at} flipped");
            all.push(changed(&original, &what, |damaged| {
                file(damaged, name)[at] ^= 4;
            }));
        }
        for at in (0..len).step_by(8 * SECTOR) {
            let what = format!("{name}, zeros at {at}");
            all.push(changed(&original, &what, |damaged| {
                file(damaged, name)[at..len.min(at + SECTOR)].fill(0);
            }));
            let what = format!("{name} cut to {at}");
            all.push(changed(&original, &what, |damaged| {
                file(damaged, name).truncate(at);
            }));
        }
        all.push(changed(&original, &format!("no {name}"), |damaged| {
            damaged.files.remove(name);
        }));
    }
    all_live_on(&all);
}

#[test]
fn records_in_each_others_place_are_read_as_what_they_are_or_not_at_all() {
    let original = Original::checkpointed();
    let records = original.records_of_volumes();
    let mut all = Vec::new();
    for (one, other) in records.iter().zip(&records[1..]) {
        let what = format!("{:?} and {:?} swapped", one.0, other.0);
        let len = one.1.min(other.1);
        all.push(changed(&original, &what, |damaged| {
            let ((name, one), (_, other)) = (&one.0[0], &other.0[0]);
            let bytes = file(damaged, name);
            let was = bytes[*one..one + len].to_vec();
            bytes.copy_within(*other..other + len, *one);
            bytes[*other..other + len].copy_from_slice(&was);
        }));
    }
    all_live_on(&all);
}

#[test]
fn a_volume_and_a_database_that_are_both_damaged_name_what_is_in_neither() {
    let originals = [Original::checkpointed(), Original::journaled()];
    let mut all = Vec::new();
    for original in &originals {
        let records = original.records_of_volumes();
        let used = original.used();
        for (number, at) in (0..used).step_by(used / 20).enumerate() {
            let (places, len) = records[number % records.len()];
            for (volume_too, cut) in [(true, false), (true, true), (false, false), (false, true)] {
                let what = format!(
                    "the record at {places:?}: {volume_too}, and the database at {at}, cut: {cut}"
                );
                all.push(changed(original, &what, |damaged| {
                    for (name, at) in places.iter().filter(|_| volume_too) {
                        file(damaged, name)[at + len / 2] ^= 1;
                    }
                    match cut {
                        true => file(damaged, "db").truncate(at),
                        false => file(damaged, "db")[at..(at + 100).min(used)].fill(0),
                    }
                }));
            }
        }
    }
    all_live_on(&all);
}
