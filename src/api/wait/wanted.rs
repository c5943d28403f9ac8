//! Which deliveries somebody waits for.

use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::endpoint::Filter;
use crate::id::Seq;
use crate::store::DeliveryQuery;

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// To this endpoint, by its number.
    pub endpoint: Option<u32>,
    /// Of events that this selects.
    pub events: Option<Filter>,
    /// Of this event.
    pub seq: Option<Seq>,
    /// In one of these states; empty means all but `Filtered`, as in a list.
    pub statuses: Vec<Status>,
}

impl Wanted {
    /// Whether a delivery in this state is wanted.
    pub(super) fn takes(&self, status: Status) -> bool {
        match self.statuses.as_slice() {
            [] => status != Status::Filtered,
            statuses => statuses.contains(&status),
        }
    }

    /// Asks for them.
    pub(super) fn query(&self) -> DeliveryQuery {
        DeliveryQuery {
            endpoint: self.endpoint,
            events: self.events.clone(),
            seqs: self.seq.map(|seq| seq..=seq),
            statuses: self.statuses.clone(),
            ..DeliveryQuery::default()
        }
    }

    /// Whether the attempt was one of a delivery that is wanted, in whichever state.
    pub(super) fn concerns(&self, ended: &Ended) -> bool {
        let selects = |filter: &Filter| filter.selects(Some(&ended.kind));
        self.endpoint.is_none_or(|n| n == ended.endpoint.number)
            && self.seq.is_none_or(|seq| seq == ended.event.seq())
            && self.events.as_ref().is_none_or(selects)
    }
}
