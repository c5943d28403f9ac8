//! How far the rules of retention have come, each for the sources that it is about. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;

/// The name of the rule for sources that have none of their own. No source has it.
pub const GENERAL: &str = "";

/// How far each rule has come. Without it nothing is wrong: everything is looked at once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    rules: BTreeMap<String, Passed>,
    /// The first event that is not counted in [`Passed::there`].
    pub counted_until: Seq,
}

/// How far one rule has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Every event of the rule's sources below this one has expired, but for those that are `left`.
    pub until: Seq,
    /// What a delivery waited for, or was a dead letter, when the rule came by; perhaps of others'
    /// sources, too.
    pub left: BlockSet,
    /// What is there of its sources, as far as it is counted.
    pub there: Amount,
}

/// Events, and the bytes of their records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How many.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            rules: BTreeMap::new(),
            counted_until: 1,
        }
    }
}

impl Default for Passed {
    fn default() -> Self {
        Self {
            until: 1,
            left: BlockSet::default(),
            there: Amount::default(),
        }
    }
}

impl Amount {
    /// With one event more.
    pub fn add(&mut self, bytes: u64) {
        self.events += 1;
        self.bytes += bytes;
    }

    /// With one event less.
    pub fn take(&mut self, bytes: u64) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Progress {
    /// Whether there are no rules but the general one.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The same for these rules: where they are others, which source an event was of is not known,
    /// and everything is looked at once more.
    pub fn for_rules<'a>(self, names: impl Iterator<Item = &'a str> + Clone) -> Self {
        if self.rules.keys().map(String::as_str).eq(names.clone()) {
            return self;
        }
        let rules = names.map(|name| (name.to_owned(), Passed::default()));
        Self {
            rules: rules.collect(),
            counted_until: 1,
        }
    }

    /// The rules, in the order of their names.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Passed)> {
        self.rules.iter().map(|(name, passed)| (&**name, passed))
    }

    /// The rules, in the order of their names.
    pub fn rules_mut(&mut self) -> impl Iterator<Item = &mut Passed> {
        self.rules.values_mut()
    }

    /// What is there of each source with a rule of its own, if that is counted.
    pub fn counted(&self) -> impl Iterator<Item = (&str, Amount)> {
        let is_counted = self.counted_until > 1;
        let rules = self
            .rules()
            .filter(move |(name, _)| is_counted && *name != GENERAL);
        rules.map(|(name, passed)| (name, passed.there))
    }

    /// What was to go stays, for somebody waits for it again.
    pub fn leave(&mut self, seqs: &BlockSet) {
        for passed in self.rules.values_mut() {
            passed.left.absorb(seqs);
            passed.there = Amount::default();
        }
        self.counted_until = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_that_of_the_same_rules_and_of_no_others() {
        let mut progress = Progress::default().for_rules(["", "shop"].into_iter());
        progress.rules_mut().for_each(|passed| passed.until = 9);
        progress.counted_until = 5;
        let same = progress.clone().for_rules(["", "shop"].into_iter());
        assert_eq!(same, progress);
        for others in [&["", "shop", "surveys"][..], &[""], &["", "surveys"]] {
            let anew = progress.clone().for_rules(others.iter().copied());
            assert!(anew.rules().all(|(_, passed)| *passed == Passed::default()));
            assert_eq!(
                (anew.rules().count(), anew.counted_until),
                (others.len(), 1)
            );
        }
        assert!(progress.for_rules([].into_iter()).is_empty());
    }
}
