//! Dead letters that are operational events themselves. They count for nothing: an endpoint that gets
//! these and gives up would be told about to itself for ever. Pure.

use std::collections::{HashMap, HashSet};

use crate::store::Token;

/// How many there were since the start, endpoint by endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnDead {
    counts: HashMap<u32, u64>,
    /// Attempts that come to one, and that the store may show already or not.
    unsettled: HashSet<Token>,
}

impl OwnDead {
    /// An attempt has come to one, and is about to be settled.
    pub fn end(&mut self, token: Token) {
        self.unsettled.insert(token);
    }

    /// It is settled. Whether it was one of these.
    pub fn settle(&mut self, token: Token) -> bool {
        let is_own = self.unsettled.remove(&token);
        if is_own {
            self.add(token.endpoint, 1);
        }
        is_own
    }

    /// So many of endpoint `number` were given up without an attempt.
    pub fn add(&mut self, number: u32, count: u64) {
        *self.counts.entry(number).or_default() += count;
    }

    /// Whether an attempt is about to come to one.
    pub fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// How many of endpoint `number` the store showed, if it was asked behind `before` and ahead of
    /// this; none, if one of them ended meanwhile: nobody knows on which side of the question.
    pub fn steady_since(&self, before: &Self, number: u32) -> Option<u64> {
        let ends = |own: &Self| own.unsettled.iter().any(|token| token.endpoint == number);
        let count = |own: &Self| own.counts.get(&number).copied().unwrap_or_default();
        let is_steady = !ends(before) && !ends(self) && count(before) == count(self);
        is_steady.then(|| count(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn token(endpoint: u32) -> Token {
        Token {
            endpoint,
            seq: 1,
            generation: 1,
        }
    }

    #[test]
    fn one_that_ends_while_the_store_is_asked_is_on_neither_side() {
        let mut own = OwnDead::default();
        let steady = |own: &OwnDead, before: &OwnDead| own.steady_since(before, 7);
        assert_eq!(steady(&own, &own.clone()), Some(0));
        let quiet = own.clone();
        own.end(token(7));
        let ending = own.clone();
        assert_eq!(steady(&own, &quiet), None);
        assert_eq!(steady(&own, &ending), None);
        assert!(own.settle(token(7)) && !own.settle(token(7)));
        assert_eq!(steady(&own, &quiet), None);
        assert_eq!(steady(&own, &ending), None);
        assert_eq!(steady(&own, &own.clone()), Some(1));
        own.end(token(8));
        assert_eq!(steady(&own, &own.clone()), Some(1), "of another endpoint");
    }
}
