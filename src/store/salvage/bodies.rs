//! Whether bodies are whole.

use super::Salvage;
use crate::id::Seq;

impl Salvage {
    /// Whether every part is there, once, and all of them together are as long as the body.
    pub(super) fn has_body(&self, seq: Seq, parts: u32, bytes: u32) -> bool {
        let mut read = 0;
        for part in 0..parts {
            match self.parts.get(&(seq, part)).map(Vec::as_slice) {
                Some([(_, _, len)]) => read += u64::from(*len),
                _ => return false,
            }
        }
        read == u64::from(bytes)
    }
}
