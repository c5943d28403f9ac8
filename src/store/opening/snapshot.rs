//! Snapshots of the projections, so that a start reads only what came after.
//!
//! A snapshot is a cache, not a truth: one that is missing, torn or strange is thrown away and the
//! projections are rebuilt from the records. It is a file of its own beside the database, replaced
//! as a whole, because the database would keep every old copy on its log until it is rewritten.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::backend::{Backend, Durability};
use crate::store::commit::write::Group;
use crate::store::files::high_water::Mark;
use crate::store::files::private;
use crate::store::log::Log;
use crate::store::log::parts::Writer;
use crate::store::projection::dedupe::Seen;
use crate::store::projection::state::{State, StateSnapshot};
use crate::store::record::codec::{self, FIRST_VERSION, Head, Kind, SEALED_VERSION};
use crate::store::sealing::kept::{self, KeptEndpoint};

/// The projections, as of a point between two groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot<E = Endpoint> {
    /// Of which store.
    pub tag: u32,
    /// The first event that is not in it.
    pub next_seq: Seq,
    /// The first frame of transitions that is not in it.
    pub next_frame: u64,
    /// The CRC of the last frame of events that is in it.
    pub events_crc: u32,
    /// The CRC of the last frame of transitions that is in it.
    pub transitions_crc: u32,
    /// Registry and queues.
    pub state: StateSnapshot<E>,
    /// The duplicate window, oldest first.
    pub dedupe: Vec<(u128, Seen)>,
}

/// A snapshot as it is kept.
pub type KeptSnapshot = Snapshot<KeptEndpoint>;

impl<E> Snapshot<E> {
    /// The same with another form of its endpoints.
    pub fn map<F>(self, form: impl FnMut(E) -> F) -> Snapshot<F> {
        Snapshot {
            tag: self.tag,
            next_seq: self.next_seq,
            next_frame: self.next_frame,
            events_crc: self.events_crc,
            transitions_crc: self.transitions_crc,
            state: self.state.map(form),
            dedupe: self.dedupe,
        }
    }

    /// Whether it is of the same store as `other` and has all that is in it.
    pub fn is_not_behind<F>(&self, other: &Snapshot<F>) -> bool {
        self.tag == other.tag
            && self.next_frame >= other.next_frame
            && self.next_seq >= other.next_seq
    }
}

/// Reads the snapshot at `path`, if there is a whole one.
pub fn load(path: &Path) -> Option<KeptSnapshot> {
    let bytes = fs::read(path).ok()?;
    let read = codec::open(&bytes, Kind::Snapshot).and_then(|frame| match frame.version {
        FIRST_VERSION => {
            let snapshot = frame.decode::<Snapshot>();
            snapshot.map(|snapshot| snapshot.map(KeptEndpoint::from))
        }
        _ => frame.decode(),
    });
    match read {
        Ok(snapshot) => Some(snapshot),
        Err(error) => {
            tracing::warn!(%error, "the snapshot is unusable; reading the whole log instead");
            None
        }
    }
}

impl<B: Backend> Log<B> {
    /// Writes a snapshot of the projections as they stand.
    pub(in crate::store) fn write_snapshot(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let Some(path) = &self.snapshot_path else {
            return Ok(());
        };
        let (snapshot, mark) = self.take_snapshot(writer, |_| ())?;
        // Safely so: a snapshot that is ahead of its log would be a lie after a power cut.
        self.backend.write(Vec::new(), Durability::Disk)?;
        self.mark(mark)?;
        let keys = &self.options.keys;
        let saved = match kept::is_new(snapshot.state.endpoints(), keys) {
            false => save(path, FIRST_VERSION, &snapshot),
            true => {
                let kept = snapshot.map(|endpoint| KeptEndpoint::of(&endpoint, keys));
                save(path, SEALED_VERSION, &kept)
            }
        };
        if let Err(error) = saved {
            // The next start takes longer, which is all.
            tracing::warn!(%error, "a snapshot cannot be written");
        }
        writer.records_since_snapshot = 0;
        writer.bytes_since_snapshot = 0;
        Ok(())
    }

    /// The projections as they stand after `change`, and how far the log reaches with them; that is
    /// still to be synced.
    pub(in crate::store) fn take_snapshot(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut State),
    ) -> Result<(Snapshot, Mark), StoreError> {
        // What is in memory must be in the records too; what is settled from here on is in neither.
        let (unsaved, state) = {
            let mut shared = self.shared();
            change(&mut shared.state);
            (shared.take_unsaved(), shared.state.snapshot())
        };
        let group = Group::encode(writer, &unsaved, &[])?;
        self.backend.write(group.changes, Durability::Process)?;
        writer.advance(&group.next, unsaved.len());
        let snapshot = Snapshot {
            tag: self.meta.tag,
            next_seq: writer.next_seq,
            next_frame: writer.next_frame,
            events_crc: writer.events_crc,
            transitions_crc: writer.transitions_crc,
            state,
            dedupe: writer.dedupe.snapshot(),
        };
        Ok((snapshot, group.mark))
    }
}

/// Writes the snapshot in place of the one at `path`.
pub fn save<E: Serialize>(path: &Path, version: u8, snapshot: &Snapshot<E>) -> io::Result<()> {
    let head = Head {
        kind: Kind::Snapshot,
        previous: 0,
        first: snapshot.next_seq,
        count: 1,
    };
    let (bytes, _) = codec::encode_as(version, head, snapshot).map_err(io::Error::other)?;
    replace(path, &bytes)
}

/// Puts `bytes` at `path`: after a crash there is the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = private::options().truncate(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock, Weak};

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::store::backend::{Change, Entry};
    use crate::store::memory::Memory;
    use crate::store::{Options, Store};

    /// Memory that looks, at each write, whether the log is of use to others meanwhile.
    #[derive(Default)]
    struct Watching {
        memory: Memory,
        log: OnceLock<Weak<Log<Watching>>>,
    }

    impl Backend for Watching {
        fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
            if let Some(log) = self.log.get().and_then(Weak::upgrade) {
                assert!(log.shared.try_lock().is_ok(), "{durability:?}");
            }
            self.memory.write(changes, durability)
        }

        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.memory.get(key)
        }

        fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
            self.memory.last(prefix, key)
        }

        fn scan(&self, prefix: &[u8], key: &[u8], most: usize) -> Result<Vec<Entry>, StoreError> {
            self.memory.scan(prefix, key, most)
        }

        fn scan_back(
            &self,
            prefix: &[u8],
            key: &[u8],
            most: usize,
        ) -> Result<Vec<Entry>, StoreError> {
            self.memory.scan_back(prefix, key, most)
        }

        fn used_bytes(&self) -> u64 {
            self.memory.used_bytes()
        }

        fn free_bytes(&self) -> Option<u64> {
            self.memory.free_bytes()
        }
    }

    #[test]
    fn nobody_waits_for_the_disk_while_a_snapshot_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let options = Options::default();
        let mut log = Log::over(Watching::default(), clock, options, [1, 2, 3]).unwrap();
        let path = dir.path().join("projections");
        log.snapshot_path = Some(path.clone());
        let log = Arc::new(log);
        assert!(log.backend.log.set(Arc::downgrade(&log)).is_ok());
        log.close().unwrap();
        assert!(load(&path).is_some());
    }
}
