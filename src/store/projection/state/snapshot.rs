//! What a snapshot keeps of the state.

use serde::{Deserialize, Serialize};

use super::State;
use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::id::Seq;
use crate::store::projection::queue::QueueSnapshot;

/// What a snapshot keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StateSnapshot<E = Endpoint> {
    next_number: u32,
    lost: Vec<(Seq, Seq)>,
    entries: Vec<(E, QueueSnapshot)>,
}

impl StateSnapshot {
    /// Every endpoint.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.entries.iter().map(|(endpoint, _)| endpoint)
    }
}

impl<E> StateSnapshot<E> {
    /// The same with another form of its endpoints.
    pub fn map<F>(self, mut form: impl FnMut(E) -> F) -> StateSnapshot<F> {
        let entries = self.entries.into_iter();
        StateSnapshot {
            next_number: self.next_number,
            lost: self.lost,
            entries: entries.map(|(it, queue)| (form(it), queue)).collect(),
        }
    }

    /// First and last of each range that was given up for lost.
    pub fn lost(&self) -> &[(Seq, Seq)] {
        &self.lost
    }

    /// The position before those at and right before `seq` that were given up for lost.
    pub fn before_the_lost(&self, seq: Seq) -> Seq {
        let holds = |(from, to): &&(Seq, Seq)| *from <= seq && seq <= *to;
        self.lost
            .iter()
            .find(holds)
            .map_or(seq, |(from, _)| from - 1)
    }
}

impl State {
    /// What a snapshot keeps.
    pub fn snapshot(&self) -> StateSnapshot {
        StateSnapshot {
            next_number: self.next_number,
            lost: self.lost.iter_runs().collect(),
            entries: self
                .entries
                .values()
                .map(|entry| ((*entry.endpoint).clone(), entry.queue.snapshot()))
                .collect(),
        }
    }

    /// The state that `snapshot` was taken of.
    pub fn restore(waiting_max: usize, snapshot: StateSnapshot, now: Timestamp) -> Self {
        let mut state = Self {
            next_number: snapshot.next_number,
            ..Self::new(waiting_max)
        };
        for (from, to) in snapshot.lost {
            state.lost.insert_range(from, to);
        }
        for (endpoint, queue) in snapshot.entries {
            state.put(&endpoint, now, now);
            if let Some(entry) = state.entries.get_mut(&endpoint.number) {
                entry.queue.restore(queue);
                state.crowded |= entry.queue.is_crowded();
                if entry.queue.unrouted_from.is_some() {
                    state.unrouted.insert(endpoint.number);
                }
            }
            state.refresh(endpoint.number, now);
        }
        state
    }
}
