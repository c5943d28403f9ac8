//! Lists: deliveries by page, endpoints with how they are getting on.

use std::collections::BTreeSet;

use crate::delivery::Status;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::projection::state::Entry;
use crate::store::record::key;
use crate::store::{DeliveryQuery, DeliveryView, EndpointView, Page, QueueView, Store, StoreError};

/// How many (event, endpoint) pairs one page of a list may look at, so that a rare status in a
/// long log gives a short page and a cursor instead of a long wait.
const PAIRS_PER_PAGE: usize = 2_000;

/// How many attempts of a delivery a list shows; the delivery by itself shows more.
const ATTEMPTS_PER_LISTED: usize = 20;

impl<B: Backend> Log<B> {
    pub(in crate::store) fn list_deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.save_settlements()?;
        let wanted = |status: Status| match query.statuses.as_slice() {
            [] => status != Status::Filtered,
            statuses => statuses.contains(&status),
        };
        let limit = query.limit.max(1);
        let pairs = self.pairs(query, limit)?;
        let (mut items, mut next, mut selected) = (Vec::new(), None, None);
        for (looked_at, pair) in pairs.iter().enumerate() {
            if items.len() >= limit || looked_at >= PAIRS_PER_PAGE {
                break;
            }
            next = Some(*pair);
            let ruled_out = self.is_ruled_out(query, *pair, wanted);
            if ruled_out || !self.is_selected(query, pair.0, &mut selected)? {
                continue;
            }
            let view = self.delivery_view(pair.1, pair.0, ATTEMPTS_PER_LISTED)?;
            items.extend(view.filter(|view| wanted(view.status) && query.is_answered_so(view)));
        }
        if next == pairs.last().copied() && pairs.len() < PAIRS_PER_PAGE {
            next = None;
        }
        Ok(Page { items, next })
    }

    /// Whether what is in memory says that a delivery is in no state that is wanted: then none of
    /// its attempts has to be read.
    fn is_ruled_out(
        &self,
        query: &DeliveryQuery,
        (seq, number): (Seq, u32),
        wanted: impl Fn(Status) -> bool,
    ) -> bool {
        let shared = self.shared();
        let Some(entry) = shared.state.entry(number) else {
            return false;
        };
        match entry.queue.status(seq) {
            Some((status, _)) => !wanted(status),
            // Alone they are removed by an operator only, and counted.
            None => {
                query.statuses == [Status::Removed]
                    && entry.endpoint.state != EndpointState::Removed
                    && entry.queue.ended.removed == 0
            }
        }
    }

    /// Whether the list is of this event; `known` is what was found of the one before, which has as
    /// many pairs as there are endpoints.
    fn is_selected(
        &self,
        query: &DeliveryQuery,
        seq: Seq,
        known: &mut Option<(Seq, bool)>,
    ) -> Result<bool, StoreError> {
        let Some(filter) = &query.events else {
            return Ok(true);
        };
        if let Some((of, selected)) = *known
            && of == seq
        {
            return Ok(selected);
        }
        let event = self.read_event(seq)?;
        let subject = event
            .as_ref()
            .map(|event| filter.on.subject(&event.content));
        let selected = subject.is_some() && filter.selects(subject);
        *known = Some((seq, selected));
        Ok(selected)
    }

    /// The (event, endpoint) pairs that a page looks at, newest event first.
    fn pairs(&self, query: &DeliveryQuery, limit: usize) -> Result<Vec<(Seq, u32)>, StoreError> {
        let last = *self.tail().borrow();
        let (first, highest) = match &query.seqs {
            Some(seqs) => (*seqs.start().max(&1), last.min(*seqs.end())),
            None => (1, last),
        };
        let (bound, bound_endpoint) = query.after.unwrap_or((highest + 1, 0));
        let numbers: Vec<u32> = {
            let shared = self.shared();
            let all = shared.state.entries().map(|entry| entry.endpoint.number);
            all.filter(|n| query.endpoint.is_none_or(|wanted| wanted == *n))
                .collect()
        };
        let indexed = |status: &Status| {
            use Status::{Dead, InFlight, Pending, Waiting};
            matches!(status, Pending | Waiting | InFlight | Dead)
        };
        if !query.statuses.is_empty() && query.statuses.iter().all(indexed) {
            let mut pairs = BTreeSet::new();
            // Of those that a filter leaves out, none must look like the end of the list.
            let dead_max = match (&query.events, query.last_status) {
                (None, None) => limit + 1,
                _ => PAIRS_PER_PAGE,
            };
            for number in &numbers {
                // Neither list may hold what earlier pages had: with it, a list that is cut at its
                // limit would look like one that is at its end.
                let shown = query.after.is_none() || *number <= bound_endpoint;
                let below = if shown {
                    bound
                } else {
                    bound.saturating_add(1)
                };
                let shared = self.shared();
                if let Some(entry) = shared.state.entry(*number) {
                    let queued = entry.queue.queued_below(below, PAIRS_PER_PAGE, |status| {
                        query.statuses.contains(&status)
                    });
                    pairs.extend(
                        queued
                            .into_iter()
                            .map(|seq| (std::cmp::Reverse(seq), *number)),
                    );
                }
                drop(shared);
                if query.statuses.contains(&Status::Dead) {
                    let dead = self.dead_below(*number, below, dead_max)?;
                    pairs.extend(
                        dead.into_iter()
                            .map(|seq| (std::cmp::Reverse(seq), *number)),
                    );
                }
            }
            let pairs = pairs.into_iter().map(|(seq, number)| (seq.0, number));
            let pairs = pairs.filter(|(seq, _)| *seq >= first);
            return Ok(pairs.take(PAIRS_PER_PAGE).collect());
        }
        let behind = |pair: &(Seq, u32)| {
            query.after.is_none() || pair.0 < bound || (pair.0 == bound && pair.1 > bound_endpoint)
        };
        // One more than a page has of them: the first may have been on the page before.
        let most = PAIRS_PER_PAGE / numbers.len().max(1) + 2;
        let until = bound.min(highest);
        let kept = self.shared().state.kept_back(first, until, most);
        let pairs = kept
            .into_iter()
            .flat_map(|seq| numbers.iter().map(move |number| (seq, *number)));
        Ok(pairs.filter(behind).take(PAIRS_PER_PAGE).collect())
    }

    /// Up to `limit` dead letters of one endpoint below `bound`, newest first.
    pub(in crate::store) fn dead_below(
        &self,
        endpoint: u32,
        bound: Seq,
        limit: usize,
    ) -> Result<Vec<Seq>, StoreError> {
        let prefix = &key::dead(endpoint, 0)[..5];
        let entries = self
            .backend
            .scan_back(prefix, &key::dead(endpoint, bound), limit)?;
        Ok(entries
            .iter()
            .filter_map(|(entry, _)| key::number(entry, 5))
            .collect())
    }

    /// Every endpoint, or the one numbered `only`, and how each is getting on.
    pub(in crate::store) fn endpoint_views(
        &self,
        only: Option<u32>,
    ) -> Result<Vec<EndpointView>, StoreError> {
        // What is shown survives a crash: a removal that is seen must not come undone.
        self.save_settlements()?;
        let views: Vec<(EndpointView, Option<Seq>)> = {
            let shared = self.shared();
            let view = |entry: &Entry| {
                let view = EndpointView {
                    endpoint: entry.endpoint.clone(),
                    backlog: entry.queue.backlog(),
                    oldest_waiting_at: None,
                    next_attempt_at: entry.queue.next_due(),
                    ended: entry.queue.ended,
                };
                (view, entry.queue.oldest())
            };
            match only {
                Some(number) => shared.state.entry(number).map(view).into_iter().collect(),
                None => shared.state.entries().map(view).collect(),
            }
        };
        views
            .into_iter()
            .map(|(mut view, oldest)| {
                if let Some(seq) = oldest {
                    // One that cannot be read must not hide the endpoint.
                    let event = self.read_event(seq).ok().flatten();
                    view.oldest_waiting_at = event.map(|event| event.received_at);
                }
                Ok(view)
            })
            .collect()
    }

    /// See [`Store::queues`].
    pub(in crate::store) fn queue_views(&self) -> Vec<QueueView> {
        let shared = self.shared();
        let view = |entry: &Entry| QueueView {
            endpoint: entry.endpoint.clone(),
            pending: entry.queue.pending(),
            waiting: entry.queue.waiting(),
            in_flight: entry.queue.in_flight() as u64,
            oldest: entry.queue.oldest(),
            ended: entry.queue.ended,
        };
        shared.state.entries().map(view).collect()
    }
}
