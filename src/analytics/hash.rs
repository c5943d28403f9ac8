//! Visitors' names, hashed: a name is often an address of somebody, and is neither kept nor shown.

use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher as _;

use super::facts::Who;

/// Hashes the names of one website's visitors: one person on two websites is two visitors, and
/// nobody sees that they are one. The key is made of the website's id, so that an id stays the same
/// over restarts; it hides names from whoever reads an answer, not from whoever can guess both.
#[derive(Clone, Debug)]
pub struct Hasher([u8; 16]);

/// A visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The whole hash.
    pub bits: u128,
    /// Whether he is a known user.
    pub known: bool,
}

impl Hashed {
    /// What tells visitors apart. Of a million, two are taken for one once in 37 million websites.
    pub fn short(self) -> u64 {
        // The low half.
        self.bits as u64
    }
}

impl Hasher {
    /// For the visitors of `website`.
    pub fn new(website: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(b"redeliver visitors of ")
            .chain_update(website)
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// A user and an anonymous visitor of the same name are two.
    pub fn hash(&self, who: &Who<'_>) -> Hashed {
        Hashed {
            bits: self.text(if who.known { "user" } else { "visitor" }, &who.name),
            known: who.known,
        }
    }

    /// The hash of any other text, for ids.
    pub fn text(&self, kind: &str, text: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(kind.as_bytes());
        hasher.write_u8(0);
        hasher.write(text.as_bytes());
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_after_a_restart_and_another_for_another_website_or_kind() {
        let who = |name: &'static str, known| Who {
            name: name.into(),
            known,
        };
        let one = Hasher::new("ws_1").hash(&who("ann@example.com", true));
        assert_eq!(one, Hasher::new("ws_1").hash(&who("ann@example.com", true)));
        assert_ne!(one, Hasher::new("ws_2").hash(&who("ann@example.com", true)));
        let anonymous = Hasher::new("ws_1").hash(&who("ann@example.com", false));
        assert_ne!(one.bits, anonymous.bits);
    }
}
