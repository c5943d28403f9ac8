//! The keys by which endpoints' secrets are sealed where they are kept.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::secret::MasterKey;

/// The bytes of a nonce: enough that drawing them at random never draws one twice.
pub const NONCE_BYTES: usize = 24;

/// What a key's number is made with. Never drawn.
const NUMBERING: [u8; NONCE_BYTES] = [0xFF; NONCE_BYTES];

/// Draws a nonce.
pub type Nonces = Box<dyn Fn() -> [u8; NONCE_BYTES] + Send + Sync>;

/// The master key, those before it, and where nonces come from.
pub struct Keyring {
    /// The first is the present one.
    keys: Vec<(u64, XChaCha20Poly1305)>,
    nonces: Nonces,
    is_blind: bool,
}

/// Something sealed, and with which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The number of the key.
    pub key: u64,
    nonce: [u8; NONCE_BYTES],
    bytes: Vec<u8>,
}

/// Why something sealed stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// The key of this number is not here.
    NoKey(u64),
    /// The key is here: what was sealed has been changed, or put in another's place.
    Changed,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.keys.iter().map(|(number, _)| shown(*number));
        f.debug_list().entries(numbers).finish()
    }
}

/// A key's number as it is told to people. It says nothing of the key.
pub fn shown(number: u64) -> String {
    format!("{number:016x}")
}

impl Keyring {
    /// No key: nothing is sealed.
    pub fn empty() -> Self {
        Self {
            keys: Vec::new(),
            // Without a key it is not asked.
            nonces: Box::new(|| NUMBERING),
            is_blind: false,
        }
    }

    /// No key, and none is needed: for looking at a store without its endpoints' secrets.
    pub fn blind() -> Self {
        Self {
            is_blind: true,
            ..Self::empty()
        }
    }

    /// Seals with `present`; opens with any. `nonces` draws at random, from what nobody can guess.
    pub fn new(present: &MasterKey, previous: &[MasterKey], nonces: Nonces) -> Self {
        let keys = std::iter::once(present).chain(previous).map(|key| {
            let cipher = XChaCha20Poly1305::new(&Key::from(*key.expose()));
            (number(&cipher), cipher)
        });
        Self {
            keys: keys.collect(),
            nonces,
            is_blind: false,
        }
    }

    /// Whether it is for looking only.
    pub fn is_blind(&self) -> bool {
        self.is_blind
    }

    /// The number of the key that seals, if there is one.
    pub fn present(&self) -> Option<u64> {
        self.keys.first().map(|(number, _)| *number)
    }

    /// Seals `plain`, to be opened with the same `owner` only; nothing without a key.
    pub fn seal(&self, owner: &str, plain: &[u8]) -> Option<Sealed> {
        let (key, cipher) = self.keys.first()?;
        let nonce = (self.nonces)();
        let payload = Payload {
            msg: plain,
            aad: owner.as_bytes(),
        };
        // It fails for messages above 256 GiB only.
        let bytes = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(Sealed {
            key: *key,
            nonce,
            bytes,
        })
    }

    /// Opens what was sealed for `owner`.
    pub fn open(&self, owner: &str, sealed: &Sealed) -> Result<Vec<u8>, Unopened> {
        let found = self.keys.iter().find(|(number, _)| *number == sealed.key);
        let (_, cipher) = found.ok_or(Unopened::NoKey(sealed.key))?;
        let payload = Payload {
            msg: &sealed.bytes,
            aad: owner.as_bytes(),
        };
        let opened = cipher.decrypt(&XNonce::from(sealed.nonce), payload);
        opened.map_err(|_| Unopened::Changed)
    }
}

/// By which a key is known without being told: the check of an empty message.
fn number(cipher: &XChaCha20Poly1305) -> u64 {
    let payload = Payload {
        msg: b"",
        aad: b"redeliver: the number of a master key",
    };
    let tag = cipher.encrypt(&XNonce::from(NUMBERING), payload);
    let tag = tag.ok().and_then(|tag| tag.first_chunk().copied());
    u64::from_be_bytes(tag.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn key(byte: u8) -> MasterKey {
        MasterKey::parse(&Secret::new(hex::encode([byte; 32]))).unwrap()
    }

    fn ring(present: u8, previous: &[u8]) -> Keyring {
        let previous: Vec<_> = previous.iter().copied().map(key).collect();
        Keyring::new(&key(present), &previous, Box::new(|| [7; NONCE_BYTES]))
    }

    #[test]
    fn what_is_sealed_is_opened_with_its_key_for_its_owner_and_not_otherwise() {
        let sealed = ring(1, &[]).seal("ep_1", b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(ring(1, &[]).open("ep_1", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(ring(2, &[1]).open("ep_1", &sealed), Ok(b"secret".to_vec()));
        let elsewhere = ring(1, &[]).open("ep_2", &sealed);
        assert_eq!(elsewhere, Err(Unopened::Changed));
        let number = sealed.key;
        assert_eq!(
            ring(2, &[3]).open("ep_1", &sealed),
            Err(Unopened::NoKey(number))
        );
        let mut changed = sealed.clone();
        changed.bytes[0] ^= 1;
        assert_eq!(ring(1, &[]).open("ep_1", &changed), Err(Unopened::Changed));
        assert_eq!(Keyring::empty().seal("ep_1", b"secret"), None);
    }

    #[test]
    fn a_keyring_shows_numbers_and_no_keys() {
        let shown = format!("{:?}", ring(0x5A, &[]));
        assert!(shown.len() == "[\"0123456789abcdef\"]".len(), "{shown}");
        assert!(!shown.contains("5a5a5a"), "{shown}");
    }
}
