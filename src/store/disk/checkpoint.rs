//! The checkpointer: the thread by which the database takes in what the journal has.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::super::StoreError;
use super::core::Core;
use super::overlay::{Changed, Overlay};

/// One batch of the database. Each is synced before the next is begun, so that whatever lies before
/// the last one is known to be safe.
pub const BATCH_BYTES: usize = 4 << 20;

/// Changes of one batch: sled keeps a copy of a page for each until the batch has ended.
pub const BATCH_CHANGES: usize = 512;

/// How far the checkpointer is.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_asked: bool,
    is_ending: bool,
    failed: Option<StoreError>,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.state(), condition);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// There is a lower layer to be taken in.
    pub fn ask(&self) {
        self.change(|state| state.is_asked = true);
    }

    /// The thread is to end.
    pub fn end(&self) {
        self.change(|state| state.is_ending = true);
    }

    /// Nothing may be written any more.
    pub fn fail(&self, error: &StoreError) {
        self.change(|state| {
            state.failed.get_or_insert_with(|| error.clone());
        });
    }

    /// # Errors
    /// Why nothing may be written any more.
    pub fn check(&self) -> Result<(), StoreError> {
        self.state().failed.clone().map_or(Ok(()), Err)
    }

    /// Waits until all that was asked for is done.
    ///
    /// # Errors
    /// As those of [`Progress::check`].
    pub fn wait_until_idle(&self) -> Result<(), StoreError> {
        let state = self.wait_while(|state| state.is_asked && state.failed.is_none());
        state.failed.clone().map_or(Ok(()), Err)
    }

    /// Whether all that was asked for is done.
    pub fn is_idle(&self) -> bool {
        !self.state().is_asked
    }

    /// Waits for something to do; whether there is.
    fn wait_until_asked(&self) -> bool {
        let state = self.wait_while(|state| !state.is_asked && !state.is_ending);
        !state.is_ending && state.failed.is_none()
    }

    fn is_ending(&self) -> bool {
        self.state().is_ending
    }
}

impl Core {
    /// Takes in each lower layer that it is asked to, until the disk is closed or fails.
    pub fn checkpoint_on_request(&self) {
        while self.progress.wait_until_asked() {
            let Some(lowered) = self.overlay(Overlay::lower_layer) else {
                return;
            };
            match self.take_in(&lowered) {
                Ok(true) => {
                    self.overlay_mut(Overlay::drop_lower);
                    self.progress.change(|state| state.is_asked = false);
                }
                Ok(false) => return,
                Err(error) => {
                    self.progress.fail(&error);
                    tracing::error!(%error, "the journal cannot be brought into the database");
                    return;
                }
            }
        }
    }

    /// Writes `changed` to the database. Whether it came to the end before the disk was closed.
    pub fn take_in(&self, changed: &Changed) -> Result<bool, StoreError> {
        let mut left = changed.iter().peekable();
        while left.peek().is_some() {
            if self.progress.is_ending() {
                return Ok(false);
            }
            let (mut bytes, mut count) = (0, 0);
            let batch = std::iter::from_fn(|| {
                let has_room = bytes < BATCH_BYTES && count < BATCH_CHANGES;
                let (key, value) = left.next_if(|_| has_room)?;
                count += 1;
                bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                Some((key.as_slice(), value.as_deref()))
            });
            self.database.take_in(batch)?;
        }
        Ok(true)
    }
}
