//! The lock on a data directory: one process owns it.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::error::StoreError;
use super::private;

/// Held for as long as anything of the directory is in use; it goes with the process, however that
/// ends.
#[derive(Clone, Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock is the open file")] Arc<File>);

impl Lock {
    /// Takes the directory, making it, closed to other users, if it is not there.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        private::make_dir(dir).map_err(|error| StoreError::of_file(dir, &error))?;
        let path = dir.join("lock");
        let mut file = private::options()
            .open(&path)
            .map_err(|error| StoreError::of_file(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                // Only a help for whoever meets the lock; the lock itself is the file's.
                let _ = file.set_len(0);
                let _ = write!(file, "{}", std::process::id());
                Ok(Self(Arc::new(file)))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = file.read_to_string(&mut owner);
                let owner = owner.trim().parse::<u32>();
                Err(StoreError::Locked {
                    dir: dir.display().to_string(),
                    owner: owner.map_or_else(|_| String::new(), |pid| format!(" (process {pid})")),
                })
            }
            Err(TryLockError::Error(error)) => Err(StoreError::of_file(&path, &error)),
        }
    }
}
