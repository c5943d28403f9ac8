//! What was told, by the events of the log that it was told with. Pure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::notice::{
    DEAD, DISK_LOW, DISK_RECOVERED, Data, FAILING, PAUSED, RECOVERED, REMOVED, RESUMED, What,
};
use crate::clock::Timestamp;
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::{Event, NewEvent};
use crate::id::{EndpointId, Seq};

/// What was told of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfEndpoint {
    /// Whether it was last told to fail, not to have recovered.
    pub is_failing: bool,
    /// The state that was last told.
    pub state: EndpointState,
    /// How many dead letters it had, when that was last told; fewer, if some were put back since,
    /// and more by those that are never told.
    pub dead_letters: u64,
    /// When dead letters were last told.
    pub dead_at: Option<Timestamp>,
    /// How many of those that are never told are among its dead letters since the start.
    #[serde(skip)]
    own_dead: u64,
}

/// Of one of which nothing was told.
impl Default for OfEndpoint {
    fn default() -> Self {
        Self {
            is_failing: false,
            state: EndpointState::Active,
            dead_letters: 0,
            dead_at: None,
            own_dead: 0,
        }
    }
}

/// What was told of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    endpoints: HashMap<EndpointId, OfEndpoint>,
    /// Whether the disk was last told to be low.
    disk_is_low: bool,
    /// The first operational event of the log.
    first: Option<Seq>,
    /// Another one with each change.
    #[serde(skip)]
    revision: u64,
}

impl Told {
    /// Takes in an event of the log, in its order.
    pub fn take(&mut self, event: &Event) {
        if event.content.is_operational() {
            self.first.get_or_insert(event.seq);
            self.take_new(&event.content);
        }
    }

    /// Another one with each change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes in an event that is on disk by now.
    pub fn take_new(&mut self, event: &NewEvent) {
        self.revision += 1;
        let Ok(data) = serde_json::from_slice::<Data>(&event.body) else {
            return;
        };
        match &*event.kind {
            DISK_LOW => self.disk_is_low = true,
            DISK_RECOVERED => self.disk_is_low = false,
            _ => {}
        }
        let Some(endpoint) = data.endpoint else {
            return;
        };
        let told = self.endpoints.entry(endpoint.id).or_default();
        match (&*event.kind, data.what) {
            (FAILING, _) => told.is_failing = true,
            (RECOVERED, _) => told.is_failing = false,
            (PAUSED, _) => told.state = EndpointState::Paused,
            (RESUMED, _) => told.state = EndpointState::Active,
            (REMOVED, _) => {
                told.state = EndpointState::Removed;
                told.is_failing = false;
            }
            (DEAD, What::Dead { dead_letters, .. }) => {
                told.dead_letters = dead_letters;
                told.dead_at = event.time;
            }
            _ => {}
        }
    }

    /// Whether an endpoint was removed before anybody was told anything.
    pub fn is_no_news(&self, removed: &Endpoint) -> bool {
        let until = removed.until_seq.unwrap_or_default();
        self.first.is_some_and(|first| until <= first)
    }

    /// The log has been read. Where it has no operational event, this is the first start that tells
    /// any: those that are removed by now are no news.
    pub fn begin(&mut self, removed: impl IntoIterator<Item = EndpointId>) {
        if self.first.is_none() {
            for endpoint in removed {
                self.endpoints.entry(endpoint).or_default().state = EndpointState::Removed;
            }
        }
    }

    /// Whether the disk was last told to be low.
    pub fn disk_is_low(&self) -> bool {
        self.disk_is_low
    }

    /// What was told of one.
    pub fn of(&self, endpoint: EndpointId) -> OfEndpoint {
        self.endpoints.get(&endpoint).copied().unwrap_or_default()
    }

    /// `count` of its dead letters since the start are operational events, which are as good as told.
    pub fn take_own_dead(&mut self, endpoint: EndpointId, count: u64) {
        if self.of(endpoint).own_dead != count {
            let told = self.endpoints.entry(endpoint).or_default();
            told.dead_letters += count.saturating_sub(told.own_dead);
            told.own_dead = count;
            self.revision += 1;
        }
    }

    /// Dead letters that were put back may be told anew when they die again; those that have expired
    /// are no part of the count any more.
    pub fn forget_dead(&mut self, endpoint: EndpointId, left: u64) {
        let told = self.endpoints.get_mut(&endpoint);
        if let Some(told) = told.filter(|told| told.dead_letters > left) {
            told.dead_letters = left;
            self.revision += 1;
        }
    }
}
