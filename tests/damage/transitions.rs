//! Lost records of attempts and endpoints: nobody forgets in silence what was delivered.

use redeliver::store::{Log, Options, Outcome, Store, StoreError};

use super::harness::settlement;
use super::judge::{Damaged, count_panics};
use super::original::{Original, accepting, open, place, write_files};

/// The small store without any copy of these frames, and perhaps without its snapshot.
fn without<'a>(original: &'a Original, numbers: &[u64], snapshot: bool) -> Damaged<'a> {
    count_panics();
    let mut damaged = Damaged::new(original);
    let db = damaged.files.get_mut("db").unwrap();
    for number in numbers {
        let (places, len) = original.transition(*number);
        for place in places {
            db[place + len - 1] ^= 1;
        }
    }
    if !snapshot {
        damaged.files.remove("projections");
    }
    damaged
}

fn claimed(log: &impl Store) -> Vec<(u64, u32)> {
    let mut claimed = Vec::new();
    for claim in log.claim(10).unwrap() {
        claimed.push((claim.token.seq, claim.attempt));
        let done = settlement(
            &claim,
            super::harness::START,
            Outcome::Delivered,
            redeliver::store::Effect::None,
        );
        log.settle(claim.token, done).unwrap();
    }
    claimed
}

fn all_claimed(log: &impl Store) -> Vec<(u64, u32)> {
    let mut all = Vec::new();
    loop {
        match claimed(log) {
            none if none.is_empty() => return all,
            some => all.extend(some),
        }
    }
}

fn opened(damaged: &Damaged<'_>, options: Options) -> Result<Vec<(u64, u32)>, StoreError> {
    let dir = place();
    write_files(dir.path(), &damaged.files);
    open(dir.path(), options).map(|log: Log<_>| all_claimed(&log))
}

#[test]
fn lost_transitions_are_asked_about_and_repeat_what_they_recorded() {
    let original = Original::small();
    assert_eq!(
        opened(&without(&original, &[], true), Options::default()),
        Ok(vec![(2, 1), (3, 1)]),
        "the first event is delivered"
    );
    let accepting = |from, to| accepting(None, Some((from, to)));
    for with_snapshot in [true, false] {
        let damaged = without(&original, &[2], with_snapshot);
        let error = opened(&damaged, Options::default()).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Forgotten {
                    from: 2,
                    to: 2,
                    events: None,
                    ..
                }
            ),
            "{error}"
        );
        let words = error.to_string();
        assert!(words.contains("--accept-lost-transitions 2-2 "), "{words}");
        // A range for events gives up no transitions.
        let events = super::original::accepting(Some((1, 9)), None);
        assert_eq!(opened(&damaged, events), Err(error));
        let again = opened(&damaged, accepting(2, 2)).unwrap();
        if with_snapshot {
            assert_eq!(
                again,
                [(2, 1), (3, 1)],
                "the snapshot knows of the delivery"
            );
        } else {
            assert_eq!(again, [(1, 1), (2, 1), (3, 1)], "it is made again");
        }
    }
}

#[test]
fn an_endpoint_whose_making_was_lost_is_gone_only_if_no_snapshot_knows_it() {
    let original = Original::small();
    for (with_snapshot, endpoints) in [(true, 1), (false, 0)] {
        let damaged = without(&original, &[1], with_snapshot);
        let dir = place();
        write_files(dir.path(), &damaged.files);
        assert!(open(dir.path(), Options::default()).is_err());
        let log = open(dir.path(), accepting(None, Some((1, 1)))).unwrap();
        assert_eq!(log.endpoints().unwrap().len(), endpoints);
        assert_eq!(log.read(1, 9).unwrap().len(), 3);
        log.close().unwrap();
        drop(log);
        let log = open(dir.path(), Options::default()).unwrap();
        assert_eq!(log.endpoints().unwrap().len(), endpoints);
    }
}
