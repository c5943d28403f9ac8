//! What retention has taken away: which events, until when, and from where transitions are kept.
//! Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::progress::{GENERAL, Progress};
use crate::clock::Timestamp;
use crate::id::Seq;
use crate::store::backend::Change;
use crate::store::figures::Skipped;
use crate::store::projection::blockset::BlockSet;
use crate::store::projection::seqset::SeqSet;
use crate::store::record::key;

/// Days of which it is known what expired on them; what expired before counts as of the first one.
const DAYS_MAX: usize = 400;

const DAY_MS: i64 = 86_400_000;

/// The greatest event that had expired by the end of each day, and the last time of that day.
type Days = BTreeMap<i64, (Seq, Timestamp)>;

/// What retention has taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    seqs: BlockSet,
    /// By the rule under which it went: with no rules but the general one there is that alone.
    days: BTreeMap<String, Days>,
    /// The first frame of transitions that is kept.
    pub frames_from: u64,
    /// Dead letters of which no attempt is kept, by endpoint: nothing else tells of them.
    pub dead: BTreeMap<u32, SeqSet>,
    /// How far each rule has come, if sources have rules of their own.
    pub progress: Progress,
}

/// As a base of version 3 has it.
#[derive(Serialize, Deserialize)]
pub struct Version3 {
    seqs: SeqSet,
    days: Days,
    frames_from: u64,
}

impl Default for Expired {
    fn default() -> Self {
        Self {
            seqs: BlockSet::default(),
            days: BTreeMap::new(),
            frames_from: 1,
            dead: BTreeMap::new(),
            progress: Progress::default(),
        }
    }
}

impl From<Version3> for Expired {
    fn from(kept: Version3) -> Self {
        let mut expired = Self {
            days: BTreeMap::from([(GENERAL.to_owned(), kept.days)]),
            frames_from: kept.frames_from,
            ..Self::default()
        };
        expired.seqs.insert_runs(kept.seqs.iter_runs());
        expired
    }
}

impl Expired {
    /// The same for a base of version 3, if that has a place for all of it.
    pub fn to_version_3(&self) -> Option<Version3> {
        let is_general = self.days.keys().all(|rule| rule == GENERAL);
        if !is_general || !self.dead.is_empty() || !self.progress.is_empty() {
            return None;
        }
        let mut seqs = SeqSet::default();
        for (from, to) in self.seqs.iter_runs() {
            seqs.insert_range(from, to);
        }
        Some(Version3 {
            seqs,
            days: self.days.get(GENERAL).cloned().unwrap_or_default(),
            frames_from: self.frames_from,
        })
    }

    /// The events.
    pub fn seqs(&self) -> &BlockSet {
        &self.seqs
    }

    /// The last event of the run of expired ones that holds `seq`.
    pub fn until(&self, seq: Seq) -> Option<Seq> {
        self.seqs.run_end(seq)
    }

    /// What of the events from `from` to `to` has expired, if anything has.
    pub fn within(&self, from: Seq, to: Seq) -> Option<Skipped> {
        let within = self.seqs.within(from, to);
        Some(Skipped {
            from: within.next_from(from)?,
            to: within.last_to(to)?,
            events: within.len(),
        })
    }

    /// When `seq` had expired, to the day, whatever its source was; of one that outlived later ones,
    /// when those did.
    pub fn at(&self, seq: Seq) -> Option<Timestamp> {
        self.until(seq)?;
        let by_rule = self.days.values().filter_map(|days| {
            let mut days = days.values();
            let day = days.find(|(greatest, _)| *greatest >= seq);
            day.map(|(_, at)| *at)
        });
        by_rule.max()
    }

    /// These expire now, each of them under one of `rules`: for each the greatest that went.
    pub fn insert(&mut self, seqs: &BlockSet, rules: &BTreeMap<String, Seq>, now: Timestamp) {
        self.seqs.absorb(seqs);
        for (rule, greatest) in rules {
            let days = self.days.entry(rule.clone()).or_default();
            let before = days.last_key_value();
            // A clock that was set back does not make later ones expire before earlier ones.
            let day = now.as_millis().div_euclid(DAY_MS);
            let day = before.map_or(day, |(last, _)| day.max(*last));
            let greatest = before.map_or(*greatest, |(_, (last, _))| *greatest.max(last));
            days.insert(day, (greatest, now));
            while days.len() > DAYS_MAX {
                days.pop_first();
            }
        }
    }

    /// The keys of dead letters of which no attempt is kept.
    pub fn dead_letters(&self) -> Vec<Change> {
        let members = |set: &SeqSet| set.iter_runs().flat_map(|(from, to)| from..=to).collect();
        let all = self.dead.iter().flat_map(|(endpoint, left)| {
            let seqs: Vec<Seq> = members(left);
            seqs.into_iter().map(|seq| key::dead(*endpoint, seq))
        });
        all.map(|key| Change::Put(key, Vec::new())).collect()
    }

    /// The records that said so of these deliveries have expired: each became a dead letter, or was
    /// put back.
    pub fn take_note(&mut self, endings: &[(u32, Seq, bool)]) {
        for (endpoint, seq, is_dead) in endings {
            if *is_dead && !self.seqs.contains(*seq) {
                self.dead.entry(*endpoint).or_default().insert(*seq);
            } else {
                self.bury(&[(*endpoint, *seq)]);
            }
        }
    }

    /// These dead letters are none any more: their events expire.
    pub fn bury(&mut self, dead: &[(u32, Seq)]) {
        for (endpoint, seq) in dead {
            if let Some(left) = self.dead.get_mut(endpoint) {
                left.remove(*seq);
            }
        }
        self.dead.retain(|_, left| !left.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(day * DAY_MS)
    }

    fn insert(expired: &mut Expired, rule: &str, from: Seq, to: Seq, now: Timestamp) {
        let mut set = BlockSet::default();
        set.insert_range(from, to);
        expired.insert(&set, &BTreeMap::from([(rule.to_owned(), to)]), now);
    }

    #[test]
    fn the_day_on_which_an_event_expired_is_known_and_of_an_old_one_a_later_day() {
        let mut expired = Expired::default();
        assert_eq!(expired.at(1), None);
        insert(&mut expired, GENERAL, 1, 10, at(3));
        insert(&mut expired, GENERAL, 11, 20, at(5));
        assert_eq!((expired.at(10), expired.at(11)), (Some(at(3)), Some(at(5))));
        assert_eq!((expired.at(21), expired.until(4)), (None, Some(20)));
        for day in 6..2_000 {
            let seq = 20 + day as Seq;
            insert(&mut expired, GENERAL, seq, seq, at(day));
        }
        assert_eq!(expired.days[GENERAL].len(), DAYS_MAX);
        assert_eq!(expired.at(10), Some(at(1_600)));
    }

    #[test]
    fn a_clock_that_was_set_back_mixes_up_no_days() {
        let mut expired = Expired::default();
        insert(&mut expired, GENERAL, 1, 10, at(100));
        insert(&mut expired, GENERAL, 11, 20, at(2));
        insert(&mut expired, GENERAL, 15, 16, at(2));
        assert_eq!(
            (expired.days[GENERAL].len(), expired.at(20)),
            (1, Some(at(2)))
        );
    }

    #[test]
    fn an_event_of_a_source_that_is_kept_for_longer_did_not_expire_with_the_others() {
        let mut expired = Expired::default();
        insert(&mut expired, "short", 90, 100, at(1));
        insert(&mut expired, GENERAL, 7, 7, at(30));
        assert_eq!(expired.at(7), Some(at(30)));
        assert_eq!(expired.at(95), Some(at(1)));
    }

    #[test]
    fn version_3_has_a_place_for_what_has_no_rules_of_sources_and_no_forgotten_dead_letters() {
        let mut expired = Expired::default();
        insert(&mut expired, GENERAL, 1, 10, at(3));
        let kept = expired.to_version_3().unwrap();
        assert_eq!(Expired::from(kept), expired);
        expired.dead.entry(2).or_default().insert(11);
        assert!(expired.to_version_3().is_none());
        expired.bury(&[(2, 11)]);
        assert!(expired.to_version_3().is_some(), "it went with its event");
        insert(&mut expired, "short", 20, 20, at(3));
        assert!(expired.to_version_3().is_none());
    }
}
