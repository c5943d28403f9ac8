//! Looking for deliveries that have not arrived: what is queued for an endpoint, and its dead letters.

use std::collections::BTreeSet;

use crate::delivery::Status;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::commit::Saving;
use crate::store::log::Log;
use crate::store::{FoundDelivery, Store, StoreError, Undelivered, UndeliveredQuery};

/// Deliveries looked at in one go.
const DELIVERIES_PER_LOOK: usize = 1_024;

/// How a delivery stands that may be given up.
enum Standing {
    /// As it was found.
    Found(FoundDelivery),
    /// An attempt is under way that may end as it is asked for: nothing can be said of it yet.
    UnderWay,
    /// In none of the states that are asked for.
    Other,
}

/// Where to look, and how far the look went.
struct Candidates {
    queued: BTreeSet<Seq>,
    dead: BTreeSet<Seq>,
    /// Everything below this was looked at.
    until: Seq,
}

impl<B: Backend> Log<B> {
    /// See [`Store::find_undelivered`].
    pub(in crate::store) fn find_undelivered_deliveries(
        &self,
        query: &UndeliveredQuery,
    ) -> Result<Undelivered, StoreError> {
        let _turn = self.replay_turn();
        self.save_settlements()?;
        let end = query.until.min(*self.tail().borrow());
        if query.from > end {
            return Ok(Undelivered::default());
        }
        let candidates = self.candidates(query, end)?;
        if candidates.until == query.from {
            // The backlog has to be routed before anything of it can be given up.
            self.commit_next(Saving::Everything)?;
        }
        let (mut items, mut under_way, mut next) = (Vec::new(), Vec::new(), candidates.until);
        for seq in candidates.queued.union(&candidates.dead).copied() {
            if seq >= candidates.until {
                break;
            }
            if items.len() >= query.limit {
                next = seq;
                break;
            }
            let was_queued = candidates.queued.contains(&seq);
            let standing = self.standing(query, seq, was_queued)?;
            if matches!(standing, Standing::Other) || !self.is_wanted(query, seq)? {
                continue;
            }
            match standing {
                Standing::Found(found) => items.push(found),
                // Who waited for it here would let everything behind it out meanwhile.
                Standing::UnderWay => under_way.push(seq),
                Standing::Other => {}
            }
        }
        let next = (next <= end).then_some(next);
        Ok(Undelivered {
            items,
            under_way,
            next,
        })
    }

    fn candidates(&self, query: &UndeliveredQuery, end: Seq) -> Result<Candidates, StoreError> {
        let mut found = Candidates {
            queued: BTreeSet::new(),
            dead: BTreeSet::new(),
            until: end + 1,
        };
        if query.only.is_none() && query.statuses.contains(&Status::Dead) {
            let (dead, until) = self.dead_from(query.endpoint, query.from, end)?;
            found.dead = dead.into_iter().collect();
            found.until = until;
        }
        if query.only.is_none() && query.statuses.iter().all(|status| *status == Status::Dead) {
            return Ok(found);
        }
        let shared = self.shared();
        if let Some(entry) = shared.state.entry(query.endpoint) {
            found.queued = match &query.only {
                // One of them that is not queued any more may have become a dead letter.
                Some(only) => only
                    .range(query.from..=end)
                    .copied()
                    .take(DELIVERIES_PER_LOOK)
                    .collect(),
                None => {
                    BTreeSet::from_iter(entry.queue.queued_from(query.from, DELIVERIES_PER_LOOK))
                }
            };
            if let (Some(last), DELIVERIES_PER_LOOK) = (found.queued.last(), found.queued.len()) {
                found.until = found.until.min(last + 1);
            }
            if let Some(unrouted) = entry.queue.unrouted_from {
                found.until = found.until.min(unrouted.max(query.from));
            }
        }
        Ok(found)
    }

    fn standing(
        &self,
        query: &UndeliveredQuery,
        seq: Seq,
        was_queued: bool,
    ) -> Result<Standing, StoreError> {
        let queued = {
            let shared = self.shared();
            shared
                .state
                .entry(query.endpoint)
                .and_then(|entry| entry.queue.status(seq))
        };
        let asked = |status: Status| query.statuses.contains(&status);
        Ok(match queued {
            // It waits again if it fails, or is a dead letter.
            Some((Status::InFlight, _)) if asked(Status::Waiting) || asked(Status::Dead) => {
                Standing::UnderWay
            }
            Some((status, waiting)) if asked(status) => Standing::Found(FoundDelivery {
                seq,
                attempts: waiting.map_or(0, |waiting| waiting.attempts),
                was_dead: false,
                frame: 0,
            }),
            Some(_) => Standing::Other,
            None if asked(Status::Dead) => {
                if was_queued {
                    // It has ended a moment ago.
                    self.save_settlements()?;
                }
                let dead = self.dead_letter(query.endpoint, seq)?;
                dead.map_or(Standing::Other, Standing::Found)
            }
            None => Standing::Other,
        })
    }

    fn is_wanted(&self, query: &UndeliveredQuery, seq: Seq) -> Result<bool, StoreError> {
        match &query.kinds {
            Some(kinds) => self.is_of_kind(seq, kinds),
            None => Ok(true),
        }
    }
}
