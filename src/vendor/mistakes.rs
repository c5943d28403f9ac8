//! The usual mistakes of whoever computes a signature, so that a wrong one can be explained. Pure.
//!
//! | file | what is in it |
//! |---|---|
//! | `slip` | one thing done otherwise than the vendor does it, and its words |
//! | `rewritten` | a JSON body as a program writes it that has parsed it first |
//! | `spelled` | a signature as text: which bytes a text may stand for |

mod rewritten;
mod slip;
mod spelled;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use sha2::{Digest, Sha256, Sha512};
use sha3::{Keccak256, Sha3_256, Sha3_512};

use self::slip::{Base, Body, Hash, Key, Slip};
use self::spelled::Spelling;
use super::{Profile, signature, standard};
use crate::endpoint::TextEncoding;
use crate::endpoint::validate::decode_base64;

/// Bytes of a body above which no two slips are tried together: each try hashes the whole of it.
const PAIRS_MAX_BYTES: usize = 256 * 1024;

/// What a signature is made of.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// Whose way of signing.
    pub profile: Profile,
    /// The key's text.
    pub key: &'a str,
    /// How the key's text becomes bytes; Standard Webhooks fixes it.
    pub key_encoding: TextEncoding,
    /// How the signature becomes text; Standard Webhooks fixes it.
    pub signature_encoding: TextEncoding,
    /// The message's id (Standard Webhooks).
    pub id: &'a str,
    /// The message's timestamp as its header has it (Standard Webhooks).
    pub timestamp: &'a str,
    /// The body as it is sent.
    pub body: &'a [u8],
}

/// What explains a signature: what was done otherwise, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// As in "it is right for …". Never holds the key.
    pub what: String,
    /// What to do instead.
    pub mend: &'static str,
}

/// As a hint behind what is wrong.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is right for {}; {}", self.what, self.mend)
    }
}

impl Material<'_> {
    /// The mistake that explains `given`; none where it is right, or nothing explains it. One slip
    /// goes before two, however the text is spelled.
    pub fn explain(&self, given: &str) -> Option<Mistake> {
        let readings = spelled::readings(given, self.profile, self.signature_encoding);
        let found = |slips: &[Slip]| {
            let mac = self.mac(slips)?;
            let mut fitting = readings.iter();
            let (spelling, _) = fitting.find(|(_, bytes)| signature::same(bytes, &mac))?;
            mistake(slips, *spelling)
        };
        let singles = self.slips();
        let alone = [Vec::new()]
            .into_iter()
            .chain(singles.iter().map(|slip| vec![*slip]));
        let pairs = singles.iter().enumerate().flat_map(|(place, one)| {
            let rest = singles[place + 1..].iter();
            rest.filter(|other| !other.excludes(one))
                .map(|other| vec![*one, *other])
        });
        let few = self.body.len() <= PAIRS_MAX_BYTES;
        let pairs = pairs.filter(|_| few);
        alone.chain(pairs).find_map(|slips| found(&slips))
    }

    /// Signatures as somebody expects them who makes one mistake, each with that mistake. Bounded:
    /// some forty, each another text.
    pub fn mistaken(&self) -> Vec<(Mistake, String)> {
        let spellings = Spelling::all(self.profile, self.signature_encoding);
        let spelled = spellings
            .iter()
            .map(|spelling| (Vec::new(), *spelling))
            .chain(
                self.slips()
                    .into_iter()
                    .map(|slip| (vec![slip], Spelling::Right)),
            );
        let mut all: Vec<(Mistake, String)> = Vec::new();
        for (slips, spelling) in spelled {
            let text = self
                .mac(&slips)
                .map(|mac| spelling.text(&mac, self.profile, self.signature_encoding));
            if let (Some(text), Some(mistake)) = (text, mistake(&slips, spelling))
                && !all.iter().any(|(_, known)| *known == text)
            {
                all.push((mistake, text));
            }
        }
        all
    }

    /// The slips that change anything here.
    fn slips(&self) -> Vec<Slip> {
        let right = self.mac(&[]);
        let slips = slip::of(self.profile).into_iter();
        slips
            .filter(|slip| {
                let mac = self.mac(&[*slip]);
                mac.is_some() && mac != right
            })
            .collect()
    }

    /// The bytes of the signature with these slips; none where they cannot be made.
    fn mac(&self, slips: &[Slip]) -> Option<Vec<u8>> {
        let (mut key, mut body, mut base, mut hash) = (None, None, None, None);
        for slip in slips {
            match slip {
                Slip::Key(slip) => key = Some(*slip),
                Slip::Body(slip) => body = Some(*slip),
                Slip::Base(slip) => base = Some(*slip),
                Slip::Hash(slip) => hash = Some(*slip),
            }
        }
        let key = self.key(key)?;
        let body = match body {
            None => self.body.to_vec(),
            Some(Body::WithoutNewline) => self.body.strip_suffix(b"\n")?.to_vec(),
            Some(Body::WithNewline) => [self.body, b"\n"].concat(),
            Some(Body::Rewritten(style)) => rewritten::rewritten(self.body, style)?,
        };
        Some(hashed(&key, &self.base(base, &body), hash, self.profile))
    }

    fn key(&self, slip: Option<Key>) -> Option<Vec<u8>> {
        let text = match slip {
            None => return self.key_bytes(self.key),
            Some(Key::WithNewline) => return Some([self.key.as_bytes(), b"\n"].concat()),
            Some(Key::Trimmed) => self.key.trim(),
            Some(Key::Text) => return Some(self.key.as_bytes().to_vec()),
            Some(Key::WithoutPrefix) => {
                let text = self.key.strip_prefix(standard::SECRET_PREFIX)?;
                return Some(text.as_bytes().to_vec());
            }
            Some(Key::Hex) => return hex::decode(self.key.trim()).ok(),
            Some(Key::Base64) => return decode_base64(self.key.trim()),
        };
        self.key_bytes(text)
    }

    fn key_bytes(&self, text: &str) -> Option<Vec<u8>> {
        match self.profile {
            // While keys are changed there are several; the mistake is looked for in the first.
            Profile::Standard => standard::secret_keys(text).ok()?.into_iter().next(),
            Profile::Hotjar | Profile::Esputnik => {
                signature::key_bytes(text, self.key_encoding).ok()
            }
        }
    }

    fn base(&self, slip: Option<Base>, body: &[u8]) -> Vec<u8> {
        let (id, time) = (self.id.as_bytes(), self.timestamp.as_bytes());
        match (self.profile, slip) {
            (Profile::Hotjar | Profile::Esputnik, _) | (_, Some(Base::BodyAlone)) => body.to_vec(),
            (Profile::Standard, None) => [id, b".", time, b".", body].concat(),
            (_, Some(Base::WithoutId)) => [time, b".", body].concat(),
            (_, Some(Base::WithoutTime)) => [id, b".", body].concat(),
            (_, Some(Base::TimeFirst)) => [time, b".", id, b".", body].concat(),
            (_, Some(Base::WithoutStops)) => [id, time, body].concat(),
            (_, Some(Base::Milliseconds)) => [id, b".", time, b"000.", body].concat(),
        }
    }
}

/// In words; none where nothing was done otherwise.
fn mistake(slips: &[Slip], spelling: Spelling) -> Option<Mistake> {
    let words = slips.iter().map(|slip| slip.words());
    let words: Vec<_> = words.chain(spelling.words()).collect();
    // What comes first is what stands in the way of the rest.
    let mend = slips.first().map(|slip| slip.mend());
    Some(Mistake {
        mend: mend.or_else(|| spelling.mend())?,
        what: words.join(", and for "),
    })
}

fn hashed(key: &[u8], base: &[u8], slip: Option<Hash>, profile: Profile) -> Vec<u8> {
    fn mac<M: KeyInit + Mac>(key: &[u8], base: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes any key length");
        mac.update(base);
        mac.finalize().into_bytes().to_vec()
    }
    let is_sha3 = profile != Profile::Standard;
    let plain = |parts: &[&[u8]]| match is_sha3 {
        true => Sha3_256::digest(parts.concat()).to_vec(),
        false => Sha256::digest(parts.concat()).to_vec(),
    };
    match slip {
        None if is_sha3 => signature::hmac_sha3_256(key, base).to_vec(),
        None => signature::hmac_sha256(key, &[base]).to_vec(),
        Some(Hash::Sha3) => signature::hmac_sha3_256(key, base).to_vec(),
        Some(Hash::Sha256) => signature::hmac_sha256(key, &[base]).to_vec(),
        Some(Hash::Sha512) => mac::<Hmac<Sha512>>(key, base),
        Some(Hash::Sha3512) => mac::<SimpleHmac<Sha3_512>>(key, base),
        Some(Hash::Keccak) => mac::<SimpleHmac<Keccak256>>(key, base),
        Some(Hash::Sha1) => mac::<Hmac<sha1::Sha1>>(key, base),
        Some(Hash::Exchanged) => hashed(base, key, None, profile),
        Some(Hash::KeyThenBody) => plain(&[key, base]),
        Some(Hash::BodyThenKey) => plain(&[base, key]),
        Some(Hash::NoKey) => plain(&[base]),
    }
}

#[cfg(test)]
mod tests;
