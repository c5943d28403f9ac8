//! What a snapshot keeps of a queue.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Ended, Queue, SeqSet, Waiting};
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::Seq;

/// What a snapshot keeps of a queue: an attempt in flight is kept as due at once, or as
/// removed with its endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueSnapshot {
    pending: SeqSet,
    waiting: Vec<(Seq, Waiting)>,
    unrouted_from: Option<Seq>,
    ended: Ended,
}

impl Queue {
    /// What a snapshot keeps.
    pub fn snapshot(&self) -> QueueSnapshot {
        let mut pending = self.pending.clone();
        let mut waiting: BTreeMap<Seq, Waiting> = self.waiting.iter().collect();
        let mut ended = self.ended;
        for (seq, claim) in &self.in_flight {
            if self.state == EndpointState::Removed {
                // As a rebuild counts it, until the record of its end says otherwise.
                ended.removed += 1;
            } else if claim.attempts == 0 {
                pending.insert(*seq);
            } else {
                let due_at_once = Waiting {
                    failures: claim.failures,
                    attempts: claim.attempts,
                    due: Timestamp::from_millis(0),
                    delay: Duration::ZERO,
                };
                waiting.insert(*seq, due_at_once);
            }
        }
        QueueSnapshot {
            pending,
            waiting: waiting.into_iter().collect(),
            unrouted_from: self.unrouted_from,
            ended,
        }
    }

    /// The queue that `snapshot` was taken of.
    pub fn restore(&mut self, snapshot: QueueSnapshot) {
        self.pending = snapshot.pending;
        self.unrouted_from = snapshot.unrouted_from;
        self.ended = snapshot.ended;
        for (seq, waiting) in snapshot.waiting {
            self.waiting.insert(seq, waiting);
        }
    }
}
