//! What a damaged store may and may not do, checked from its opening to its second life.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use redeliver::store::disk::Disk;
use redeliver::store::panic_is_an_error;
use redeliver::store::{Log, Options, Store, StoreError, verify};

use super::harness::event;
use super::original::{Left, Moved, Original, Told, accepting, open, place, told, write_files};

/// Panics of the database that became errors.
pub static PANICS: AtomicUsize = AtomicUsize::new(0);

/// How a damaged store was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It opens, and everything is there.
    Whole,
    /// These are missing: events, transitions.
    Missing(BTreeSet<u64>, BTreeSet<u64>),
    /// Nothing can be saved.
    Hopeless,
}

/// A store whose files were changed.
pub struct Damaged<'a> {
    /// What was done to it.
    pub what: String,
    pub original: &'a Original,
    pub files: BTreeMap<String, Vec<u8>>,
    pub moved: Vec<Moved>,
}

/// Counts the panics that become errors, instead of telling them.
pub fn count_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic_is_an_error() {
                PANICS.fetch_add(1, Ordering::Relaxed);
            } else {
                told(panic);
            }
        }));
    });
}

/// The numbers in `missing: 4-5, 9-9`.
fn ranges(what: &str) -> BTreeSet<u64> {
    let ranges = what.strip_prefix("missing: ").unwrap().split(", ");
    ranges
        .flat_map(|range| {
            let (from, to) = range.split_once('-').unwrap();
            from.parse::<u64>().unwrap()..=to.parse().unwrap()
        })
        .collect()
}

impl Verdict {
    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Damaged { from, to, what } => {
                let missing = ranges(what);
                assert_eq!(missing.first().zip(missing.last()), Some((from, to)));
                Self::Missing(missing, BTreeSet::new())
            }
            StoreError::Forgotten {
                from,
                to,
                events,
                what,
            } => {
                let (transitions, missing) = match events {
                    None => (ranges(what), BTreeSet::new()),
                    Some((first, last)) => {
                        let what = what.strip_prefix("transitions ").unwrap();
                        let (transitions, missing) = what.split_once("; events ").unwrap();
                        let missing = ranges(missing);
                        assert_eq!(missing.first().zip(missing.last()), Some((first, last)));
                        (ranges(transitions), missing)
                    }
                };
                assert_eq!(
                    transitions.first().zip(transitions.last()),
                    Some((from, to))
                );
                Self::Missing(missing, transitions)
            }
            StoreError::Corrupt(_) => Self::Hopeless,
            other => panic!("{other}"),
        }
    }

    /// The options that go on without what is missing.
    fn accepted(&self) -> Options {
        let hull = |set: &BTreeSet<u64>| Some((*set.first()?, *set.last()?));
        match self {
            Self::Missing(events, transitions) => accepting(hull(events), hull(transitions)),
            Self::Whole | Self::Hopeless => Options::default(),
        }
    }
}

impl<'a> Damaged<'a> {
    pub fn new(original: &'a Original) -> Self {
        Self {
            what: String::new(),
            original,
            files: original.files.clone(),
            moved: Vec::new(),
        }
    }

    /// What really cannot be read any more, whoever looks for it.
    pub fn truth(&self) -> Verdict {
        let mut db = self.files.get("db").cloned().unwrap_or_default();
        // Zeros that are cut off are known all the same.
        db.resize(db.len() + 64, 0);
        let is_whole = |name: &str, number: usize| {
            let place = self.original.journal[name][number].clone();
            let was = &self.original.files[name][place.clone()];
            self.files.get(name).and_then(|file| file.get(place)) == Some(was)
        };
        let left = Left {
            db: &db,
            files: &self.files,
            moved: &self.moved,
            is_whole: &is_whole,
        };
        if !self.original.has_meta(&left) {
            return Verdict::Hopeless;
        }
        let events = self.original.lost_events(&left);
        let mut transitions = self.original.lost_transitions(&left);
        transitions.retain(|number| *number < self.original.unpromised);
        if events.is_empty() && transitions.is_empty() {
            return Verdict::Whole;
        }
        Verdict::Missing(
            events.into_iter().collect(),
            transitions.into_iter().collect(),
        )
    }

    /// What is told of deliveries is what was told before, but for attempts that nobody was promised.
    fn tells_right(&self, told: &BTreeMap<(u32, u64), Told>, lost: &BTreeSet<u64>) {
        let deliveries = self.original.deliveries.iter();
        for (place, was) in deliveries.filter(|(place, _)| !lost.contains(&place.1)) {
            let told = told.get(place);
            let is_right = told == Some(was);
            let may_lack = self.original.has_unpromised();
            let lacks = told.is_some_and(|told| was.1.starts_with(&told.1));
            assert!(
                is_right || (may_lack && lacks),
                "{}: {place:?}: {told:?}, and not {was:?}",
                self.what
            );
        }
    }

    /// Opens it once, as an operator who has noticed nothing.
    pub fn verdict(&self, dir: &Path) -> Verdict {
        count_panics();
        match open(dir, Options::default()) {
            Ok(log) => {
                self.reads_right(&log, &BTreeSet::new());
                // Every record is asked for once, or not all of them would be known to be damaged.
                self.read_transitions(&log);
                Verdict::Whole
            }
            Err(error) => Verdict::of(&error),
        }
    }

    fn read_transitions(&self, log: &Log<Disk>) {
        told(log, self.original.last_seq());
    }

    /// Every event is what was written, or it is told that it cannot be read; those in `lost`
    /// are gone.
    fn reads_right(&self, log: &Log<Disk>, lost: &BTreeSet<u64>) -> BTreeSet<u64> {
        let mut unreadable = BTreeSet::new();
        for (seq, written) in (1..).zip(&self.original.events) {
            match log.event(seq) {
                Ok(Some(event)) => assert_eq!(event, *written, "{}: a wrong byte", self.what),
                Ok(None) => assert!(
                    lost.contains(&seq),
                    "{}: {seq} is gone in silence",
                    self.what
                ),
                Err(_) => drop(unreadable.insert(seq)),
            }
        }
        unreadable
    }

    /// Follows it to the end: refused twice alike, gone on with as told, written to, closed, opened
    /// again as if nothing had been. Says what became of it.
    pub fn lives_on(&self) -> &'static str {
        let (truth, dir) = (self.truth(), place());
        write_files(dir.path(), &self.files);
        let (what, dir) = (&self.what, dir.path());
        let verdict = self.verdict(dir);
        let again = self.verdict(dir);
        let (lost, forgotten) = match (&truth, &verdict) {
            (Verdict::Hopeless, Verdict::Hopeless) => return "hopeless",
            (Verdict::Missing(events, transitions), Verdict::Whole) => {
                // What lies behind the snapshot is looked at when it is read, and noted for the
                // next start, where it can be.
                match again {
                    Verdict::Whole => assert_eq!(self.found_by_reading(dir), *events, "{what}"),
                    _ => assert_eq!(again, truth, "{what}"),
                }
                (events.clone(), transitions.clone())
            }
            _ => {
                assert_eq!((&verdict, &again), (&truth, &truth), "{what}");
                match &truth {
                    Verdict::Missing(events, transitions) => (events.clone(), transitions.clone()),
                    _ => (BTreeSet::new(), BTreeSet::new()),
                }
            }
        };
        let found = verify(dir, 8 << 20).unwrap().findings;
        assert!(truth == Verdict::Whole || !found.is_empty(), "{what}");
        let log = open(dir, truth.accepted()).unwrap_or_else(|error| panic!("{what}: {error}"));
        let last = self.original.last_seq();
        assert_eq!(self.reads_right(&log, &lost), BTreeSet::new(), "{what}");
        if forgotten.is_empty() {
            self.tells_right(&told(&log, last), &lost);
        }
        let ticket = log.append(vec![event("t", "new")]).unwrap();
        log.commit().unwrap();
        let appended = ticket.blocking_recv().unwrap().unwrap();
        assert_eq!(
            appended[0].seq,
            last + 1,
            "{what}: no number is given again"
        );
        log.close().unwrap();
        drop(log);
        let findings = verify(dir, 8 << 20).unwrap().findings;
        assert_eq!(findings, [], "{what}");
        let log = open(dir, Options::default())
            .unwrap_or_else(|error| panic!("{what}: a second start: {error}"));
        assert_eq!(self.reads_right(&log, &lost), BTreeSet::new(), "{what}");
        assert_eq!(log.event(last + 1).unwrap().unwrap().content.body, "new");
        match truth {
            Verdict::Whole => "whole",
            _ if verdict == Verdict::Whole => "found by reading",
            _ => "named",
        }
    }

    /// The events that are told to be unreadable when they are read, and after a start that was
    /// told so.
    fn found_by_reading(&self, dir: &Path) -> BTreeSet<u64> {
        let log = open(dir, Options::default()).unwrap();
        let unreadable = self.reads_right(&log, &BTreeSet::new());
        drop(log);
        // A page that could not be read is looked for elsewhere by the next start.
        match open(dir, Options::default()) {
            Ok(log) => {
                assert_eq!(self.reads_right(&log, &BTreeSet::new()), unreadable);
                unreadable
            }
            Err(error) => match Verdict::of(&error) {
                Verdict::Missing(events, _) => events,
                other => panic!("{other:?}"),
            },
        }
    }
}
