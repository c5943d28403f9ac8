//! The frames of a log, one after another.

use super::key;
use crate::store::StoreError;
use crate::store::backend::Backend;

/// How many frames are read at once.
const FRAMES_PER_READ: usize = 16;

/// Reads the frames of one kind, some at a time.
pub(in crate::store) struct Frames {
    prefix: &'static [u8],
    next_key: Vec<u8>,
    read: std::vec::IntoIter<(Vec<u8>, Vec<u8>)>,
}

impl Frames {
    pub(in crate::store) fn new(prefix: &'static [u8], from: Vec<u8>) -> Self {
        Self {
            prefix,
            next_key: from,
            read: Vec::new().into_iter(),
        }
    }

    /// The number in the key of the next one, and the next one.
    pub(in crate::store) fn next<B: Backend>(
        &mut self,
        backend: &B,
    ) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let numbered =
            |(entry, value): (Vec<u8>, Vec<u8>)| (key::number(&entry, 1).unwrap_or(0), value);
        if let Some(entry) = self.read.next() {
            return Ok(Some(numbered(entry)));
        }
        let entries = backend.scan(self.prefix, &self.next_key, FRAMES_PER_READ)?;
        if let Some((last, _)) = entries.last() {
            self.next_key = [last.as_slice(), &[0]].concat();
        }
        self.read = entries.into_iter();
        Ok(self.read.next().map(numbered))
    }
}
