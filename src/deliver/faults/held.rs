//! Events that are held until a later one has been attempted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::deliver::agenda::Slot;
use crate::id::Seq;

/// At most one event of each endpoint: were all of them held, they would keep their order.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldBack(Arc<Mutex<HashMap<u32, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    seq: Seq,
    passed: oneshot::Sender<Seq>,
    /// Given up together with the news, before the attempt that brings it is settled: from then on
    /// this one is no more one that waits for the clock.
    _slot: Slot,
}

/// The place of an event that is held; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    held: HeldBack,
    endpoint: u32,
    passed: oneshot::Receiver<Seq>,
}

impl HeldBack {
    /// Holds an event, unless another one of its endpoint is held.
    pub(super) fn hold(&self, endpoint: u32, seq: Seq, slot: Slot) -> Option<Place> {
        let mut all = self.all();
        if all.contains_key(&endpoint) {
            return None;
        }
        let (sender, passed) = oneshot::channel();
        let waiting = Waiting {
            seq,
            passed: sender,
            _slot: slot,
        };
        all.insert(endpoint, waiting);
        drop(all);
        Some(Place {
            held: self.clone(),
            endpoint,
            passed,
        })
    }

    /// An attempt at bringing this event has ended.
    pub(super) fn attempted(&self, endpoint: u32, seq: Seq) {
        let mut all = self.all();
        let is_past = |waiting: &Waiting| waiting.seq < seq;
        if all.get(&endpoint).is_some_and(is_past)
            && let Some(waiting) = all.remove(&endpoint)
        {
            // Its time may have come at this moment.
            let _ = waiting.passed.send(seq);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u32, Waiting>> {
        // Nothing in here panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves to the later event that was attempted.
    pub(super) async fn passed(&mut self) -> Seq {
        match (&mut self.passed).await {
            Ok(seq) => seq,
            // It is given up only with the place.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Who was passed has left its place already, and another may have it.
        self.passed.close();
        let mut all = self.held.all();
        let is_mine = |waiting: &Waiting| waiting.passed.is_closed();
        let gone = match all.get(&self.endpoint).is_some_and(is_mine) {
            true => all.remove(&self.endpoint),
            false => None,
        };
        drop(all);
        // Outside of the lock, as it tells the one who moves the clock.
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;
    use crate::deliver::agenda::Agenda;
    use crate::store::Token;

    #[tokio::test]
    async fn a_later_event_frees_the_one_that_is_held_and_an_earlier_one_or_another_endpoint_not() {
        let (held, agenda) = (HeldBack::default(), Agenda::default());
        let (due, now) = (Timestamp::from_millis(10), Timestamp::from_millis(0));
        let token = |seq| Token {
            endpoint: 1,
            seq,
            generation: seq,
        };
        let count = || agenda.look(now, 0, Duration::ZERO).aside.len();
        let mut place = held.hold(1, 5, agenda.hold(due, token(5))).unwrap();
        assert!(
            held.hold(1, 6, agenda.hold(due, token(6))).is_none(),
            "one at a time"
        );
        let other = held.hold(2, 7, agenda.hold(due, token(7))).unwrap();
        assert_eq!(count(), 2);
        held.attempted(1, 4);
        held.attempted(1, 5);
        held.attempted(2, 6);
        assert!(place.passed.try_recv().is_err());
        held.attempted(1, 6);
        assert_eq!(count(), 1, "before anybody has woken up");
        // Its place may be taken before it knows that it is free.
        let next = held.hold(1, 8, agenda.hold(due, token(8))).unwrap();
        assert_eq!(place.passed().await, 6);
        drop(place);
        assert_eq!(count(), 2);
        drop((next, other));
        assert_eq!(count(), 0);
    }
}
