//! What an event is recognised by when it comes again: of one length, whatever the sender wrote.

use sha2::{Digest, Sha256};

/// Made of the parts that identify an event, in order.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Takes a part in.
    pub fn add(&mut self, part: &str) {
        // With its length, so that no two lists of parts look the same.
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The fingerprint of `parts`.
    pub fn of(parts: &[&str]) -> String {
        let mut fingerprint = Self::default();
        parts.iter().for_each(|part| fingerprint.add(part));
        fingerprint.finish()
    }

    /// As text: 64 hexadecimal digits.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_run_together_are_told_apart() {
        let all = [&["ab", "c"][..], &["a", "bc"], &["abc"], &["abc", ""], &[]];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(Fingerprint::of(one).len(), 64);
            for other in &all[..i] {
                assert_ne!(Fingerprint::of(one), Fingerprint::of(other));
            }
        }
        assert_eq!(Fingerprint::of(all[0]), Fingerprint::of(all[0]));
    }
}
