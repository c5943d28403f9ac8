//! Routing that was put off: an endpoint with a long backlog leaves events in the log, and they are
//! routed to it when it has caught up.

use std::sync::MutexGuard;

use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::log::parts::Writer;
use crate::store::{EndpointCommand, StoreError};

/// How many events are looked at in one go.
const ROUTE_AHEAD: usize = 4_096;

impl<B: Backend> Log<B> {
    /// Routes what was left in the log to queues whose backlog has shrunk; some of it, and again
    /// with the next group, for which it rings.
    pub(in crate::store) fn route_ahead(&self, next_seq: Seq) -> Result<(), StoreError> {
        let wanting = self.shared().state.wanting_routing();
        for (number, from) in wanting {
            self.route_some(number, from, next_seq)?;
        }
        if !self.shared().state.wanting_routing().is_empty() {
            self.ring();
        }
        Ok(())
    }

    /// Before an endpoint changes: what it left in the log came under its old settings, and must be
    /// routed by them. Nothing is committed until the guard is dropped.
    pub(in crate::store) fn route_before(
        &self,
        command: &EndpointCommand,
    ) -> Result<Option<MutexGuard<'_, Writer>>, StoreError> {
        let (EndpointCommand::Update(number, _) | EndpointCommand::SetState(number, ..)) = command
        else {
            return Ok(None);
        };
        let unrouted = |number| {
            let shared = self.shared();
            let entry = shared.state.entry(number);
            entry.and_then(|entry| entry.queue.unrouted_from)
        };
        if unrouted(*number).is_none() {
            return Ok(None);
        }
        let writer = self.writer();
        while let Some(from) = unrouted(*number) {
            self.route_some(*number, from, writer.next_seq)?;
        }
        Ok(Some(writer))
    }

    /// Routes events from `from` on to one queue: some, and none at or above `end`.
    pub(in crate::store) fn route_some(
        &self,
        number: u32,
        from: Seq,
        end: Seq,
    ) -> Result<(), StoreError> {
        let most = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        let events = self.read_without_bodies(from, most.min(ROUTE_AHEAD))?;
        let until = events.last().map_or(end, |event| event.seq + 1);
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        let Some(entry) = shared.state.entry(number) else {
            return Ok(());
        };
        let filter = entry.endpoint.settings.filter.clone();
        let matching = events
            .iter()
            .filter(|event| filter.matches(&event.content))
            .map(|event| event.seq)
            .collect();
        let all = until > *self.tail.borrow();
        shared.state.routed(number, matching, until, all, now);
        drop(shared);
        self.wake();
        Ok(())
    }

    /// A record about an event shows that its queue had been routed that far; a queue that has
    /// left events in the log must catch up first, or it would deliver this one again.
    pub(in crate::store) fn catch_up(&self, endpoint: u32, seq: Seq) -> Result<(), StoreError> {
        loop {
            let from = {
                let shared = self.shared();
                let entry = shared.state.entry(endpoint);
                entry.and_then(|entry| entry.queue.unrouted_from)
            };
            match from {
                Some(from) if from <= seq => {
                    let until = (*self.tail.borrow() + 1).min(seq + 1);
                    self.route_some(endpoint, from, until)?;
                }
                _ => return Ok(()),
            }
        }
    }
}
