//! The lock on a data directory: one process owns it.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::private;
use crate::store::error::StoreError;

/// Held for as long as anything of the directory is in use; it goes with the process, however that
/// ends.
#[derive(Clone, Debug)]
pub struct Lock(
    #[cfg_attr(not(test), expect(dead_code, reason = "the lock is held, not asked"))] Arc<Held>,
);

/// The locked file. The lock is given back in so many words: a child process that is just being
/// started has a copy of the descriptor until it runs its own program, and closing ours alone would
/// leave the directory locked for that moment.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

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
                Ok(Self(Arc::new(Held(file))))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_taken_once_and_told_with_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let _lock = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).unwrap_err().to_string();
        let owner = format!("(process {})", std::process::id());
        assert!(error.contains(&owner), "{error}");
    }

    #[test]
    fn a_child_that_is_being_started_does_not_keep_a_directory_locked() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let childs_copy = lock.0.0.try_clone().unwrap();
        drop(lock);
        Lock::take(dir.path()).unwrap();
        drop(childs_copy);
    }
}
