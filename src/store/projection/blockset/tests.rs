//! A set in blocks is a set, and its size is bounded.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::store::record::codec::{self, Head, Kind};

/// Read back as a base keeps it, and how many bytes that took.
fn kept(set: &BlockSet) -> (BlockSet, usize) {
    let head = Head {
        kind: Kind::Base,
        previous: 0,
        first: 1,
        count: 1,
    };
    let (bytes, _) = codec::encode(head, set).unwrap();
    let read = codec::open(&bytes, Kind::Base).unwrap().decode().unwrap();
    (read, bytes.len())
}

#[test]
fn a_million_islands_take_a_bit_for_each_number() {
    let mut set = BlockSet::default();
    for island in 0..1_000_000 {
        set.insert(2 * island + 1);
    }
    let (read, bytes) = kept(&set);
    assert_eq!(read, set);
    assert_eq!((set.len(), set.iter_runs().count()), (1_000_000, 1_000_000));
    println!("in memory {} bytes, kept {bytes}", set.memory_bytes());
    assert!(set.memory_bytes() < 300_000 && bytes < 300_000);
}

#[test]
fn a_log_of_which_everything_is_a_member_takes_one_run() {
    let mut set = BlockSet::default();
    set.insert_range(1, 1_000_000_000_000);
    assert_eq!(set.len(), 1_000_000_000_000);
    assert_eq!(set.run_of(77), Some((1, 1_000_000_000_000)));
    assert!(set.memory_bytes() < 1_000);
    set.remove_range(500_000, 500_000_000_000);
    assert_eq!(set.next_from(600_000), Some(500_000_000_001));
    assert_eq!(set.last_to(400_000_000_000), Some(499_999));
    assert_eq!(set.gaps(1, Seq::MAX - 1).count(), 2);
}

/// Numbers around the borders of blocks.
fn number() -> impl Strategy<Value = Seq> {
    prop_oneof![
        0u64..70,
        4_060u64..4_130,
        8_170u64..8_300,
        12_200u64..12_400
    ]
}

proptest! {
    #[test]
    fn a_set_in_blocks_behaves_as_a_set(ops in prop::collection::vec((0u8..5, number(), number()), 0..40), dense in any::<bool>()) {
        let (mut set, mut model) = (BlockSet::default(), BTreeSet::new());
        if dense {
            for seq in (0..12_000).step_by(3) {
                set.insert(seq);
                model.insert(seq);
            }
        }
        for (op, one, other) in ops {
            let (from, to) = (one.min(other), one.max(other));
            match op {
                0 => { set.insert(from); model.insert(from); }
                1 => { set.insert_range(from, to); model.extend(from..=to); }
                2 => { set.remove_range(from, to); model.retain(|seq| !(from..=to).contains(seq)); }
                3 => {
                    let mut more = BlockSet::default();
                    more.insert_range(from, to);
                    set.absorb(&more);
                    model.extend(from..=to);
                }
                _ => {
                    let mut less = BlockSet::default();
                    less.insert_range(from, to);
                    set.remove_all(&less);
                    model.retain(|seq| !(from..=to).contains(seq));
                }
            }
        }
        prop_assert_eq!(set.len(), model.len() as u64);
        let members: Vec<Seq> = set.iter_runs().flat_map(|(from, to)| from..=to).collect();
        prop_assert_eq!(&members, &model.iter().copied().collect::<Vec<_>>());
        let runs: Vec<_> = set.iter_runs().collect();
        prop_assert!(runs.windows(2).all(|w| w[0].1 + 1 < w[1].0));
        for (from, to) in &runs {
            prop_assert_eq!(set.run_of(from.midpoint(*to)), Some((*from, *to)));
        }
        for seq in [0, 1, 63, 64, 4_095, 4_096, 8_191, 8_200, 12_287, 12_500] {
            prop_assert_eq!(set.contains(seq), model.contains(&seq));
            prop_assert_eq!(set.next_from(seq), model.range(seq..).next().copied());
            prop_assert_eq!(set.last_to(seq), model.range(..=seq).next_back().copied());
        }
        let outside: Vec<Seq> = set.gaps(5, 12_350).flat_map(|(from, to)| from..=to).collect();
        let expected: Vec<Seq> = (5..=12_350).filter(|seq| !model.contains(seq)).collect();
        prop_assert_eq!(outside, expected);
        prop_assert_eq!(kept(&set).0, set);
    }
}
