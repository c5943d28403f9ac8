//! Taking events in, or saying why not.

use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::inbox::{Pushed, Request};
use crate::event::NewEvent;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::{AppendError, Appended, StoreError, Ticket};

impl<B: Backend> Log<B> {
    /// See [`Store::append`](crate::store::Store::append).
    pub(in crate::store) fn take_in(
        &self,
        events: Vec<NewEvent>,
    ) -> Result<Ticket<Vec<Appended>>, AppendError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error.into());
        }
        if self.disk_is_full.load(Ordering::Acquire) {
            self.look_at_the_disk();
            if self.disk_is_full.load(Ordering::Acquire) {
                let reserve_bytes = self.options.disk_reserve_bytes;
                return Err(AppendError::DiskFull { reserve_bytes });
            }
        }
        let (reply, ticket) = oneshot::channel();
        let (max_events, max_bytes) = (self.options.queue_max_events, self.options.queue_max_bytes);
        match self
            .inbox
            .push(Request { events, reply }, max_events, max_bytes)
        {
            Pushed::Yes => Ok(ticket),
            Pushed::Full => Err(AppendError::Full),
            Pushed::Closed => Err(StoreError::Stopped("it is being closed".to_owned()).into()),
        }
    }

    /// See [`Store::find_by_key`](crate::store::Store::find_by_key).
    pub(in crate::store) fn find_original(
        &self,
        source: &str,
        key: &str,
    ) -> Result<Option<Appended>, StoreError> {
        let moment = self.clock.moment();
        // Held while a group is written: what is found is on disk, unless writing it failed.
        let writer = self.writer();
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let hash = writer.dedupe.hash_of(source, key);
        let seen = writer.dedupe.find(hash, moment);
        Ok(seen.map(|seen| seen.answered(self.meta.tag, true)))
    }
}
