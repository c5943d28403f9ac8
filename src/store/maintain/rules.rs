//! The rules of a pass, in positions: which events are old enough, by their source.

use std::time::Duration;

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::progress::GENERAL;
use crate::id::Seq;

/// What holds for one source, or for all that have no rule of their own.
#[derive(Debug)]
pub struct Rule {
    /// The source's name, or [`GENERAL`].
    pub name: String,
    /// How old an event may become.
    pub max_age: Option<Duration>,
    /// Events below this one are too old.
    pub cut: Seq,
    /// Dead letters from this one on are kept.
    pub dead_from: Seq,
    /// Bytes of its events' records.
    pub max_bytes: Option<u64>,
}

/// The rules, the general one first, the others in the order of their names.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    pub fn iter(&self) -> impl Iterator<Item = &Rule> + Clone {
        self.0.iter()
    }

    /// The place of the rule for a source.
    pub fn of(&self, source: &str) -> usize {
        let found = self
            .0
            .binary_search_by(|rule| rule.name.as_str().cmp(source));
        found.unwrap_or(0)
    }

    pub fn at(&self, place: usize) -> &Rule {
        &self.0[place]
    }
}

impl<B: Backend> Log<B> {
    /// The rules as they stand now, of what is below `end`.
    pub(super) fn rules(&self, end: Seq) -> Result<Rules, StoreError> {
        let retention = &self.options.retention;
        let from = |age: Option<Duration>| match age {
            Some(age) => self
                .first_received_from(self.ago(age))
                .map(|seq| seq.min(end)),
            None => Ok(1),
        };
        let mut rules = vec![Rule {
            name: GENERAL.to_owned(),
            max_age: retention.max_age,
            cut: from(retention.max_age)?,
            dead_from: from(retention.dead_letters_max_age)?,
            max_bytes: None,
        }];
        for (name, source) in &retention.sources {
            rules.push(Rule {
                name: name.clone(),
                max_age: source.max_age,
                cut: from(source.max_age)?,
                dead_from: from(source.dead_letters_max_age)?,
                max_bytes: source.max_bytes,
            });
        }
        Ok(Rules(rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_own_rule_or_the_general_one() {
        let rule = |name: &str| Rule {
            name: name.to_owned(),
            max_age: None,
            cut: 1,
            dead_from: 1,
            max_bytes: None,
        };
        let rules = Rules([GENERAL, "api", "shop"].map(rule).into());
        assert_eq!(
            ["api", "shop", "surveys", "a"].map(|source| rules.of(source)),
            [1, 2, 0, 0]
        );
    }
}
