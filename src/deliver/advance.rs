//! Moving a manual clock, so that everything that was due by then has happened.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::agenda::Agenda;
use super::dispatcher::Dispatcher;
use crate::clock::{ManualClock, SharedClock, Timestamp};
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
    dispatcher: Arc<Dispatcher>,
    clock: SharedClock,
    agenda: Agenda,
    turn: Mutex<()>,
}

/// How a wait for quiet ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quiet {
    /// Nothing is due, nothing is under way.
    Yes,
    /// Nothing has moved for as long as we are patient.
    Stuck,
}

impl Advance {
    /// For the broker made of these parts.
    pub fn new(store: Arc<dyn Store>, dispatcher: Arc<Dispatcher>, clock: SharedClock) -> Self {
        Self {
            store,
            dispatcher,
            clock,
            agenda: Agenda::default(),
            turn: Mutex::new(()),
        }
    }

    /// Also with what is on `agenda`.
    #[must_use]
    pub fn with_agenda(mut self, agenda: Agenda) -> Self {
        self.agenda = agenda;
        self
    }

    /// Moves the clock by `by`, in steps: at each moment at which something is due, everything
    /// due is attempted and settled before the clock moves on. An attempt whose receiver hangs for
    /// longer than `patience` of real time is waited for no more until its own deadline.
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
        loop {
            let quiet = self.quiet(patience).await?;
            let Some(next) = self.next(quiet).filter(|next| *next <= target) else {
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
    fn next(&self, quiet: Quiet) -> Option<Timestamp> {
        let now = self.clock.now();
        let due = self.store.depth().next_due;
        let attempt = self
            .dispatcher
            .oldest_attempt()
            .map(|(deadline, _)| deadline);
        let work = self.agenda.oldest_work().map(|(deadline, _)| deadline);
        let deadlines = [attempt, work].into_iter().flatten();
        let deadlines = deadlines.filter(|_| quiet == Quiet::Stuck);
        [due, self.agenda.next_due()]
            .into_iter()
            .flatten()
            .chain(deadlines)
            .filter(|at| *at > now)
            .min()
    }

    async fn quiet(&self, patience: Duration) -> Result<Quiet, AdvanceError> {
        let mut changed = self.store.changed();
        let mut planned = self.agenda.changed();
        let tail = self.store.tail();
        let mut oldest = (None, None);
        let mut hangs = pin!(tokio::time::sleep(patience));
        loop {
            changed.mark_unchanged();
            planned.mark_unchanged();
            if self.store.stopped().borrow().is_some() {
                return Err(AdvanceError::Stopped);
            }
            // Before the store: what somebody put there is there when he says that he is done.
            let busy = self.agenda.is_busy(self.clock.now(), *tail.borrow());
            let held = self.agenda.held(self.clock.now());
            let depth = self.store.depth();
            let due = depth.next_due.is_some_and(|due| due <= self.clock.now());
            // One that was held when it was looked at may be under way by now.
            let moved = planned.has_changed().unwrap_or_default();
            let idle = depth.in_flight <= held && depth.uncommitted == 0;
            if !busy && !due && idle && !moved {
                return Ok(Quiet::Yes);
            }
            // Patience is with one attempt: traffic beside one that hangs must not renew it.
            let present = (self.dispatcher.oldest_attempt(), self.agenda.oldest_work());
            if present == (None, None) || present != oldest {
                oldest = present;
                hangs.set(tokio::time::sleep(patience));
            }
            tokio::select! {
                _ = changed.changed() => {}
                _ = planned.changed() => {}
                () = &mut hangs => return Ok(Quiet::Stuck),
            }
        }
    }
}
