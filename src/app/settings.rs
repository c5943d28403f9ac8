//! What a broker is started with.

use std::path::{Path, PathBuf};

use crate::api::document::Subject;
use crate::clock::ClockKind;
use crate::config::Config;
use crate::fault::Plan;
use crate::store::AcceptedLoss;
use crate::store::kept::Kept;
use crate::traces;

/// What a broker is started with: the configuration, and what only the command line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The configuration, with the command line's `--listen`, `--data` and `--drain` put into it.
    pub config: Config,
    /// Which clock it runs on.
    pub clock: ClockKind,
    /// Where the log is kept.
    pub keep: Keep,
    /// Events that the operator gave up for lost.
    pub accept_loss: AcceptedLoss,
    /// Frames of transitions that the operator gave up for lost.
    pub accept_lost_transitions: AcceptedLoss,
    /// How many bytes of what attempts sent are kept in memory; none: nothing is.
    pub record: Option<usize>,
    /// Which faults are done on demand; none: the path of an attempt has no such step.
    pub faults: Plan,
    /// Where traces are exported to; none: they are not.
    pub traces: Option<traces::Settings>,
    /// What its API is described as.
    pub document: Subject,
    /// Whether what is printed on standard output is JSON.
    pub json: bool,
}

/// Where a broker's log is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// In the configuration's data directory.
    #[default]
    OnDisk,
    /// In memory, gone with the broker: for mocks, of which a test suite starts hundreds.
    InMemory,
}

impl Keep {
    /// Where files beside the log are kept; none, if nothing is on disk.
    pub(super) fn dir(self, data_dir: &Path) -> Option<PathBuf> {
        (self == Self::OnDisk).then(|| data_dir.to_owned())
    }

    /// The file called `name` beside the log.
    pub(super) fn beside(self, data_dir: &Path, name: &str) -> Kept {
        Kept::new(self.dir(data_dir).as_deref(), name)
    }
}
