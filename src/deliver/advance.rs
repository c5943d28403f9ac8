//! Moving a manual clock, so that everything that was due by then has happened.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::agenda::Agenda;
use crate::clock::{ManualClock, SharedClock, Stopwatch, Timestamp};
use crate::store::Store;

/// What an advance came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Advanced {
    /// The clock now.
    pub now: Timestamp,
    /// Attempts that are still under way: their receivers hang, and their deadlines are later.
    pub in_flight: usize,
}

/// The clock cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceError {
    /// It is not a manual one.
    #[error("this server's clock is not a manual one; start it with --clock manual to move it")]
    NotManual,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Moves the manual clock of a running broker.
pub struct Advance {
    store: Arc<dyn Store>,
    agenda: Agenda,
    clock: SharedClock,
    /// By which patience is measured.
    watch: Stopwatch,
    turn: Mutex<()>,
}

impl Advance {
    /// For the broker that delivers out of `store` and has all it does on `agenda`.
    pub fn new(store: Arc<dyn Store>, agenda: Agenda, clock: SharedClock) -> Self {
        Self {
            store,
            agenda,
            clock,
            watch: Stopwatch::start(),
            turn: Mutex::new(()),
        }
    }

    /// Moves the clock by `by`, in steps: at each moment at which something is due, everything
    /// due is attempted and settled before the clock moves on.
    ///
    /// An attempt whose receiver hangs for longer than `patience` of real time is waited for no
    /// more until its own deadline, when it is given up by the broker's clock as any other: its
    /// schedule is the same. The n-th attempt in a row of one endpoint that is waited for in vain
    /// was waited for only a part of 1/n² of `patience`, so that an endpoint that hangs holds up
    /// an advance by less than 1⅔ of it, however many moments there are; those that hang together
    /// are waited for together. An answer within that time is taken at its moment, and the next
    /// attempt is waited for a quarter of `patience` again. The next advance trusts everybody
    /// anew, but waits again for what hangs already only if it is more patient. Polls are
    /// waited for in the same way; what needs no stranger is waited for at each moment anew.
    ///
    /// One advance at a time; a second one waits for the first.
    ///
    /// # Errors
    /// [`AdvanceError::NotManual`] for any other clock, [`AdvanceError::Stopped`] if the store
    /// stops meanwhile.
    pub async fn advance(
        &self,
        by: Duration,
        patience: Duration,
    ) -> Result<Advanced, AdvanceError> {
        let _turn = self.turn.lock().await;
        let clock = self.clock.manual().ok_or(AdvanceError::NotManual)?;
        let target = self.clock.now().plus(by);
        self.agenda.renew(patience, self.watch.elapsed());
        loop {
            self.quiet(patience).await?;
            let Some(next) = self.next().filter(|next| *next <= target) else {
                break;
            };
            clock.set(next);
        }
        self.finish(clock, target, patience).await
    }

    async fn finish(
        &self,
        clock: &ManualClock,
        target: Timestamp,
        patience: Duration,
    ) -> Result<Advanced, AdvanceError> {
        clock.set(target);
        self.quiet(patience).await?;
        // What the caller is told has happened survives a crash.
        let store = self.store.clone();
        let saved = tokio::task::spawn_blocking(move || store.save()).await;
        if !matches!(saved, Ok(Ok(()))) {
            return Err(AdvanceError::Stopped);
        }
        Ok(Advanced {
            now: self.clock.now(),
            in_flight: self.store.depth().in_flight,
        })
    }

    /// The next moment at which something can happen, later than now.
    fn next(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let due = self.store.depth().next_due.filter(|due| *due > now);
        [due, self.agenda.next_after(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Waits until nothing is left to be done at this moment but by those who hang.
    async fn quiet(&self, patience: Duration) -> Result<(), AdvanceError> {
        let mut changed = self.store.changed();
        let mut planned = self.agenda.changed();
        let tail = self.store.tail();
        loop {
            changed.mark_unchanged();
            planned.mark_unchanged();
            if self.store.stopped().borrow().is_some() {
                return Err(AdvanceError::Stopped);
            }
            let (now, at) = (self.clock.now(), self.watch.elapsed());
            // Before the store: what somebody put there is there when he says that he is done.
            let log_tail = *tail.borrow();
            let look = self.agenda.look(now, log_tail, at);
            let depth = self.store.depth();
            let is_due = depth.next_due.is_some_and(|due| due <= now);
            // Behind the depth: whoever is set aside and live by now was among those under way.
            let is_idle = depth.uncommitted == 0 && depth.in_flight <= self.store.live(&look.aside);
            // One that was held when it was looked at may be under way by now.
            let has_moved = planned.has_changed().unwrap_or_default();
            if !look.is_busy && !is_due && is_idle && !has_moved {
                return Ok(());
            }
            let wait = look.again.map(|again| again.saturating_sub(at));
            tokio::select! {
                _ = changed.changed() => {}
                _ = planned.changed() => {}
                () = tokio::time::sleep(wait.unwrap_or(patience)) => {
                    if wait.is_none() {
                        // There is nobody to wait for, and nothing moves.
                        return Ok(());
                    }
                }
            }
        }
    }
}
