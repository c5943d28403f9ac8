//! A copy of a log of this process.

use super::super::Store;
use super::{BackupError, Cursor, LENGTH_BYTES, Summary, Target};

impl Target {
    /// Copies a log of this process whole; `each` is told the bytes of every piece, and
    /// about how many there are in all.
    ///
    /// # Errors
    /// As those of [`Target::take`] and [`Target::finish`], and of reading the log.
    pub fn copy(
        mut self,
        store: &dyn Store,
        mut each: impl FnMut(u64, u64),
    ) -> Result<Summary, BackupError> {
        let mut cursor: Cursor = store.begin_backup(&self.have())?;
        while let Some(piece) = store.read_backup(&mut cursor)? {
            self.take(&piece[LENGTH_BYTES..])?;
            each(piece.len() as u64, self.store_bytes());
        }
        self.finish()
    }
}
