//! Damage to a log of several segments, some of them used again: to one that is not the last, to the
//! head of one, to a whole one.

use super::cuts::in_parallel;
use super::judge::Damaged;
use super::original::Original;

const SEGMENT: usize = 8 << 20;
const HEAD: usize = 20;

/// The segments that begin with a head, by position in the log.
fn segments(db: &[u8]) -> Vec<usize> {
    let lsn = |at: usize| {
        let lsn: [u8; 8] = db[at + 4..at + 12].try_into().unwrap();
        i64::from_le_bytes(lsn) ^ i64::MAX
    };
    let heads = (0..db.len()).step_by(SEGMENT);
    let mut heads: Vec<usize> = heads
        .filter(|at| db[*at..at + HEAD].iter().any(|byte| *byte != 0))
        .collect();
    heads.sort_by_key(|at| lsn(*at));
    heads
}

#[test]
fn damage_in_any_of_several_segments_names_exactly_what_is_missing() {
    let original = Original::of_segments();
    let segments = segments(&original.files["db"]);
    assert!(segments.len() >= 4, "{segments:?}");
    let [.., third_last, second_last, last] = segments.as_slice() else {
        panic!("{segments:?}");
    };
    type Damage<'a> = Box<dyn Fn(&mut Vec<u8>) + Sync + 'a>;
    let kinds: Vec<(&str, Damage<'_>)> = vec![
        (
            "a block in the middle of a segment",
            Box::new(|db| db[second_last + SEGMENT / 2..][..70_000].fill(0)),
        ),
        (
            "the head of a segment",
            Box::new(|db| db[third_last + 5] ^= 1),
        ),
        (
            "a whole segment",
            Box::new(|db| db[*third_last..][..SEGMENT].fill(0)),
        ),
        (
            "the head of one segment on another",
            Box::new(|db| db.copy_within(*third_last..third_last + HEAD, *second_last)),
        ),
        (
            "a block in the last segment",
            Box::new(|db| db[last + 4096..][..8192].fill(0)),
        ),
    ];
    in_parallel(kinds.len(), |number| {
        let (what, damage) = &kinds[number];
        let mut damaged = Damaged::new(&original);
        damaged.what = (*what).to_owned();
        damage(damaged.files.get_mut("db").unwrap());
        println!("{what}: {}", damaged.lives_on());
    });
}
