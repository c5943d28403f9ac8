//! What was found in a store.

use serde::Serialize;

use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The first event that it concerns; 0 if it concerns none.
    pub from: Seq,
    /// The last event that it concerns.
    pub to: Seq,
    /// What it is.
    pub what: String,
}

/// Events that were given up for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
}

/// What was read, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events that can be read.
    pub events: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Position of the last event.
    pub last_seq: Seq,
    /// Frames of events.
    pub event_frames: u64,
    /// Frames of transitions.
    pub transition_frames: u64,
    /// Attempts in them.
    pub attempts: u64,
    /// Events that an operator gave up for lost, by `--accept-loss`: none of them is a finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted_losses: Vec<Loss>,
    /// Everything that is wrong. Empty: the store is whole.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(in crate::store) fn find(&mut self, from: Seq, to: Seq, what: impl ToString) {
        let what = what.to_string();
        self.findings.push(Finding { from, to, what });
    }

    /// What of the events `from` to `to` was not given up for lost is a finding.
    pub(in crate::store) fn find_unless_lost(
        &mut self,
        lost: &BlockSet,
        from: Seq,
        to: Seq,
        what: &str,
    ) {
        for (from, to) in lost.gaps(from, to) {
            self.find(from, to, what);
        }
    }
}
