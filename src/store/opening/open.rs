//! Making and opening a store.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::foreign::refuse_foreign;
use super::look::look_before;
use super::loss::{Search, check};
use super::snapshot;
use crate::clock::SharedClock;
use crate::store::backend::Backend;
use crate::store::backup;
use crate::store::disk::{Disk, Settings};
use crate::store::files::high_water::{HighWater, Mark};
use crate::store::files::lock::Lock;
use crate::store::files::private;
use crate::store::log::meta::{self, Meta};
use crate::store::log::parts::Writer;
use crate::store::log::{Log, Recovered};
use crate::store::projection::dedupe::Dedupe;
use crate::store::projection::state::State;
use crate::store::salvage::{self, Salvage};
use crate::store::{Options, StoreError};

impl Log<Disk> {
    /// Opens the store in `dir`, making it if it is not there. `entropy` names a new store and
    /// keys its duplicate index; it is not used for one that is there.
    ///
    /// A database that is damaged, or has lost something, is put together anew from the records
    /// that are still in its file; nothing is given up before all of it has been looked through.
    ///
    /// # Errors
    /// Those of [`Disk::open`]; [`StoreError::Damaged`] with the sequence numbers of every
    /// acknowledged event that cannot be read, unless `options.accept_loss` covers them;
    /// [`StoreError::Forgotten`] likewise for transitions; [`StoreError::TooNew`] for a store of a
    /// later version. An error leaves every record as it was.
    pub fn open(
        dir: &Path,
        cache_bytes: u64,
        clock: SharedClock,
        options: Options,
        entropy: [u64; 3],
    ) -> Result<Self, StoreError> {
        refuse_foreign(dir)?;
        let lock = Lock::take(dir)?;
        private::warn_if_open(dir);
        salvage::finish(dir)?;
        let settings = Settings {
            cache_bytes,
            journal_bytes: options.journal_bytes,
            // Of the first number half is in every event's id.
            salt: entropy[0].rotate_left(32) ^ entropy[1],
        };
        let open = |search| {
            let disk = Disk::open_locked(dir, settings, lock.clone())?;
            let (clock, options) = (clock.clone(), options.clone());
            Self::beside(dir, disk, clock, options, entropy, search)
        };
        let opened = match look_before(dir).and_then(|()| open(Search::Ahead)) {
            Err(error) if options.mend && salvage::may_help(dir, &error) => {
                tracing::warn!(%error, "the store cannot be read as it is; looking for every record in its files");
                // Whether it is damaged is known behind this: a disk may have gone for a moment.
                let salvage = Salvage::of(dir)?;
                tracing::warn!(
                    "the store is damaged; its records were looked for in all of its files"
                );
                check(&salvage.missing, &salvage.missing_frames, &options)?;
                let missing = salvage.missing.clone();
                if !salvage.finds_what_is_missing_by(&error) {
                    salvage.rebuild(dir, settings)?;
                }
                open(Search::Done(missing))
            }
            opened => opened,
        }?;
        if options.mend {
            backup::warn_of_the_other(dir);
            opened.backend.prepare()?;
        }
        Ok(opened)
    }
}

impl<B: Backend> Log<B> {
    /// What tells this store's event ids from another's.
    pub fn tag(&self) -> u32 {
        self.meta.tag
    }

    /// Events and transitions that the start read one by one, for no snapshot had them: none where
    /// the process before it stopped in good order.
    pub fn read_again(&self) -> u64 {
        self.read_again.load(Ordering::Relaxed)
    }

    /// A log over any backend, with its snapshots and its high-water mark in `dir`.
    ///
    /// # Errors
    /// As those of a store on disk, as far as they apply.
    pub fn over_in(
        dir: &Path,
        backend: B,
        clock: SharedClock,
        options: Options,
        entropy: [u64; 3],
    ) -> Result<Self, StoreError> {
        Self::beside(dir, backend, clock, options, entropy, Search::Nowhere)
    }

    /// What the snapshot and the mark in `dir` tell about the log in `backend`.
    fn beside(
        dir: &Path,
        backend: B,
        clock: SharedClock,
        options: Options,
        entropy: [u64; 3],
        search: Search,
    ) -> Result<Self, StoreError> {
        let (high_water, mark) = HighWater::open(&dir.join("high-water"))?;
        let snapshot_path = dir.join("projections");
        let snapshot = snapshot::load(&snapshot_path);
        let is_new = mark.is_none() && snapshot.is_none();
        let meta = meta::read_or_make(&backend, &clock, entropy, is_new)?;
        let log = empty(backend, clock, options, meta, |recovered| Recovered {
            high_water: Some(high_water),
            snapshot_path: Some(snapshot_path),
            ..recovered
        });
        log.recover(snapshot, mark.unwrap_or_default(), &search)?;
        let reached = {
            let writer = log.writer();
            Mark {
                next_seq: writer.next_seq,
                next_frame: writer.next_frame,
            }
        };
        if mark.is_none() && (reached.next_seq > 1 || reached.next_frame > 1) {
            tracing::warn!(
                "the high-water mark is missing or unreadable: if the log had lost its end, this start would not see it"
            );
            if log.options.mend {
                // Before the database takes anything in: a crash on the way would leave records in
                // volumes, and nothing that says how far the log reached.
                log.mark(reached)?;
            }
        }
        log.seal_again()?;
        Ok(log)
    }

    /// A log over any backend, without a snapshot or a high-water mark.
    ///
    /// # Errors
    /// As those of a store on disk, as far as they apply.
    pub fn over(
        backend: B,
        clock: SharedClock,
        options: Options,
        entropy: [u64; 3],
    ) -> Result<Self, StoreError> {
        let meta = meta::read_or_make(&backend, &clock, entropy, true)?;
        let log = empty(backend, clock, options, meta, |recovered| recovered);
        log.recover(None, Mark::default(), &Search::Nowhere)?;
        Ok(log)
    }
}

fn empty<B: Backend>(
    backend: B,
    clock: SharedClock,
    options: Options,
    meta: Meta,
    with: impl FnOnce(Recovered) -> Recovered,
) -> Log<B> {
    let dedupe = Dedupe::new(
        meta.dedupe_secret,
        options.dedupe_window,
        options.dedupe_max_entries,
        clock.now(),
    );
    let recovered = with(Recovered {
        meta,
        writer: Writer {
            keys: options.keys.clone(),
            dedupe,
            next_seq: 1,
            next_frame: 1,
            events_crc: 0,
            transitions_crc: 0,
            records_since_snapshot: 0,
            bytes_since_snapshot: 0,
        },
        state: State::new(options.waiting_max_per_endpoint),
        high_water: None,
        snapshot_path: None,
    });
    Log::assemble(backend, clock, options, recovered)
}
