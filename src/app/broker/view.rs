//! What a running broker is asked for.

use std::sync::Arc;

use tokio::sync::watch;

use super::Broker;
use crate::api::Front;
use crate::clock::SharedClock;
use crate::deliver::advance::Advance;
use crate::deliver::faults::Faults;
use crate::deliver::outcomes::Outcomes;
use crate::store::{Store, StoreError};

impl Broker {
    /// What answers requests.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Its clock.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What moves its clock, if that is a manual one.
    pub fn advance(&self) -> &Arc<Advance> {
        &self.advance
    }

    /// How its attempts end.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// What does faults on demand, if there is a plan.
    pub fn faults(&self) -> Option<&Arc<Faults>> {
        self.faults.as_ref()
    }

    /// Turns true when it begins to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Resolves if the store stops for good, or nothing is delivered from it any more: then nothing
    /// is left but to end the process.
    pub async fn failed(&self) -> StoreError {
        let unknown = || StoreError::Stopped("for an unknown reason".to_owned());
        let (mut stopped, mut undelivered) = (self.store.stopped(), self.undelivered.clone());
        tokio::select! {
            Ok(error) = stopped.wait_for(Option::is_some) => error.clone().unwrap_or_else(unknown),
            // No sender: the dispatcher has panicked.
            error = undelivered.wait_for(Option::is_some) => {
                error.ok().and_then(|error| error.clone()).unwrap_or_else(unknown)
            }
        }
    }
}
