//! HMACs, their texts, and what can be wrong with a key or a signature.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use sha2::Sha256;
use sha3::Sha3_256;
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::endpoint::validate::decode_base64;
use crate::endpoint::{EndpointSettings, TextEncoding};

/// Length of both kinds of signature in bytes.
pub const SIGNATURE_LEN: usize = 32;

/// Why a signing key or another credential cannot be used. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing in it: anybody could sign with it.
    #[error("the signing key is empty")]
    Empty,
    /// The settings say hexadecimal.
    #[error("the signing key is not hexadecimal; mend the key or set key_encoding to `utf8`")]
    NotHex,
    /// The settings say base64.
    #[error("the signing key is not base64; mend the key or set key_encoding to `utf8`")]
    NotBase64,
    /// Not the form that Standard Webhooks prescribes.
    #[error("a Standard Webhooks secret is `whsec_` followed by base64; this one is not")]
    NotStandardSecret,
    /// Raw bytes cannot go into a header.
    #[error("a signature is written as `hex` or `base64`; signature_encoding cannot be `utf8`")]
    SignatureEncoding,
    /// The receiver would cut the login at its first colon.
    #[error("the user name of basic_auth must not contain a colon")]
    ColonInUser,
}

/// Why a receiver must not believe a request. Never holds the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The header is absent or empty.
    #[error("there is no signature")]
    Missing,
    /// The header is no signature of this kind, so nothing was compared.
    #[error("the signature is not {expected}")]
    Malformed {
        /// What it should have been.
        expected: &'static str,
    },
    /// Signed with another key, or the body was changed.
    #[error("the signature does not match: another key, or the body was changed on its way")]
    Mismatch,
    /// The signature is right, yet nothing says when it was made.
    #[error("there is no timestamp in whole Unix seconds")]
    NoTimestamp,
    /// Standard Webhooks signs the id, the time and the body with full stops between them.
    #[error("the id has a full stop, so nobody can tell where it ends")]
    DottedId,
    /// The signature is right, yet too long ago: perhaps a replay.
    #[error("the timestamp is {} s old, more than the {} s allowed", .age.as_secs(), .allowed.as_secs())]
    Stale {
        /// How old.
        age: Duration,
        /// How old it may be.
        allowed: Duration,
    },
    /// The signature is right, yet from the future.
    #[error("the timestamp is {} s ahead, more than the {} s allowed", .ahead.as_secs(), .allowed.as_secs())]
    Future {
        /// How far ahead.
        ahead: Duration,
        /// How far ahead it may be.
        allowed: Duration,
    },
    /// The receiver's own key is unusable.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// HMAC-SHA3-256 of `body` (HOT-31).
pub fn hmac_sha3_256(key: &[u8], body: &[u8]) -> [u8; SIGNATURE_LEN] {
    let mut mac = SimpleHmac::<Sha3_256>::new_from_slice(key).expect("HMAC takes any key length");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA256 of the concatenation of `parts`.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; SIGNATURE_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Writes a signature as text.
pub fn encode(signature: &[u8], encoding: TextEncoding) -> Result<String, KeyError> {
    match encoding {
        TextEncoding::Hex => Ok(hex::encode(signature)),
        TextEncoding::Base64 => Ok(STANDARD.encode(signature)),
        TextEncoding::Utf8 => Err(KeyError::SignatureEncoding),
    }
}

/// Reads a signature from its text; either case of hexadecimal is taken.
pub fn decode(text: &str, encoding: TextEncoding) -> Result<Vec<u8>, VerifyError> {
    if text.is_empty() {
        return Err(VerifyError::Missing);
    }
    let (bytes, expected) = match encoding {
        TextEncoding::Hex => (hex::decode(text).ok(), "64 hexadecimal digits"),
        TextEncoding::Base64 => (STANDARD.decode(text).ok(), "44 characters of base64"),
        TextEncoding::Utf8 => return Err(KeyError::SignatureEncoding.into()),
    };
    bytes
        .filter(|bytes| bytes.len() == SIGNATURE_LEN)
        .ok_or(VerifyError::Malformed { expected })
}

/// Whether `made` is within `allowed` of `now`, either way, in the whole seconds that timestamps
/// have.
pub fn check_age(made: Timestamp, now: Timestamp, allowed: Duration) -> Result<(), VerifyError> {
    let now = Timestamp::from_millis(now.as_seconds().saturating_mul(1000));
    let (age, ahead) = (now.since(made), made.since(now));
    if age > allowed {
        Err(VerifyError::Stale { age, allowed })
    } else if ahead > allowed {
        Err(VerifyError::Future { ahead, allowed })
    } else {
        Ok(())
    }
}

/// The bytes of a key given as text.
pub fn key_bytes(text: &str, encoding: TextEncoding) -> Result<Vec<u8>, KeyError> {
    let bytes = match encoding {
        TextEncoding::Utf8 => text.as_bytes().to_vec(),
        TextEncoding::Hex => hex::decode(text).map_err(|_| KeyError::NotHex)?,
        TextEncoding::Base64 => decode_base64(text).ok_or(KeyError::NotBase64)?,
    };
    if bytes.is_empty() {
        return Err(KeyError::Empty);
    }
    Ok(bytes)
}

/// Standard base64 with padding.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The text of the HMAC-SHA3-256 of `body` under the endpoint's key; none where there is no key.
pub(super) fn sha3_text(
    body: &[u8],
    settings: &EndpointSettings,
) -> Result<Option<String>, KeyError> {
    let Some(key) = &settings.signing_key else {
        return Ok(None);
    };
    let key = key_bytes(key.expose(), settings.key_encoding)?;
    encode(&hmac_sha3_256(&key, body), settings.signature_encoding).map(Some)
}

/// The value of an `Authorization` header with HTTP Basic credentials in UTF-8.
pub fn basic_authorization(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Whether an `Authorization` header holds exactly these Basic credentials; the scheme's name may
/// be in either case.
pub fn basic_matches(header: &str, user: &str, password: &str) -> bool {
    let Some((scheme, given)) = header.split_once(' ') else {
        return false;
    };
    let expected = basic_authorization(user, password);
    scheme.eq_ignore_ascii_case("basic")
        && same(
            given.trim().as_bytes(),
            &expected.as_bytes()["Basic ".len()..],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_08_a_key_is_the_text_itself_unless_the_operator_says_hex_or_base64() {
        assert_eq!(key_bytes("6162", TextEncoding::Utf8), Ok(b"6162".to_vec()));
        assert_eq!(key_bytes("6162", TextEncoding::Hex), Ok(b"ab".to_vec()));
        assert_eq!(key_bytes("YWI=", TextEncoding::Base64), Ok(b"ab".to_vec()));
        assert_eq!(key_bytes("YWI", TextEncoding::Base64), Ok(b"ab".to_vec()));
        assert_eq!(key_bytes("xy", TextEncoding::Hex), Err(KeyError::NotHex));
        assert_eq!(
            key_bytes("ü", TextEncoding::Base64),
            Err(KeyError::NotBase64)
        );
        for encoding in [TextEncoding::Utf8, TextEncoding::Hex, TextEncoding::Base64] {
            assert_eq!(key_bytes("", encoding), Err(KeyError::Empty));
        }
    }

    #[test]
    fn a_signature_text_of_the_wrong_length_or_alphabet_is_told_from_a_wrong_signature() {
        let long = "ab".repeat(33);
        for text in ["zz", "abcd", long.as_str(), "ab cd"] {
            assert!(matches!(
                decode(text, TextEncoding::Hex),
                Err(VerifyError::Malformed { .. })
            ));
        }
        assert_eq!(decode("", TextEncoding::Hex), Err(VerifyError::Missing));
        assert_eq!(
            decode(&"AB".repeat(32), TextEncoding::Hex),
            Ok(vec![0xab; 32])
        );
        assert_eq!(
            decode("x", TextEncoding::Utf8),
            Err(VerifyError::Key(KeyError::SignatureEncoding))
        );
    }

    #[test]
    fn a_11_basic_credentials_must_match_whole() {
        let header = basic_authorization("hook", "s3cret");
        assert!(basic_matches(&header, "hook", "s3cret"));
        assert!(basic_matches(
            &header.replace("Basic", "basic"),
            "hook",
            "s3cret"
        ));
        assert!(!basic_matches(&header, "hook", "s3cret "));
        assert!(!basic_matches(&header, "hoo", "ks3cret"));
        for wrong in ["", "Basic", "Basic ", "Bearer aG9vazpzM2NyZXQ=", "ü é"] {
            assert!(!basic_matches(wrong, "hook", "s3cret"), "{wrong}");
        }
    }
}
