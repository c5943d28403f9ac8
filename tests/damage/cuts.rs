//! Files that end too early, at every byte at which they can.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::judge::{Damaged, PANICS, Verdict};
use super::original::{Original, place, write_files};

/// Does `work` for every number below `count`, on as many threads as there are cores.
pub fn in_parallel(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

fn cut<'a>(original: &'a Original, name: &str, len: usize) -> Damaged<'a> {
    let mut damaged = Damaged::new(original);
    damaged.files.get_mut(name).unwrap().truncate(len);
    damaged.what = format!("{name} cut to {len}");
    damaged
}

fn follows_all() -> bool {
    std::env::var("REDELIVER_DAMAGE").is_ok_and(|wish| wish == "full")
}

#[test]
fn a_database_cut_at_any_byte_names_exactly_what_is_missing_and_goes_on_with_the_rest() {
    let original = Original::small();
    let used = original.used();
    let truths: Vec<Verdict> = (0..=used)
        .map(|len| cut(&original, "db", len).truth())
        .collect();
    let followed = AtomicUsize::new(0);
    in_parallel(used + 1, |len| {
        let damaged = cut(&original, "db", len);
        // What follows depends on what is missing; between two changes of that, one in 64.
        let changes = len == 0 || truths[len] != truths[len - 1];
        if changes || len == used || len % 64 == 0 || follows_all() {
            followed.fetch_add(1, Ordering::Relaxed);
            damaged.lives_on();
        } else {
            let dir = place();
            write_files(dir.path(), &damaged.files);
            assert_eq!(damaged.verdict(dir.path()), truths[len], "cut to {len}");
        }
    });
    println!(
        "{} cuts, {} followed to the end, {} panics became errors",
        used + 1,
        followed.into_inner(),
        PANICS.load(Ordering::Relaxed)
    );
}
