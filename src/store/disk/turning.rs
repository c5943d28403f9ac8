//! Going on in the next generation of the journal: because this one is full, or because records
//! wait in it to be taken out, whose room nobody would give back otherwise.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use super::super::StoreError;
use super::super::backend::Backend;
use super::Disk;
use super::core::unwritable;
use super::journal::Journal;
use super::overlay::Overlay;

impl Disk {
    /// Lowers what is written now, for the checkpointer, and goes on in the next generation.
    pub(super) fn turn(&self, journal: &mut Journal) -> Result<(), StoreError> {
        let mut thread = self
            .checkpointer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let core = self.core.clone();
            let spawned = std::thread::Builder::new()
                .name("checkpoint".to_owned())
                .spawn(move || {
                    let done = catch_unwind(AssertUnwindSafe(|| core.checkpoint_on_request()));
                    if done.is_err() {
                        // Whoever waits for it must not wait for ever.
                        let gave_up = "the checkpointer gave up".to_owned();
                        core.progress.fail(&StoreError::Stopped(gave_up));
                    }
                });
            let spawned =
                spawned.map_err(|error| StoreError::Stopped(format!("checkpoint: {error}")));
            *thread = Some(spawned?);
        }
        drop(thread);
        // Until then the last one is still needed.
        self.core.progress.wait_until_idle()?;
        journal.release();
        journal.turn().map_err(unwritable)?;
        self.core.overlay_mut(Overlay::lower);
        self.core.progress.ask();
        Ok(())
    }

    /// Has the database know of every record that is taken out by now. What takes out many megabytes
    /// is some kilobytes of the journal, which may never be full: a full disk takes no event. Costs
    /// nothing where no record was taken out; others read and write meanwhile.
    pub(super) fn take_out(&self) -> Result<(), StoreError> {
        if self.doomed_bytes()? == 0 {
            return Ok(());
        }
        let core = &self.core;
        // Here and not in `turn`, where writers would wait with us.
        core.progress.wait_until_idle()?;
        {
            let mut writing = core.writing();
            core.progress.check()?;
            if core.settings.journal_bytes == 0 {
                return core.checkpoint_all(&mut writing);
            }
            let journal = core.journal(&mut writing)?;
            // Somebody may have filled it meanwhile; and one without an entry is never left, for a
            // start would miss what was in it.
            if core.progress.is_idle() && core.overlay(Overlay::is_written) {
                self.turn(journal)?;
            }
        }
        core.progress.wait_until_idle()
    }
}
