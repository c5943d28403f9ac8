//! What can go wrong in the store.

use std::io;
use std::path::Path;

use super::files::blocks;
use crate::id::Seq;

/// The store cannot go on, or refuses to begin.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Another process owns the directory.
    #[error(
        "the data directory {dir} is in use by another process{owner}; stop that one or choose another directory with --data"
    )]
    Locked {
        /// The directory.
        dir: String,
        /// ` (process N)` where it is known.
        owner: String,
    },
    /// The directory cannot be used.
    #[error(
        "cannot use {path} as a data directory: {cause}; choose a writable directory with --data"
    )]
    Directory {
        /// What was tried.
        path: String,
        /// The operating system's words.
        cause: String,
    },
    /// The disk, or what this user may have of it, is full.
    #[error(
        "there is no room for {path}: {cause}; free some space and start again, or choose another directory with --data"
    )]
    NoRoom {
        /// What was to be written.
        path: String,
        /// The operating system's words.
        cause: String,
    },
    /// Acknowledged events are not there, or not as they were written.
    #[error(
        "events {from} to {to} are missing or damaged ({what}); restore a backup, or start with --accept-loss {from}-{to} to go on without them"
    )]
    Damaged {
        /// The first event that is lost.
        from: Seq,
        /// The last event that is lost.
        to: Seq,
        /// What was found.
        what: String,
    },
    /// Ends of attempts, changes of endpoints or replays are not there; perhaps events, too.
    #[error(
        "{}are missing or damaged ({what}); restore a backup, or start with --accept-lost-transitions {from}-{to}{} to go on without them: attempts are made again, changes of endpoints and replays forgotten",
        match events {
            Some((first, last)) => format!("transitions {from} to {to} and events {first} to {last} "),
            None => format!("transitions {from} to {to} "),
        },
        match events {
            Some((first, last)) => format!(" --accept-loss {first}-{last}"),
            None => String::new(),
        }
    )]
    Forgotten {
        /// The first frame of transitions that is lost.
        from: u64,
        /// The last one.
        to: u64,
        /// The first and the last event that is lost, if any are.
        events: Option<(Seq, Seq)>,
        /// What was found.
        what: String,
    },
    /// A record that is not about single events cannot be read.
    #[error(
        "the store is damaged: {0}; restore a backup, or look at it with `redeliver store verify`"
    )]
    Corrupt(String),
    /// A record of a later version than this program knows.
    #[error(
        "the store was written by a later version of redeliver (record version {found}, this program reads up to {known}); start that version"
    )]
    TooNew {
        /// The version found.
        found: u8,
        /// The latest that this program reads.
        known: u8,
    },
    /// The endpoints' secrets are sealed with a key that is not here.
    #[error(
        "the endpoints' secrets in this store are sealed with master key {key}, and {given}; give that one as master_key in [server], or among previous_master_keys; nothing was changed"
    )]
    Sealed {
        /// The key's number, which says nothing of the key.
        key: String,
        /// What is here instead.
        given: &'static str,
    },
    /// Other things than a store are in the directory.
    #[error(
        "{dir} is no store, and not empty (it has {found}); name an empty directory, or one that is not there yet, with data_dir or --data"
    )]
    Foreign {
        /// The directory.
        dir: String,
        /// What was found in it.
        found: String,
    },
    /// Writing or syncing failed. It is never retried: after a failed fsync nobody knows what is
    /// on disk.
    #[error(
        "writing to the store failed ({0}); nothing is accepted until the program is started again"
    )]
    Stopped(String),
    /// The database cannot read what is in its files.
    #[error("reading the store failed: {0}")]
    Read(String),
    /// The system cannot read its files, which says nothing of what is in them.
    #[error(
        "the store cannot be read from its disk ({0}); if that lasts, copy what can be read to another disk, or restore a backup there"
    )]
    Disk(String),
}

impl StoreError {
    /// What the operating system says about a file or directory of the store.
    pub(super) fn of_file(path: &Path, error: &io::Error) -> Self {
        let (path, cause) = (path.display().to_string(), error.to_string());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoRoom { path, cause }
            }
            _ if blocks::is_of_the_disk(error) => Self::Disk(format!("{path}: {cause}")),
            _ => Self::Directory { path, cause },
        }
    }

    /// Whether the store is whole, and what it was opened with is wrong.
    pub fn is_misconfigured(&self) -> bool {
        matches!(self, Self::Sealed { .. } | Self::Foreign { .. })
    }

    /// Whether something was written and cannot be read any more.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Forgotten { .. } | Self::Corrupt(_) | Self::Read(_) => {
                true
            }
            Self::Locked { .. }
            | Self::Directory { .. }
            | Self::NoRoom { .. }
            | Self::TooNew { .. }
            | Self::Sealed { .. }
            | Self::Foreign { .. }
            | Self::Stopped(_)
            | Self::Disk(_) => false,
        }
    }
}

/// An event was not taken.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AppendError {
    /// Too much is waiting to be written: ask again shortly.
    #[error("the queue of events waiting to be written is full")]
    Full,
    /// The disk is nearly full.
    #[error("the disk has less than {reserve_bytes} bytes left, which are kept for deliveries")]
    DiskFull {
        /// What is kept free.
        reserve_bytes: u64,
    },
    /// The store has stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A settlement was not taken.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettleError {
    /// The claim is no longer the present one: somebody else has settled or taken it.
    #[error("the claim on this delivery has ended")]
    Fenced,
}

/// A command about an endpoint was not taken.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// There is no such endpoint.
    #[error("there is no endpoint {0}; `redeliver endpoint list` shows those that are there")]
    Unknown(String),
    /// The name is taken.
    #[error("an endpoint named {0} is there already; choose another name, or update that one")]
    NameTaken(String),
    /// It has been removed and stays so.
    #[error("endpoint {0} has been removed; add it again under the same name or another")]
    Removed(String),
    /// There are too many.
    #[error(
        "there are {0} endpoints already, which is the limit; remove some or raise limits.endpoints_max"
    )]
    TooMany(usize),
    /// The store has stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
}
