//! Events of the type `error`, grouped by their type and message.

use std::borrow::Cow;
use std::collections::HashMap;

use super::distinct::Distinct;
use crate::clock::Timestamp;

/// How many groups are kept: a message with a number in it makes a group of each. For a new one the
/// one that happened longest ago is forgotten.
const GROUPS_MAX: usize = 500;

/// One group.
#[derive(Debug)]
pub struct Group {
    /// Its message.
    pub message: String,
    /// Its type.
    pub kind: String,
    /// How often it happened.
    pub count: u64,
    /// When it first happened.
    pub first: Timestamp,
    /// When it last happened.
    pub last: Timestamp,
    /// Whom it happened to.
    pub affected: Distinct,
}

/// All groups.
#[derive(Debug, Default)]
pub struct Failures(HashMap<(String, String), Group>);

impl Failures {
    /// Counts one.
    pub fn add(
        &mut self,
        kind: Option<Cow<'_, str>>,
        message: Option<Cow<'_, str>>,
        visitor: Option<u64>,
        at: Timestamp,
    ) {
        let kind = kind.as_deref().unwrap_or("Error").to_owned();
        let message = message.as_deref().unwrap_or("Unknown").to_owned();
        let key = (kind, message);
        if !self.0.contains_key(&key) && self.0.len() >= GROUPS_MAX {
            let oldest = self.0.iter().min_by_key(|(key, group)| (group.last, *key));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&oldest);
            }
        }
        let (kind, message) = key.clone();
        let group = self.0.entry(key).or_insert_with(|| Group {
            message,
            kind,
            count: 0,
            first: at,
            last: at,
            affected: Distinct::default(),
        });
        group.count += 1;
        group.last = at;
        if let Some(visitor) = visitor {
            group.affected.add(visitor);
        }
    }

    /// The groups, those that happened most first.
    pub fn sorted(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.0.values().collect();
        groups.sort_by(|a, b| {
            let recent = b.last.cmp(&a.last);
            let name = (&a.kind, &a.message).cmp(&(&b.kind, &b.message));
            b.count.cmp(&a.count).then(recent).then(name)
        });
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn errors_of_one_type_and_message_are_one_group_and_the_most_frequent_comes_first() {
        let mut failures = Failures::default();
        let some = |text| Some(Cow::Borrowed(text));
        failures.add(some("TypeError"), some("a"), Some(1), at(0));
        failures.add(some("TypeError"), some("b"), Some(1), at(1));
        failures.add(some("TypeError"), some("b"), Some(1), at(2));
        failures.add(some("TypeError"), some("b"), Some(2), at(3));
        failures.add(None, None, None, at(4));
        let groups = failures.sorted();
        assert_eq!(groups[0].message, "b");
        assert_eq!((groups[0].count, groups[0].affected.count()), (3, 2));
        assert_eq!((groups[0].first, groups[0].last), (at(1), at(3)));
        assert_eq!(
            (&*groups[1].kind, &*groups[1].message),
            ("Error", "Unknown")
        );
        assert_eq!(groups[2].message, "a");
    }

    #[test]
    fn of_too_many_groups_the_one_that_happened_longest_ago_is_forgotten() {
        let mut failures = Failures::default();
        for number in 0..=GROUPS_MAX {
            let message = Cow::Owned(number.to_string());
            failures.add(None, Some(message), None, at(number as i64));
        }
        let groups = failures.sorted();
        assert_eq!(groups.len(), GROUPS_MAX);
        assert!(groups.iter().all(|group| group.message != "0"));
    }
}
