//! Changes of the registry of endpoints.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use crate::endpoint::{Endpoint, EndpointState};
use crate::id::{EndpointId, Seq};
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::log::parts::{Reply, Shared};
use crate::store::record::Transition;
use crate::store::{Effect, EndpointCommand, EndpointError, Ticket};

impl<B: Backend> Log<B> {
    /// See [`Store::endpoint`](crate::store::Store::endpoint).
    pub(in crate::store) fn change_registry(
        &self,
        command: EndpointCommand,
    ) -> Result<Ticket<Arc<Endpoint>>, EndpointError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error.into());
        }
        let _no_commits = self.route_before(&command)?;
        let (reply, ticket) = oneshot::channel();
        let mut shared = self.shared();
        let endpoint = self.change(&shared, command)?;
        let now = self.now(&mut shared);
        let transition = Transition::Endpoint(now, Box::new(endpoint.clone()));
        shared
            .replies
            .push(Reply::Endpoint(reply, Arc::new(endpoint)));
        self.record(&mut shared, now, transition, true);
        Ok(ticket)
    }

    /// See [`Store::find_endpoint`](crate::store::Store::find_endpoint).
    pub(in crate::store) fn find_named(&self, name_or_id: &str) -> Option<Arc<Endpoint>> {
        let shared = self.shared();
        if let Some(entry) = shared.state.named(name_or_id) {
            return Some(entry.endpoint.clone());
        }
        let id: EndpointId = name_or_id.parse().ok()?;
        let mut entries = shared.state.entries();
        let entry = entries.find(|entry| entry.endpoint.id == id);
        entry.map(|entry| entry.endpoint.clone())
    }

    /// The endpoint as `command` leaves it.
    pub(in crate::store) fn change(
        &self,
        shared: &Shared,
        command: EndpointCommand,
    ) -> Result<Endpoint, EndpointError> {
        // Events of the group that is being written were there before this.
        let committing = self.committing.load(Ordering::Acquire) as Seq;
        let next_seq = *self.tail.borrow() + 1 + committing;
        let name_is_free = |name: &str, number: Option<u32>| {
            let holder = shared.state.named(name).map(|e| e.endpoint.number);
            if holder.is_none() || holder == number {
                Ok(())
            } else {
                Err(EndpointError::NameTaken(name.to_owned()))
            }
        };
        let existing = |number: u32| {
            let entry = shared.state.entry(number);
            let entry = entry.ok_or_else(|| EndpointError::Unknown(number.to_string()))?;
            if entry.endpoint.state == EndpointState::Removed {
                return Err(EndpointError::Removed(entry.endpoint.settings.name.clone()));
            }
            Ok((*entry.endpoint).clone())
        };
        match command {
            EndpointCommand::Add(settings, state) => {
                name_is_free(&settings.name, None)?;
                if shared.state.present() >= self.options.endpoints_max {
                    return Err(EndpointError::TooMany(shared.state.present()));
                }
                let (number, now) = (shared.state.next_number(), self.clock.now());
                Ok(Endpoint {
                    number,
                    id: EndpointId::new(now, number, self.meta.tag),
                    revision: 1,
                    settings: *settings,
                    state,
                    state_reason: None,
                    created_at: now,
                    from_seq: next_seq,
                    until_seq: None,
                })
            }
            EndpointCommand::Update(number, settings) => {
                let mut endpoint = existing(number)?;
                name_is_free(&settings.name, Some(number))?;
                endpoint.revision += 1;
                endpoint.settings = *settings;
                Ok(endpoint)
            }
            EndpointCommand::SetState(number, state, reason) => {
                let mut endpoint = existing(number)?;
                endpoint.revision += 1;
                endpoint.state = state;
                endpoint.until_seq = (state == EndpointState::Removed).then_some(next_seq);
                endpoint.state_reason = reason;
                Ok(endpoint)
            }
        }
    }

    /// What an attempt means for its endpoint.
    pub(in crate::store) fn apply_effect(&self, shared: &mut Shared, number: u32, effect: Effect) {
        let (state, reason) = match effect {
            Effect::None => return,
            Effect::Pause(reason) => (EndpointState::Paused, reason),
            Effect::Remove(reason) => (EndpointState::Removed, reason),
        };
        let command = EndpointCommand::SetState(number, state, Some(reason));
        // Removed meanwhile by the operator: nothing is left to do.
        let Ok(endpoint) = self.change(shared, command) else {
            return;
        };
        let now = self.now(shared);
        let transition = Transition::Endpoint(now, Box::new(endpoint));
        self.record(shared, now, transition, true);
    }
}
