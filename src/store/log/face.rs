//! The face of the log: each method of [`Store`] goes to the room that does it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::Log;
use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::event::{Event, NewEvent};
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::backup::{BackupError, Cursor, Have};
use crate::store::commit::Saving;
use crate::store::{
    AppendError, Appended, Claim, DeliveryQuery, DeliveryView, Depth, Discarded, EndedQuery,
    EndpointCommand, EndpointError, EndpointView, Figures, FoundDelivery, Maintained, Page,
    QueueView, ReplayRequest, SettleError, Settlement, Skipped, Store, StoreError, Ticket, Token,
    Undelivered, UndeliveredQuery,
};

/// How many attempts a delivery shows.
const MAX_ATTEMPTS_SHOWN: usize = 1_000;

impl<B: Backend> Store for Log<B> {
    fn append(&self, events: Vec<NewEvent>) -> Result<Ticket<Vec<Appended>>, AppendError> {
        self.take_in(events)
    }

    fn find_by_key(&self, source: &str, key: &str) -> Result<Option<Appended>, StoreError> {
        self.find_original(source, key)
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_events(from, limit)
    }

    fn read_back(&self, until: Seq, limit: usize) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_events_back(until, limit)
    }

    fn event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        self.read_event(seq)
    }

    fn claim(&self, max: usize) -> Result<Vec<Claim>, StoreError> {
        self.claim_due(max)
    }

    fn look_for_work(&self) {
        let may_claim = {
            let shared = self.shared();
            shared.state.has_ready() && shared.state.in_flight() < self.options.in_flight_max
        };
        if may_claim {
            self.wake();
        }
    }

    fn settle(&self, token: Token, settlement: Settlement) -> Result<(), SettleError> {
        self.settle_claim(token, settlement)
    }

    fn release(&self, token: Token) -> Result<(), SettleError> {
        self.release_claim(token)
    }

    fn endpoint(&self, command: EndpointCommand) -> Result<Ticket<Arc<Endpoint>>, EndpointError> {
        self.change_registry(command)
    }

    fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.endpoint_views(None)
    }

    fn queues(&self) -> Vec<QueueView> {
        self.queue_views()
    }

    fn endpoint_view(&self, number: u32) -> Result<Option<EndpointView>, StoreError> {
        Ok(self.endpoint_views(Some(number))?.pop())
    }

    fn find_endpoint(&self, name_or_id: &str) -> Option<Arc<Endpoint>> {
        self.find_named(name_or_id)
    }

    fn replay(&self, request: ReplayRequest) -> Result<u64, StoreError> {
        self.replay_deliveries(&request)
    }

    fn find_ended(&self, query: &EndedQuery) -> Result<Page<FoundDelivery, Seq>, StoreError> {
        self.find_ended_deliveries(query)
    }

    fn put_back(&self, endpoint: u32, deliveries: &[FoundDelivery]) -> Result<u64, StoreError> {
        self.put_back_deliveries(endpoint, deliveries)
    }

    fn find_undelivered(&self, query: &UndeliveredQuery) -> Result<Undelivered, StoreError> {
        self.find_undelivered_deliveries(query)
    }

    fn discard(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
        reason: &str,
    ) -> Result<Discarded, StoreError> {
        self.discard_deliveries(endpoint, deliveries, reason)
    }

    fn give_up(&self, endpoint: u32, seq: Seq, why: Option<&str>) -> Result<bool, StoreError> {
        self.give_up_delivery(endpoint, seq, why)
    }

    fn retry_waiting(&self, endpoint: u32) -> Result<u64, StoreError> {
        self.retry_what_waits(endpoint)
    }

    fn position_at(&self, moment: Timestamp) -> Result<Seq, StoreError> {
        self.first_received_at_or_after(moment)
    }

    fn delivery(&self, endpoint: u32, seq: Seq) -> Result<Option<DeliveryView>, StoreError> {
        self.save_settlements()?;
        self.delivery_view(endpoint, seq, MAX_ATTEMPTS_SHOWN)
    }

    fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView, (Seq, u32)>, StoreError> {
        self.list_deliveries(query)
    }

    fn begin_backup(&self, have: &Have) -> Result<Cursor, BackupError> {
        self.cursor(have)
    }

    fn figures(&self) -> Figures {
        self.figures_now()
    }

    fn read_backup(&self, cursor: &mut Cursor) -> Result<Option<Vec<u8>>, BackupError> {
        self.read_on(cursor)
    }

    fn expired_at(&self, seq: Seq) -> Option<Timestamp> {
        self.shared().state.expired.at(seq)
    }

    fn expired_within(&self, from: Seq, to: Seq) -> Option<Skipped> {
        self.shared().state.expired.within(from, to)
    }

    fn maintain(&self) -> Result<Maintained, StoreError> {
        self.maintain_now()
    }

    fn depth(&self) -> Depth {
        self.present_depth()
    }

    fn live(&self, claims: &[Token]) -> usize {
        self.count_live(claims)
    }

    fn commit(&self) -> Result<bool, StoreError> {
        self.commit_next(Saving::Events)
    }

    fn save(&self) -> Result<(), StoreError> {
        self.save_settlements()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    fn tail(&self) -> watch::Receiver<Seq> {
        self.tail.subscribe()
    }

    fn stopped(&self) -> watch::Receiver<Option<StoreError>> {
        self.stopped.subscribe()
    }

    fn is_disk_full(&self) -> bool {
        self.look_at_the_disk();
        self.disk_is_full.load(Ordering::Acquire)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.write_everything()
    }
}
