//! A disk that can lose its power at any write, before, during or after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redeliver::store::StoreError;
use redeliver::store::backend::{Backend, Change, Durability, Entry};
use redeliver::store::memory::Memory;

use super::faults::Fault;
use super::ledger::Safety;

/// Where within a write the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Nothing of it was written.
    Before,
    /// The system has it, the disk has not: a kill.
    Written,
    /// It is on disk, and nobody has been told.
    Synced,
}

impl Point {
    pub const ALL: [Self; 3] = [Self::Before, Self::Written, Self::Synced];

    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Written => "written",
            Self::Synced => "synced",
        }
    }
}

/// The in-memory backend, with a crash on request.
pub struct SimDisk {
    memory: Memory,
    fault: Option<Fault>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Writes until the crash, and where in the last one it comes: by the seed, and by the
    /// scenario.
    armed: Option<(u64, Point)>,
    asked_for: Option<(u64, Point)>,
    /// The crash that was asked for has come.
    came: bool,
    /// What the next process finds, once there was a crash.
    left: Option<(Memory, Safety)>,
    writes: u64,
    synced: bool,
    /// The next sync is not made: a fault.
    skips: bool,
    /// The last write was of a base.
    wrote_base: bool,
    /// A sync of a base was not made.
    base_unsynced: bool,
}

impl SimDisk {
    pub fn over(memory: Memory, fault: Option<Fault>) -> Self {
        Self {
            memory,
            fault,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Crashes in the write after the next `writes`.
    pub fn arm(&self, writes: u64, point: Point) {
        self.state().armed = Some((writes, point));
    }

    /// No crash comes but the one that the scenario asks for.
    pub fn disarm(&self) {
        self.state().armed = None;
    }

    /// Likewise, whatever else is armed.
    pub fn arm_for_scenario(&self, writes: u64, point: Point) {
        self.state().asked_for = Some((writes, point));
    }

    /// Whether the crash that the scenario asks for has come.
    pub fn has_come(&self) -> bool {
        self.state().came
    }

    /// Whether a base was not synced since this was asked last.
    pub fn take_base_unsynced(&self) -> bool {
        std::mem::take(&mut self.state().base_unsynced)
    }

    pub fn skip_a_sync(&self) {
        self.state().skips = true;
    }

    /// Whether there was a crash: nothing is answered any more.
    pub fn is_gone(&self) -> bool {
        self.state().left.is_some()
    }

    /// What the crash has left, and how safe something had to be to be in it, if there was one.
    pub fn take_left(&self) -> Option<(Memory, Safety)> {
        self.state().left.take()
    }

    /// What a crash at this moment leaves: all that was written after a kill; after a power cut
    /// what was synced and the first `batches` of the rest.
    pub fn left_by(&self, kill: bool, batches: usize) -> Memory {
        match kill {
            true => self.memory.after_kill(),
            false => self.memory.after_power_cut_keeping(batches),
        }
    }

    pub fn unsynced_batches(&self) -> usize {
        self.memory.unsynced_batches()
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Whether there was a synced write since this was asked last.
    pub fn take_synced(&self) -> bool {
        std::mem::take(&mut self.state().synced)
    }

    /// Has whatever deletes frames of events delete the next one, too.
    fn go_too_far(&self, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        let last = changes.iter().rev().find_map(|change| match change {
            Change::Delete(key) if key.starts_with(b"e") => Some([key.as_slice(), &[0]].concat()),
            _ => None,
        });
        if let Some(behind) = last {
            let next = self.memory.scan(b"e", &behind, 1)?;
            changes.extend(next.into_iter().map(|(key, _)| Change::Delete(key)));
        }
        Ok(())
    }

    fn crash(&self, mut changes: Vec<Change>, point: Point) -> (Memory, Safety) {
        if self.fault == Some(Fault::TornGroups) && changes.len() > 1 {
            changes.truncate(changes.len() / 2);
            let _ = self.memory.write(changes, Durability::Disk);
            return (self.memory.after_power_cut(), Safety::Synced);
        }
        match point {
            Point::Before => (self.memory.after_power_cut(), Safety::Synced),
            Point::Written => {
                let _ = self.memory.write(changes, Durability::Process);
                (self.memory.after_kill(), Safety::Written)
            }
            Point::Synced => {
                let _ = self.memory.write(changes, Durability::Disk);
                (self.memory.after_power_cut(), Safety::Synced)
            }
        }
    }
}

/// Where in this write the crash comes, if it does; else it is one write nearer.
fn due(armed: &mut Option<(u64, Point)>) -> Option<Point> {
    match armed {
        Some((0, point)) => Some(*point),
        Some((left, _)) => {
            *left -= 1;
            None
        }
        None => None,
    }
}

/// The handle that the log owns; the simulation holds the other.
pub struct Plugged(pub Arc<SimDisk>);

impl Backend for Plugged {
    fn write(&self, mut changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        let disk = &*self.0;
        if disk.fault == Some(Fault::OneFrameTooFar) {
            disk.go_too_far(&mut changes)?;
        }
        let point = {
            let mut state = disk.state();
            state.writes += 1;
            let asked_for = due(&mut state.asked_for);
            state.came |= asked_for.is_some();
            asked_for.or(due(&mut state.armed))
        };
        if let Some(point) = point {
            let left = disk.crash(changes, point);
            disk.state().left = Some(left);
            return Err(StoreError::Stopped("the power is gone".to_owned()));
        }
        let skips = std::mem::take(&mut disk.state().skips);
        let is_of_base = changes
            .iter()
            .any(|change| change.as_ref().0.starts_with(b"p"));
        let was_of_base = std::mem::replace(&mut disk.state().wrote_base, is_of_base);
        let durability = match disk.fault {
            Some(Fault::SyncForgotten) => Durability::Process,
            Some(Fault::GoneUnsynced) if skips => {
                // The next sync would make good for it.
                disk.arm(0, Point::Before);
                Durability::Process
            }
            Some(Fault::BaseUnsynced) if was_of_base && durability == Durability::Disk => {
                disk.state().base_unsynced = true;
                Durability::Process
            }
            _ => durability,
        };
        disk.memory.write(changes, durability)?;
        disk.state().synced |= durability == Durability::Disk;
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.memory.get(key)
    }

    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.0.memory.last(prefix, key)
    }

    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.0.memory.scan(prefix, key, limit)
    }

    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.0.memory.scan_back(prefix, key, limit)
    }

    fn used_bytes(&self) -> u64 {
        self.0.memory.used_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.0.memory.free_bytes()
    }
}
