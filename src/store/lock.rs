//! Who owns a data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::error::StoreError;
use super::private;

/// One process owns a directory; the lock goes with the process, however it ends.
pub fn take(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let mut file = private::options()
        .open(&path)
        .map_err(|error| StoreError::of_file(dir, &error))?;
    match file.try_lock() {
        Ok(()) => {
            // Only a help for whoever meets the lock; the lock itself is the file's.
            let _ = file.set_len(0);
            let _ = write!(file, "{}", std::process::id());
            Ok(file)
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
        Err(TryLockError::Error(error)) => Err(StoreError::of_file(dir, &error)),
    }
}
