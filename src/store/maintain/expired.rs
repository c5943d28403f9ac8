//! What retention has taken away: which events, until when, and from where transitions are kept.
//! Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::Seq;
use crate::store::projection::seqset::SeqSet;

/// Days of which it is known what expired on them; what expired before counts as of the first one.
const DAYS_MAX: usize = 400;

const DAY_MS: i64 = 86_400_000;

/// What retention has taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    seqs: SeqSet,
    /// The greatest event that had expired by the end of each day, and the last time of that day.
    days: BTreeMap<i64, (Seq, Timestamp)>,
    /// The first frame of transitions that is kept.
    pub frames_from: u64,
}

impl Default for Expired {
    fn default() -> Self {
        Self {
            seqs: SeqSet::default(),
            days: BTreeMap::new(),
            frames_from: 1,
        }
    }
}

impl Expired {
    /// The events.
    pub fn seqs(&self) -> &SeqSet {
        &self.seqs
    }

    /// The last event of the run of expired ones that holds `seq`.
    pub fn until(&self, seq: Seq) -> Option<Seq> {
        self.seqs.run_of(seq).map(|(_, last)| last)
    }

    /// When `seq` expired, to the day; of one that outlived later ones, when those did.
    pub fn at(&self, seq: Seq) -> Option<Timestamp> {
        self.until(seq)?;
        let mut days = self.days.values();
        let day = days.find(|(greatest, _)| *greatest >= seq);
        day.map(|(_, at)| *at)
    }

    /// These expire now.
    pub fn insert(&mut self, seqs: &SeqSet, now: Timestamp) {
        let Some((_, greatest)) = seqs.iter_runs().last() else {
            return;
        };
        for (from, to) in seqs.iter_runs() {
            self.seqs.insert_range(from, to);
        }
        let before = self.days.last_key_value();
        // A clock that was set back does not make later ones expire before earlier ones.
        let day = now.as_millis().div_euclid(DAY_MS);
        let day = before.map_or(day, |(last, _)| day.max(*last));
        let greatest = before.map_or(greatest, |(_, (last, _))| greatest.max(*last));
        self.days.insert(day, (greatest, now));
        while self.days.len() > DAYS_MAX {
            self.days.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(day * DAY_MS)
    }

    fn set(from: Seq, to: Seq) -> SeqSet {
        let mut set = SeqSet::default();
        set.insert_range(from, to);
        set
    }

    #[test]
    fn the_day_on_which_an_event_expired_is_known_and_of_an_old_one_a_later_day() {
        let mut expired = Expired::default();
        assert_eq!(expired.at(1), None);
        expired.insert(&set(1, 10), at(3));
        expired.insert(&set(11, 20), at(5));
        assert_eq!((expired.at(10), expired.at(11)), (Some(at(3)), Some(at(5))));
        assert_eq!((expired.at(21), expired.until(4)), (None, Some(20)));
        for day in 6..2_000 {
            let seq = 20 + day as Seq;
            expired.insert(&set(seq, seq), at(day));
        }
        assert_eq!(expired.days.len(), DAYS_MAX);
        assert_eq!(expired.at(10), Some(at(1_600)));
    }

    #[test]
    fn a_clock_that_was_set_back_mixes_up_no_days() {
        let mut expired = Expired::default();
        expired.insert(&set(1, 10), at(100));
        expired.insert(&set(11, 20), at(2));
        expired.insert(&set(15, 16), at(2));
        assert_eq!((expired.days.len(), expired.at(20)), (1, Some(at(2))));
    }
}
