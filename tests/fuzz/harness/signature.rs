//! Signatures and credentials: what is accepted is what the key's owner signed, told by HMACs put
//! together from plain hashes; what was signed is accepted.

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding;
use redeliver::vendor::{
    KeyError, VerifyError, basic_authorization, basic_matches, hotjar, signature, standard,
};
use sha2::Sha256;
use sha3::{Digest, Sha3_256};

/// Changes of a header on its way, which a forger makes.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Change {
    None,
    Flip(u16),
    Cut(u16),
    Insert(u16, u8),
    Case(u16),
    Double(bool),
    /// Another way to write the same number.
    Respell(bool),
}

impl Change {
    fn of(self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.is_empty() {
            return String::new();
        }
        let len = bytes.len();
        match self {
            Self::None => {}
            Self::Flip(bit) => bytes[usize::from(bit) / 8 % len] ^= 1 << (bit % 8),
            Self::Cut(at) => bytes.truncate(usize::from(at) % len),
            Self::Insert(at, byte) => bytes.insert(usize::from(at) % (len + 1), byte),
            Self::Case(at) => bytes[usize::from(at) % len] ^= 0x20,
            Self::Respell(signed) => bytes.insert(0, if signed { b'+' } else { b'0' }),
            Self::Double(spaced) => {
                if spaced {
                    bytes.push(b' ');
                }
                bytes.extend(text.bytes());
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The first number chooses whose signature it is.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    // Input that ends too early is no input.
    let _ = match input.int_in_range(0..=4) {
        Ok(0) => hotjars(&mut input),
        Ok(1 | 2) => standards(&mut input),
        Ok(3) => basics(&mut input),
        _ => {
            keys(input);
            Ok(())
        }
    };
}

/// HMAC as RFC 2104 has it.
fn hmac<D: Digest>(key: &[u8], block: usize, message: &[u8]) -> Vec<u8> {
    let mut key = if key.len() > block {
        D::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    key.resize(block, 0);
    let inner: Vec<u8> = key.iter().map(|byte| byte ^ 0x36).collect();
    let outer: Vec<u8> = key.iter().map(|byte| byte ^ 0x5c).collect();
    let inner = D::digest([&inner, message].concat());
    D::digest([&outer[..], &inner[..]].concat()).to_vec()
}

fn hotjars(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (key, body, given): (Vec<u8>, Vec<u8>, Option<String>) = input.arbitrary()?;
    let (change, in_hex, now): (Change, bool, i64) = input.arbitrary()?;
    let right = hmac::<Sha3_256>(&key, 136, &body);
    let (encoding, text) = if in_hex {
        (TextEncoding::Hex, hex::encode(&right))
    } else {
        (TextEncoding::Base64, STANDARD.encode(&right))
    };
    assert_eq!(hotjar::sign(&key, &body, encoding).as_ref(), Ok(&text));
    assert_eq!(hotjar::verify(&key, &body, &text, encoding), Ok(()));
    let given = given.unwrap_or_else(|| change.of(&text));
    // Hexadecimal is taken in either case.
    let same = if in_hex {
        given.eq_ignore_ascii_case(&text)
    } else {
        given == text
    };
    let verified = hotjar::verify(&key, &body, &given, encoding);
    assert_eq!(verified.is_ok(), same, "{given:?} for {text}");
    assert_eq!(given.is_empty(), verified == Err(VerifyError::Missing));
    let mut changed = body.clone();
    changed.push(0);
    assert!(hotjar::verify(&key, &changed, &text, encoding).is_err());
    if hotjar::check_age(&body, Timestamp::from_millis(now)).is_ok() {
        let stamped: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let made = stamped["timestamp"].as_i64().unwrap();
        assert!(i128::from(now) - i128::from(made) * 1000 <= 300_000);
    }
    Ok(())
}

fn standards(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (keys, id, body): (Vec<Vec<u8>>, String, Vec<u8>) = input.arbitrary()?;
    let (seconds, late): (i64, i16) = input.arbitrary()?;
    // A clock counts in milliseconds.
    let seconds = seconds >> 12;
    let (change, stamp, identity): (Change, Change, Change) = input.arbitrary()?;
    let given: Option<String> = input.arbitrary()?;
    let now = Timestamp::from_millis(seconds.saturating_add(late.into()).saturating_mul(1000));
    let secrets: Vec<String> = keys.iter().map(|key| secret(key)).collect();
    let secret = secrets.join(" ");
    let usable = !keys.is_empty() && keys.iter().all(|key| !key.is_empty());
    let signed = standard::sign(&secret, &id, seconds, &body);
    assert_eq!(signed.is_ok(), usable);
    let Ok(signed) = signed else {
        return Ok(());
    };
    let texts = |id: &str, stamp: &str| -> Vec<String> {
        let message = [id.as_bytes(), b".", stamp.as_bytes(), b".", &body].concat();
        let macs = keys.iter().map(|key| hmac::<Sha256>(key, 64, &message));
        macs.map(|mac| format!("v1,{}", STANDARD.encode(mac)))
            .collect()
    };
    let stamped = seconds.to_string();
    assert_eq!(signed, texts(&id, &stamped).join(" "));
    let (id, stamped) = (identity.of(&id), stamp.of(&stamped));
    let given = given.unwrap_or_else(|| change.of(&signed));
    let verified = standard::verify(&secret, &id, &stamped, &given, &body, now);
    // What was sent is what must have been signed, to the letter; but for padding.
    let bare = |text: &str| text.trim_end_matches('=').to_owned();
    let right: Vec<String> = texts(&id, &stamped).iter().map(|t| bare(t)).collect();
    let one_is_right = given.split(' ').any(|text| right.contains(&bare(text)));
    let in_time = stamped
        .parse::<i64>()
        .is_ok_and(|made| (i128::from(made) - i128::from(now.as_seconds())).abs() <= 300);
    if verified.is_ok() {
        assert!(!id.is_empty() && one_is_right && in_time, "{given:?}");
    } else if !id.is_empty() && matches!(change, Change::None) && given == signed {
        let untouched = matches!(stamp, Change::None) && matches!(identity, Change::None);
        // With a full stop in it nobody can tell where the id ends.
        assert!(!untouched || !in_time || id.contains('.'), "{verified:?}");
    }
    Ok(())
}

fn secret(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

fn basics(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (user, password): (String, String) = input.arbitrary()?;
    let (change, given): (Change, Option<String>) = input.arbitrary()?;
    let right = basic_authorization(&user, &password);
    assert!(basic_matches(&right, &user, &password));
    let given = given.unwrap_or_else(|| change.of(&right));
    if basic_matches(&given, &user, &password) {
        let (scheme, credentials) = given.split_once(' ').unwrap();
        assert!(scheme.eq_ignore_ascii_case("basic"), "{given:?}");
        let decoded = STANDARD.decode(credentials.trim()).unwrap();
        assert_eq!(decoded, format!("{user}:{password}").into_bytes());
    }
    Ok(())
}

fn keys(input: Unstructured<'_>) {
    let text = String::from_utf8_lossy(input.take_rest()).into_owned();
    for encoding in [TextEncoding::Utf8, TextEncoding::Hex, TextEncoding::Base64] {
        match signature::key_bytes(&text, encoding) {
            Ok(key) => {
                assert!(!key.is_empty());
                match encoding {
                    TextEncoding::Utf8 => assert_eq!(key, text.as_bytes()),
                    TextEncoding::Hex => {
                        assert!(hex::encode(&key).eq_ignore_ascii_case(&text));
                    }
                    TextEncoding::Base64 => assert_eq!(
                        STANDARD.encode(&key).trim_end_matches('='),
                        text.trim_end_matches('=')
                    ),
                }
            }
            Err(KeyError::Empty) => assert!(text.trim_end_matches('=').is_empty()),
            Err(_) => assert_ne!(encoding, TextEncoding::Utf8),
        }
    }
    if let Ok(keys) = standard::secret_keys(&text) {
        assert!(!keys.is_empty() && keys.iter().all(|key| !key.is_empty()));
        let written: Vec<String> = keys.iter().map(|key| secret(key)).collect();
        assert_eq!(standard::secret_keys(&written.join(" ")), Ok(keys));
    }
}
