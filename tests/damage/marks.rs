//! A mark that a power cut has set back, or that is gone: the log itself tells what was promised.

use super::judge::Damaged;
use super::original::Original;

fn with_old_mark<'a>(original: &'a Original, mark: Option<&[u8]>, what: &str) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    match mark {
        Some(mark) => drop(damaged.files.insert("high-water".into(), mark.to_vec())),
        None => drop(damaged.files.remove("high-water")),
    }
    damaged.what = format!("{what}, mark: {}", mark.is_some());
    damaged
}

fn rot(damaged: &mut Damaged<'_>, (places, len): (&[usize], usize)) {
    let db = damaged.files.get_mut("db").unwrap();
    for place in places {
        db[place + len - 1] ^= 1;
    }
}

#[test]
fn an_acknowledged_change_is_missed_whatever_the_mark_says() {
    let (original, mark) = Original::changing();
    for mark in [Some(mark.as_slice()), None] {
        for number in [2, 4, 6] {
            let mut damaged = with_old_mark(&original, mark, &format!("change {number}"));
            rot(&mut damaged, original.transition(number));
            assert_eq!(damaged.lives_on(), "named", "{}", damaged.what);
        }
    }
}

#[test]
fn an_acknowledged_event_is_missed_whatever_the_mark_says() {
    let (original, mark) = Original::changing();
    for mark in [Some(mark.as_slice()), None] {
        for seq in [3, 5, 7] {
            let mut damaged = with_old_mark(&original, mark, &format!("event {seq}"));
            rot(&mut damaged, original.frame_of(seq));
            assert_eq!(damaged.lives_on(), "named", "{}", damaged.what);
        }
    }
}
