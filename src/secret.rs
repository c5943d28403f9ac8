//! Secrets: kept out of logs, errors and answers by their type.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// A key, token or password. `Debug` never shows it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret text as it was given; nothing is trimmed or decoded.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for signing and sending only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this secret, in time that depends on the lengths only.
    pub fn matches(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Tokens that open the same door: the one that is in use, and while it is replaced those before it.
/// None at all is a door without a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Secret>);

impl Tokens {
    /// `current`, and `previous` where there is one.
    pub fn new(current: Option<Secret>, previous: Vec<Secret>) -> Self {
        Self(current.into_iter().chain(previous).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `given` is one of them. Each is compared, so that the time says nothing of which.
    pub fn match_one(&self, given: &str) -> bool {
        let matches = self.0.iter().map(|token| token.matches(given));
        matches.fold(false, |any, one| any | one)
    }

    /// Whether each of them is among `others`.
    pub fn are_among(&self, others: &Self) -> bool {
        self.0.iter().all(|token| others.0.contains(token))
    }
}

/// The bytes of a master key.
pub const MASTER_KEY_BYTES: usize = 32;

/// The key by which other secrets are sealed where they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; MASTER_KEY_BYTES]);

/// A text that is no master key. It does not say the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMasterKey {
    /// Neither base64 nor hexadecimal.
    #[error("is neither base64 nor hexadecimal; make one with `openssl rand -base64 32`")]
    Encoding,
    /// Another length.
    #[error("has {0} bytes instead of 32; make one with `openssl rand -base64 32`")]
    Length(usize),
}

impl MasterKey {
    /// Reads 32 bytes in base64 (44 characters, or 43 without padding) or hexadecimal (64).
    ///
    /// # Errors
    /// [`InvalidMasterKey`] with the length, if it has another.
    pub fn parse(text: &Secret) -> Result<Self, InvalidMasterKey> {
        let text = text.expose().trim();
        let bytes = hex::decode(text)
            .ok()
            .or_else(|| STANDARD.decode(text).ok())
            .or_else(|| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok())
            .ok_or(InvalidMasterKey::Encoding)?;
        let length = bytes.len();
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| InvalidMasterKey::Length(length))
    }

    /// The bytes themselves, for sealing only.
    pub fn expose(&self) -> &[u8; MASTER_KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_32_bytes_in_base64_or_hex_and_nothing_else() {
        let parse = |text: &str| MasterKey::parse(&Secret::new(text));
        let bytes = [0xA5; 32];
        let key = MasterKey(bytes);
        assert_eq!(parse(&hex::encode(bytes)), Ok(key.clone()));
        assert_eq!(parse(&STANDARD.encode(bytes)), Ok(key.clone()));
        assert_eq!(parse(&URL_SAFE_NO_PAD.encode(bytes)), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
        assert_eq!(
            parse(&hex::encode([1; 31])),
            Err(InvalidMasterKey::Length(31))
        );
        assert_eq!(
            parse(&STANDARD.encode([1; 16])),
            Err(InvalidMasterKey::Length(16))
        );
        for wrong in ["not a key!", "a password with spaces"] {
            assert_eq!(parse(wrong), Err(InvalidMasterKey::Encoding));
        }
    }

    #[test]
    fn each_of_several_tokens_is_right_and_no_other_is() {
        let secret = |text: &str| Secret::new(text);
        let tokens = Tokens::new(Some(secret("new")), vec![secret("old"), secret("older")]);
        for right in ["new", "old", "older"] {
            assert!(tokens.match_one(right), "{right}");
        }
        for wrong in ["", "ne", "newold", "oldest"] {
            assert!(!tokens.match_one(wrong), "{wrong}");
        }
        assert!(!Tokens::default().match_one(""));
        assert_eq!(
            format!("{tokens:?}"),
            "Tokens([Secret(…), Secret(…), Secret(…)])"
        );
        let later = Tokens::new(Some(secret("new")), Vec::new());
        assert!(later.are_among(&tokens) && !tokens.are_among(&later));
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
