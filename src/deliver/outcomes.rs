//! How attempts end, told to whoever watches while it happens. The truth is in the store: who comes
//! late, or falls behind, reads it there.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Status};
use crate::endpoint::Endpoint;
use crate::id::{DeliveryId, EventId};
use crate::store::{Claim, Outcome, Settlement};

/// What a watcher may be behind before it misses something.
const BEHIND_MAX: usize = 1024;

/// The end of one attempt.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Of which event. Not the event itself: its body would be kept for whoever is behind.
    pub event: EventId,
    /// Its type.
    pub kind: Arc<str>,
    /// To which endpoint.
    pub endpoint: Arc<Endpoint>,
    /// How the delivery stands now.
    pub status: Status,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// The attempt.
    pub attempt: Attempt,
}

/// Where the ends of attempts are told.
#[derive(Clone, Debug)]
pub struct Outcomes {
    told: broadcast::Sender<Arc<Ended>>,
    untold: watch::Sender<u64>,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            told: broadcast::Sender::new(BEHIND_MAX),
            untold: watch::Sender::new(0),
        }
    }
}

impl Outcomes {
    /// Everything that ends from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Ended>> {
        self.told.subscribe()
    }

    /// Changes when an attempt may have ended without being told to somebody who had just begun to
    /// [`watch`](Self::watch): he has to look in the store once more.
    pub fn untold(&self) -> watch::Receiver<u64> {
        self.untold.subscribe()
    }

    /// Deliveries have ended without an attempt: whoever watches has to look in the store.
    pub fn miss(&self) {
        if self.are_watched() {
            self.untold.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn are_watched(&self) -> bool {
        self.told.receiver_count() > 0
    }

    /// Tells an end that is settled; none where nobody watched before it was.
    pub(super) fn tell(&self, ended: Option<Ended>) {
        match ended {
            // The last watcher may have gone meanwhile.
            Some(ended) => drop(self.told.send(Arc::new(ended))),
            // He may have read the store before it was settled.
            None => self.miss(),
        }
    }
}

impl Ended {
    pub(super) fn of(claim: &Claim, settlement: &Settlement) -> Self {
        let ended_at = settlement.attempt.ended_at;
        let (status, next_attempt_at) = match settlement.outcome {
            Outcome::Delivered => (Status::Delivered, None),
            Outcome::Dead => (Status::Dead, None),
            Outcome::Gone => (Status::Removed, None),
            Outcome::Retry { after } => (Status::Waiting, Some(ended_at.plus(after))),
        };
        Self {
            delivery: DeliveryId::new(claim.event.id, claim.endpoint.number),
            event: claim.event.id,
            kind: claim.event.content.kind.clone(),
            endpoint: claim.endpoint.clone(),
            status,
            next_attempt_at,
            attempt: settlement.attempt.clone(),
        }
    }
}
