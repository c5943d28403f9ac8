//! What is told, as an event for the log. Pure.

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::streak::{Dead, Failure, Streak};
use crate::clock::Timestamp;
use crate::endpoint::{Endpoint, EndpointState};
use crate::event::{Form, NewEvent, OPERATIONS_SOURCE};
use crate::id::{DeliveryId, EndpointId, EventId};

/// Every attempt has failed for a while.
pub const FAILING: &str = "endpoint.failing";
/// An endpoint that was failing has taken a delivery.
pub const RECOVERED: &str = "endpoint.recovered";
/// It is sent nothing, by the operator's wish or because of an answer.
pub const PAUSED: &str = "endpoint.paused";
/// It goes on.
pub const RESUMED: &str = "endpoint.resumed";
/// It is gone for good.
pub const REMOVED: &str = "endpoint.removed";
/// The store's disk has little room left.
pub const DISK_LOW: &str = "store.disk_low";
/// It has room again.
pub const DISK_RECOVERED: &str = "store.disk_recovered";
/// Deliveries were given up.
pub const DEAD: &str = "delivery.dead";

const JSON: &str = "application/json";

/// `data` of every operational event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Which endpoint; none, if it is about the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Named>,
    /// What there is to say.
    #[serde(flatten)]
    pub what: What,
}

/// An endpoint by its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: EndpointId,
    /// Its name at the time.
    pub name: String,
}

/// What there is to say, by the type of the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum What {
    /// [`DISK_LOW`], [`DISK_RECOVERED`].
    Disk {
        /// Bytes that are left.
        free_bytes: u64,
        /// Below so many no event is taken.
        reserve_bytes: u64,
    },
    /// [`DEAD`].
    Dead {
        /// How many more there are than when this was last told.
        count: u64,
        /// How many there are.
        dead_letters: u64,
        /// Why the last one was given up, unless it was before a start.
        #[serde(default)]
        reason: Option<String>,
        /// The last one, unless it was before a start.
        last: Option<Last>,
    },
    /// [`FAILING`].
    Failing {
        /// When the first attempt failed.
        since: Timestamp,
        /// How many have failed since, and none succeeded.
        failed_attempts: u64,
        /// The last one.
        last: Last,
        /// Deliveries that have not ended.
        backlog: u64,
    },
    /// [`RECOVERED`].
    Recovered {
        /// When an attempt succeeded.
        recovered_at: Timestamp,
        /// Deliveries that have not ended.
        backlog: u64,
    },
    /// [`PAUSED`], [`RESUMED`], [`REMOVED`].
    State {
        /// Why, if it was not the operator's wish.
        reason: Option<String>,
        /// Deliveries that have not ended.
        backlog: u64,
    },
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Last {
    /// At which delivery.
    pub delivery_id: DeliveryId,
    /// Of which event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// Which attempt it was; of a delivery that was given up without one, how many it had.
    pub attempt: u32,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// What went wrong, if no usable answer came.
    pub error: Option<String>,
}

impl From<Failure> for Last {
    fn from(failure: Failure) -> Self {
        Self {
            delivery_id: failure.delivery,
            event_id: failure.event,
            event_type: failure.kind,
            attempt: failure.attempt,
            status: failure.status,
            error: failure.error,
        }
    }
}

/// Something that is to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The type of its event.
    pub kind: &'static str,
    /// Its data.
    pub data: Data,
    /// Tells it from every other one.
    pub key: String,
}

impl Notice {
    fn new(kind: &'static str, endpoint: &Endpoint, which: impl ToString, what: What) -> Self {
        Self {
            kind,
            key: format!("{kind}:{}:{}", endpoint.id, which.to_string()),
            data: Data {
                endpoint: Some(Named {
                    id: endpoint.id,
                    name: endpoint.settings.name.clone(),
                }),
                what,
            },
        }
    }

    /// The disk is low or has recovered, as `kind` says, at `now`.
    pub fn disk(kind: &'static str, disk: Disk, now: Timestamp) -> Self {
        Self {
            kind,
            key: format!("{kind}:{}", now.as_millis()),
            data: Data {
                endpoint: None,
                what: What::Disk {
                    free_bytes: disk.free_bytes,
                    reserve_bytes: disk.reserve_bytes,
                },
            },
        }
    }

    /// It fails.
    pub fn failing(endpoint: &Endpoint, streak: &Streak, backlog: u64) -> Self {
        let what = What::Failing {
            since: streak.since,
            failed_attempts: streak.attempts,
            last: streak.last.clone().into(),
            backlog,
        };
        Self::new(FAILING, endpoint, streak.since.as_millis(), what)
    }

    /// It has recovered.
    pub fn recovered(endpoint: &Endpoint, recovered_at: Timestamp, backlog: u64) -> Self {
        let what = What::Recovered {
            recovered_at,
            backlog,
        };
        Self::new(RECOVERED, endpoint, recovered_at.as_millis(), what)
    }

    /// Its state is another.
    pub fn state(endpoint: &Endpoint, backlog: u64) -> Self {
        let kind = match endpoint.state {
            EndpointState::Active => RESUMED,
            EndpointState::Paused => PAUSED,
            EndpointState::Removed => REMOVED,
        };
        let reason = endpoint.state_reason.clone();
        let what = What::State { reason, backlog };
        Self::new(kind, endpoint, endpoint.revision, what)
    }

    /// It has more dead letters than were told.
    pub fn dead(
        endpoint: &Endpoint,
        (count, dead_letters): (u64, u64),
        dead: Option<Dead>,
        now: Timestamp,
    ) -> Self {
        let (reason, last) = dead.map(|dead| (dead.reason, dead.last.into())).unzip();
        let what = What::Dead {
            count,
            dead_letters,
            reason,
            last,
        };
        Self::new(DEAD, endpoint, now.as_millis(), what)
    }

    /// Its event, told at `now`.
    pub fn event(&self, now: Timestamp) -> NewEvent {
        NewEvent {
            source: OPERATIONS_SOURCE.into(),
            kind: self.kind.into(),
            subject: self.data.endpoint.as_ref().map(|it| it.id.to_string()),
            time: Some(now),
            content_type: JSON.into(),
            form: Form::Data,
            // What is serialized here has text keys only.
            body: serde_json::to_vec(&self.data).unwrap_or_default().into(),
            status: None,
            idempotency_key: Some(self.key.clone()),
        }
    }
}
