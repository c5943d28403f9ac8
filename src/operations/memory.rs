//! What was told, over restarts: read again from its file and from the log behind that, and kept.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::Sleep;

use super::run::{Parts, REST};
use super::told::Told;
use crate::endpoint::EndpointState;
use crate::store::{Step, StoreError, Walk};

/// How long what was told may be newer than what is kept of it, in the machine's own time. What a
/// crash leaves out stands in the log: nothing is kept there for less than a minute.
const KEEP_AFTER: Duration = Duration::from_secs(1);

/// What is kept of what was told, and when it is looked at again.
#[derive(Default)]
pub(super) struct Keeping {
    /// The revision that is kept.
    kept: Option<u64>,
    due: Option<Pin<Box<Sleep>>>,
}

impl Keeping {
    /// Resolves when it is time to keep what was told; never, if that is kept already.
    pub async fn is_due(&mut self, told: &Told) {
        if self.kept == Some(told.revision()) {
            return std::future::pending().await;
        }
        let due = || Box::pin(tokio::time::sleep(KEEP_AFTER));
        self.due.get_or_insert_with(due).await;
    }
}

impl Parts {
    /// Keeps what was told, if it is not kept already.
    pub(super) async fn keep(&self, told: &Told, keeping: &mut Keeping) {
        keeping.due = None;
        if keeping.kept == Some(told.revision()) {
            return;
        }
        // Each operational event up to here was told by what follows from it.
        let until = *self.store.tail().borrow();
        let (kept, copy) = (self.kept.clone(), told.clone());
        let writing = tokio::task::spawn_blocking(move || kept.write(&copy, until));
        match writing.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "what operational events have told cannot be kept: retention may have it told again");
            }
            Err(panic) => tracing::error!(%panic, "what operational events have told is not kept"),
        }
        // Where it cannot be written, it is tried again when there is more to keep.
        keeping.kept = Some(told.revision());
    }

    /// What was told, by what is kept of it and by the log behind that; none, if it is time to end.
    pub(super) async fn remember(&mut self) -> Option<Told> {
        let last = *self.store.tail().borrow();
        let kept = self.kept.clone();
        let kept = tokio::task::spawn_blocking(move || kept.read::<Told>(last));
        let kept = kept.await.ok().flatten();
        let is_first = kept.is_none();
        let (mut told, until) = kept.unwrap_or_default();
        let mut walk = Walk::from(until + 1);
        while walk.next() <= last {
            if *self.stopping.borrow() {
                return None;
            }
            let (store, mut ahead) = (self.store.clone(), walk.clone());
            let reading = move || Ok((ahead.step(&*store, last)?, ahead));
            match tokio::task::spawn_blocking(reading).await {
                Ok(Ok((step, ahead))) => {
                    if let Step::Events(events) = step {
                        for event in events.iter().filter(|event| event.seq <= last) {
                            told.take(event);
                        }
                    }
                    walk = ahead;
                }
                Ok(Err(StoreError::Stopped(_))) => return None,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the log cannot be read for operational events; trying again");
                    if !self.rests(REST).await {
                        return None;
                    }
                }
                Err(panic) => {
                    tracing::error!(%panic, "no operational events are told");
                    return None;
                }
            }
        }
        if is_first {
            let queues = self.store.queues().into_iter().map(|queue| queue.endpoint);
            let removed = queues.filter(|endpoint| endpoint.state == EndpointState::Removed);
            told.begin(removed.map(|endpoint| endpoint.id));
        }
        Some(told)
    }
}
