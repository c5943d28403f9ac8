//! What a store holds and takes, cheaply enough to be asked every few seconds.

use super::backend::Backend;
use super::log::Log;
use crate::clock::Timestamp;
use crate::id::Seq;

/// What a store holds and takes. A look costs some calls of `stat` and at most one read of the
/// oldest records; nothing is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that are kept.
    pub events: u64,
    /// The position of the oldest of them; `None` if there is none.
    pub first_seq: Option<Seq>,
    /// The position of the newest event that was ever taken; 0 if there was none.
    pub last_seq: Seq,
    /// When the oldest of them was received; `None` also if it cannot be read.
    pub oldest_at: Option<Timestamp>,
    /// Bytes of everything in the data directory, old files of a damaged store included.
    pub used_bytes: u64,
    /// Bytes of the files of records, as far as the database has taken them in.
    pub log_bytes: u64,
    /// Those of them that are still pointed to; the rest comes back as volumes are emptied.
    pub live_bytes: u64,
    /// Bytes left on the disk, where that is known.
    pub free_bytes: Option<u64>,
    /// Events that have expired by retention, since the store was made.
    pub expired_events: u64,
    /// What is there of each source that has a bound of bytes under retention, as of the last look.
    pub sources: Vec<SourceFigures>,
}

/// What is there of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFigures {
    /// The source.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Bytes of their records, bodies included.
    pub bytes: u64,
}

/// Events that were asked for and are not there, for they have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The first of them.
    pub from: Seq,
    /// The last of them.
    pub to: Seq,
    /// How many; fewer than lie between, where sources are kept for different times.
    pub events: u64,
}

/// What a backend takes of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes of all of its files.
    pub used_bytes: u64,
    /// Bytes of the files of records.
    pub log_bytes: u64,
    /// Those of them that are still pointed to.
    pub live_bytes: u64,
}

impl<B: Backend> Log<B> {
    /// See [`Store::figures`](super::Store::figures).
    pub(super) fn figures_now(&self) -> Figures {
        let last_seq = *self.tail.borrow();
        let (gone, expired_events, sources) = {
            let shared = self.shared();
            let expired = &shared.state.expired;
            let sources = expired
                .progress
                .counted()
                .map(|(name, there)| SourceFigures {
                    name: name.to_owned(),
                    events: there.events,
                    bytes: there.bytes,
                });
            let expired_events = expired.seqs().len();
            (shared.state.gone(), expired_events, sources.collect())
        };
        // One that cannot be read is no reason to show nothing of the rest.
        let oldest = self.read_without_bodies(1, 1).ok();
        let oldest = oldest.and_then(|events| events.into_iter().next());
        let space = self.backend.space();
        Figures {
            events: last_seq.saturating_sub(gone),
            first_seq: oldest.as_ref().map(|event| event.seq),
            last_seq,
            oldest_at: oldest.map(|event| event.received_at),
            used_bytes: space.used_bytes,
            log_bytes: space.log_bytes,
            live_bytes: space.live_bytes,
            free_bytes: self.backend.free_bytes(),
            expired_events,
            sources,
        }
    }
}
