//! Ids that no run and no message share, so that a receiver may be checked again and again.

use crate::clock::Timestamp;
use crate::event::{Event, NewEvent};
use crate::id::EventId;

/// What makes one run's ids its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub started_at: Timestamp,
    /// Chance, or the seed of `--seed`.
    pub tag: u64,
}

/// Who a message is: the same in every repetition of it, and in none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    run: Run,
    serial: u32,
    /// When what it tells of happened.
    pub happened_at: Timestamp,
}

impl Identity {
    /// The run's message `serial`, of something that happened at `happened_at`.
    pub fn new(run: Run, serial: u32, happened_at: Timestamp) -> Self {
        Self {
            run,
            serial,
            happened_at,
        }
    }

    /// A whole number of its own, below 2^53, as scripting languages keep it.
    pub fn number(&self) -> u64 {
        // A run that lasts a second may send a thousand messages before a later one could meet it.
        let since_2020_ms = self.run.started_at.as_millis() - 1_577_836_800_000;
        u64::try_from(since_2020_ms).unwrap_or_default() % (1 << 42) * 1000 + u64::from(self.serial)
    }

    /// A UUID of its own (version 4 in form).
    pub fn uuid(&self) -> String {
        self.uuid_of(self.serial)
    }

    /// A UUID that all messages of the run share: the same visitor, the same workflow.
    pub fn shared_uuid(&self) -> String {
        self.uuid_of(u32::MAX)
    }

    fn uuid_of(&self, serial: u32) -> String {
        let tag = self.run.tag;
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            serial,
            tag >> 48,
            tag >> 36 & 0xfff,
            tag >> 24 & 0xfff,
            (self.run.started_at.as_millis() ^ (tag as i64) << 24) & 0xffff_ffff_ffff,
        )
    }

    /// The event that carries `content`; its id is part of the identity.
    pub fn event(&self, content: NewEvent) -> Event {
        let seq = u64::from(self.serial) + 1;
        Event {
            id: EventId::new(self.run.started_at, seq, self.run.tag as u32),
            seq,
            received_at: self.happened_at,
            content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(started_ms: i64, tag: u64, serial: u32) -> Identity {
        let started_at = Timestamp::from_millis(started_ms);
        Identity::new(Run { started_at, tag }, serial, started_at)
    }

    #[test]
    fn ids_differ_between_messages_and_between_runs_with_the_same_seed() {
        let one = identity(1_800_000_000_000, 7, 0);
        for other in [
            identity(1_800_000_000_000, 7, 1),
            identity(1_800_000_000_001, 7, 0),
        ] {
            assert_ne!(one.number(), other.number());
            assert_ne!(one.uuid(), other.uuid());
        }
        assert!(one.number() < 1 << 53);
        assert_eq!(one.uuid().len(), 36);
        let other = identity(1_800_000_000_000, 7, 1);
        assert_eq!(one.shared_uuid(), other.shared_uuid());
    }
}
