//! Why there is no backup.

use std::path::PathBuf;

use super::super::StoreError;
use crate::id::Seq;

/// Why there is no backup.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BackupError {
    /// There is something where the backup is to be.
    #[error("{} is there already and not empty; name a directory that is not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// A name that no directory beside it can be made for.
    #[error("{} is no name for a new directory; write for example backups/monday", .0.display())]
    NoName(PathBuf),
    /// What an earlier backup left behind is of another store.
    #[error(
        "what is there of the backup is of another store than the one that is backed up; remove it, or name another directory"
    )]
    OtherStore,
    /// What an earlier backup left behind is not an earlier state of this store.
    #[error(
        "what is there of the backup holds {what}, which this store does not: it was put back to an earlier state meanwhile; remove it, or name another directory"
    )]
    Behind {
        /// What does not fit.
        what: String,
    },
    /// The stream ended before its end, or is not what was sent.
    #[error(
        "the backup did not come through whole ({what}); run the same command again, it goes on where it stopped"
    )]
    Broken {
        /// What is wrong with it.
        what: String,
    },
    /// The copy was written and cannot be read back as it should be.
    #[error(
        "the copy in {} is not whole ({what}): the disk that it is on may be damaged; remove it, and name a directory on another disk", .path.display()
    )]
    Unverified {
        /// The directory in the making.
        path: PathBuf,
        /// The first finding.
        what: String,
    },
    /// The disk of the backup is full.
    #[error(
        "there is no room for {}: {cause}; free some space and run the same command again, it goes on where it stopped", .path.display()
    )]
    NoRoom {
        /// The directory in the making.
        path: PathBuf,
        /// What there is, and what is needed.
        cause: String,
    },
    /// The copy cannot be written.
    #[error(
        "the backup cannot be written to {} ({cause}); mend that and run the same command again, it goes on where it stopped, or name another directory", .path.display()
    )]
    Unwritten {
        /// The directory in the making.
        path: PathBuf,
        /// The operating system's words.
        cause: String,
    },
    /// The store cannot be read from this event on: a backup of it would be none.
    #[error(
        "event {from} cannot be read ({what}), so there is no whole backup of this store; `redeliver store verify` on the stopped store says what is missing"
    )]
    Unreadable {
        /// The first event of the frame that cannot be read.
        from: Seq,
        /// What was found.
        what: String,
    },
    /// The server could not go on.
    #[error("the server cannot give a backup: {0}")]
    Refused(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// A piece that is not what was sent.
    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }
}
