//! Recovery of a damaged store: it never panics and never serves a wrong byte, it names exactly
//! what is missing, and with the loss accepted it goes on with exactly the rest.

mod damage;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::Unstructured;
use redeliver::clock::ManualClock;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Store, StoreError};

use self::damage::Damage;
use self::story::{AT_ONCE, Records, START, STORY, event};

/// A day after the story, when everything is due.
fn open(records: Records, accept: Option<(u64, u64)>) -> Result<Log<Memory>, StoreError> {
    let clock = ManualClock::new(START.plus(Duration::from_secs(86_400)));
    let options = Options {
        accept_loss: accept.map(|(from, to)| from..=to),
        // Every read goes to the records.
        frame_cache_bytes: 0,
        ..Options::default()
    };
    Log::over(Memory::holding(records), Arc::new(clock), options, [9; 3])
}

/// A list of damages, done to the records of a small store one after the other.
pub fn run(input: &[u8]) {
    let mut records = STORY.records.clone();
    let mut input = Unstructured::new(input);
    let mut forged = false;
    // Twelve damages say what a thousand would.
    for _ in 0..12 {
        let Ok(damage) = input.arbitrary::<Damage>() else {
            break;
        };
        if input.is_empty() {
            break;
        }
        forged |= damage.forges();
        damage.apply(&mut records);
    }
    if forged {
        survives(records);
    } else {
        is_told_exactly(records);
    }
}

/// Whatever lies in the records, nothing panics: not at the start, not at any question.
fn survives(records: Records) {
    for accept in [None, Some((1, 3)), Some((1, u64::MAX))] {
        let Ok(log) = open(records.clone(), accept) else {
            continue;
        };
        let last = log.depth().last_seq;
        for seq in (0..40).chain(last.saturating_sub(2)..=last.saturating_add(1)) {
            let _ = log.event(seq);
            let _ = log.read(seq, 10);
            for endpoint in 0..3 {
                let _ = log.delivery(endpoint, seq);
            }
        }
        let _ = (log.endpoints(), log.depth());
        for claim in log.claim(100).unwrap_or_default() {
            let _ = log.release(claim.token);
        }
        if let Ok(ticket) = log.append(vec![event(1)]) {
            let _ = log.commit();
            drop(ticket);
        }
        let left = log.backend().scan(b"", b"", usize::MAX).unwrap();
        let _ = open(left.into_iter().collect(), accept);
    }
}

/// What a store that was not forged must say, told from the damaged records alone.
struct Expected {
    /// Transitions, or the description of the store itself: no number says what is lost.
    corrupt: bool,
    /// A record claims to be of a later version.
    too_new: bool,
    /// Transitions at the end are gone, and with them what they settled.
    forgetful: bool,
    last: u64,
    missing: BTreeSet<u64>,
    /// In a frame that is whole, but without their whole bodies.
    bodiless: BTreeSet<u64>,
}

fn expect(records: &Records) -> Expected {
    let is_whole = |key: &[u8]| records.get(key) == STORY.records.get(key);
    let numbered = |prefix: u8| {
        let keys = STORY.records.keys().filter(move |key| key[0] == prefix);
        keys.map(|key| (key, u64::from_be_bytes(key[1..9].try_into().unwrap())))
    };
    let frames: Vec<_> = numbered(b't').map(|(key, _)| key).collect();
    let left = frames.iter().filter(|key| records.contains_key(**key));
    let there = frames.iter().take_while(|key| is_whole(key)).count();
    let last_as_of = STORY.as_of.get(&there).copied().unwrap_or(1);
    let mut expected = Expected {
        corrupt: !is_whole(b"m") || left.count() > there,
        too_new: records
            .iter()
            .any(|(key, value)| b"mte".contains(&key[0]) && value.first().is_some_and(|v| *v > 1)),
        forgetful: there < frames.len(),
        last: last_as_of - 1,
        missing: BTreeSet::new(),
        bodiless: BTreeSet::new(),
    };
    let mut readable = BTreeSet::new();
    let mut damaged_last = None;
    for (key, first) in numbered(b'e').filter(|(key, _)| records.contains_key(*key)) {
        let count = STORY.counts[&first];
        if is_whole(key) {
            readable.extend(first..first + count);
            damaged_last = None;
        } else {
            damaged_last = Some((first, &records[key]));
        }
    }
    expected.last = expected.last.max(readable.last().copied().unwrap_or(0));
    if let Some((first, bytes)) = damaged_last
        && first > expected.last
    {
        // A damaged frame at the end says itself how far it went, if that can be believed.
        let number = |at: usize| bytes.get(at..at + 8).map(|b| b.try_into().unwrap());
        let named = number(10).map(u64::from_le_bytes);
        let count = bytes.get(18..22).map(|b| b.try_into().unwrap());
        let count = count
            .map(u32::from_le_bytes)
            .filter(|count| named == Some(first) && (1..=8192).contains(count));
        expected.last = first + u64::from(count.unwrap_or(1)) - 1;
    }
    expected.missing = (1..=expected.last)
        .filter(|seq| !readable.contains(seq))
        .collect();
    let parts = STORY.records.keys().filter(|key| key[0] == b'b');
    let broken = parts.filter(|key| !is_whole(key));
    let bodiless: BTreeSet<u64> = broken
        .map(|key| u64::from_be_bytes(key[1..9].try_into().unwrap()))
        .collect();
    expected.bodiless = bodiless.intersection(&readable).copied().collect();
    expected
}

fn is_told_exactly(records: Records) {
    if records.is_empty() {
        return;
    }
    let expected = expect(&records);
    let (first, last) = match open(records.clone(), None) {
        Ok(log) => {
            assert!(!expected.corrupt && expected.missing.is_empty());
            serves(&log, &expected, |_| false);
            goes_on(&log, &expected);
            return;
        }
        Err(StoreError::TooNew { .. }) => return assert!(expected.too_new),
        Err(StoreError::Corrupt(what)) => return assert!(expected.corrupt, "{what}"),
        Err(StoreError::Damaged { from, to, what }) => {
            assert!(!expected.corrupt);
            let ranges = runs(&expected.missing);
            let told: Vec<String> = ranges.iter().map(|(f, t)| format!("{f}-{t}")).collect();
            assert_eq!(what, format!("missing: {}", told.join(", ")));
            assert_eq!((from, to), (ranges[0].0, ranges[ranges.len() - 1].1));
            (from, to)
        }
        Err(other) => panic!("{other}"),
    };
    let log = open(records, Some((first, last))).unwrap();
    assert!(log.commit().unwrap(), "the loss is recorded");
    let given_up = |seq| (first..=last).contains(&seq);
    serves(&log, &expected, given_up);
    let left = log.backend().scan(b"", b"", usize::MAX).unwrap();
    let log = open(left.into_iter().collect(), None).expect("nobody is asked again");
    serves(&log, &expected, given_up);
    goes_on(&log, &expected);
}

fn runs(seqs: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *seq => *last = *seq,
            _ => runs.push((*seq, *seq)),
        }
    }
    runs
}

/// Every event as it came in, or nothing, or an error that names it; and every delivery that is
/// still to be made.
fn serves(log: &Log<Memory>, expected: &Expected, given_up: impl Fn(u64) -> bool) {
    let mut readable = Vec::new();
    for seq in 1..=expected.last + 1 {
        match log.event(seq) {
            Ok(Some(read)) => {
                assert!(!expected.missing.contains(&seq) && !expected.bodiless.contains(&seq));
                assert_eq!((read.seq, &read.content), (seq, &event(seq)));
                readable.push(seq);
            }
            Ok(None) if seq > expected.last => {}
            Ok(None) => {
                let gone = expected.missing.contains(&seq) || expected.bodiless.contains(&seq);
                assert!(gone && given_up(seq), "{seq}");
            }
            Err(StoreError::Damaged { from, to, .. }) => {
                assert_eq!((from, to), (seq, seq));
                assert!(expected.bodiless.contains(&seq) && !given_up(seq), "{seq}");
            }
            Err(other) => panic!("{seq}: {other}"),
        }
    }
    if expected.bodiless.iter().all(|seq| given_up(*seq)) {
        let read = log.read(1, 1000).unwrap();
        let seqs: Vec<u64> = read.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, readable);
    }
    let mut due: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for claim in log.claim(1000).unwrap() {
        let (endpoint, seq) = (claim.token.endpoint, claim.token.seq);
        assert_eq!(claim.event.content, event(seq));
        assert!(due.entry(endpoint).or_default().insert(seq), "claimed once");
        log.release(claim.token).unwrap();
    }
    if !expected.forgetful {
        let due = due.remove(&AT_ONCE).unwrap_or_default();
        let left = STORY.due.iter().filter(|seq| readable.contains(seq));
        assert_eq!(due, left.copied().collect());
    }
}

/// No number is given again, and what is new is kept.
fn goes_on(log: &Log<Memory>, expected: &Expected) {
    let ticket = log.append(vec![event(1)]).unwrap();
    log.commit().unwrap();
    let appended = ticket.blocking_recv().unwrap().unwrap()[0];
    assert_eq!(appended.seq, expected.last + 1);
    let left = log.backend().scan(b"", b"", usize::MAX).unwrap();
    let log = open(left.into_iter().collect(), None).unwrap();
    let read = log.event(appended.seq).unwrap().unwrap();
    assert_eq!(read.content, event(1));
}
