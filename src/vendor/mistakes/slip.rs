//! One thing done otherwise than the vendor does it, and its words.

use super::rewritten::Style;
use crate::vendor::Profile;

/// One thing done otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// With the key.
    Key(Key),
    /// With the body.
    Body(Body),
    /// With what is put round the body.
    Base(Base),
    /// With the hash.
    Hash(Hash),
}

/// What becomes of the key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A newline that no editor shows is taken for a part of it.
    WithNewline,
    /// The white space round it is left out.
    Trimmed,
    /// Its text is used, instead of the bytes that it stands for.
    Text,
    /// As `Text`, without `whsec_`.
    WithoutPrefix,
    /// It is decoded from hexadecimal.
    Hex,
    /// It is decoded from base64.
    Base64,
}

/// What becomes of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Its last newline is left out.
    WithoutNewline,
    /// A newline is added.
    WithNewline,
    /// It is parsed, and written again.
    Rewritten(Style),
}

/// What is put round the body, under Standard Webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    BodyAlone,
    /// The timestamp.
    WithoutId,
    /// The id.
    WithoutTime,
    /// The timestamp before the id.
    TimeFirst,
    /// Both, and no full stops.
    WithoutStops,
    /// The timestamp in milliseconds.
    Milliseconds,
}

/// Which function is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA3-256.
    Sha3,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
    /// HMAC-SHA3-512.
    Sha3512,
    /// HMAC over Keccak-256, which is SHA3-256 before it became a standard: some libraries call it
    /// SHA-3.
    Keccak,
    /// HMAC-SHA1.
    Sha1,
    /// HMAC with key and message exchanged.
    Exchanged,
    /// A plain hash of the key and then the body.
    KeyThenBody,
    /// A plain hash of the body and then the key.
    BodyThenKey,
    /// A plain hash of the body.
    NoKey,
}

/// What may be done otherwise under `profile`, the most frequent first.
pub(super) fn of(profile: Profile) -> Vec<Slip> {
    let is_standard = profile == Profile::Standard;
    let bodies = [Body::WithoutNewline, Body::WithNewline];
    let bodies = bodies
        .into_iter()
        .chain(Style::ALL.map(Body::Rewritten))
        .map(Slip::Body);
    let keys: &[Key] = match is_standard {
        true => &[Key::Text, Key::WithoutPrefix, Key::WithNewline],
        false => &[
            Key::WithNewline,
            Key::Trimmed,
            Key::Text,
            Key::Hex,
            Key::Base64,
        ],
    };
    let bases: &[Base] = match is_standard {
        true => &[
            Base::BodyAlone,
            Base::WithoutId,
            Base::WithoutTime,
            Base::TimeFirst,
            Base::WithoutStops,
            Base::Milliseconds,
        ],
        false => &[],
    };
    let hashes = [
        if is_standard {
            Hash::Sha3
        } else {
            Hash::Sha256
        },
        Hash::Sha512,
        Hash::Sha3512,
        Hash::Sha1,
        Hash::Keccak,
        Hash::KeyThenBody,
        Hash::BodyThenKey,
        Hash::NoKey,
        Hash::Exchanged,
    ];
    bodies
        .chain(keys.iter().copied().map(Slip::Key))
        .chain(bases.iter().copied().map(Slip::Base))
        .chain(hashes.map(Slip::Hash))
        .collect()
}

impl Slip {
    /// Whether the two cannot happen together: both are of one kind.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// As in "it is right for …".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Key(key) => key.words().to_owned(),
            Self::Body(Body::WithoutNewline) => "the body without its last newline".to_owned(),
            Self::Body(Body::WithNewline) => "the body with a newline at its end".to_owned(),
            Self::Body(Body::Rewritten(style)) => {
                format!("the JSON parsed and written again as {}", style.words())
            }
            Self::Base(base) => base.words().to_owned(),
            Self::Hash(hash) => hash.words().to_owned(),
        }
    }

    /// What to do instead.
    pub(super) fn mend(&self) -> &'static str {
        match self {
            Self::Key(Key::WithNewline | Key::Trimmed) => {
                "take the key without the white space that a file or a variable has round it"
            }
            Self::Key(Key::Text | Key::WithoutPrefix) => {
                "decode the key's text first, as its encoding says: a whsec_ secret is base64 behind its prefix"
            }
            Self::Key(Key::Hex | Key::Base64) => {
                "use the bytes of the key's text as they are, or say --key-encoding"
            }
            Self::Body(_) => {
                "compute the signature over the body's bytes as they came, before they are parsed or trimmed"
            }
            Self::Base(_) => {
                "compute the signature over the id, the timestamp in seconds and the raw body, with full stops between"
            }
            Self::Hash(_) => {
                "compute the vendor's HMAC: HMAC-SHA3-256 of Hotjar, HMAC-SHA256 of Standard Webhooks, the key first"
            }
        }
    }
}

impl Key {
    fn words(self) -> &'static str {
        match self {
            Self::WithNewline => "the key with a newline at its end",
            Self::Trimmed => "the key without the white space round it",
            Self::Text => "the key's text, undecoded",
            Self::WithoutPrefix => "the text behind whsec_, undecoded",
            Self::Hex => "the key decoded from hexadecimal",
            Self::Base64 => "the key decoded from base64",
        }
    }
}

impl Base {
    fn words(self) -> &'static str {
        match self {
            Self::BodyAlone => "the body alone, without id and timestamp",
            Self::WithoutId => "timestamp and body, without the id",
            Self::WithoutTime => "id and body, without the timestamp",
            Self::TimeFirst => "the timestamp before the id",
            Self::WithoutStops => "id, timestamp and body without full stops between",
            Self::Milliseconds => "a timestamp in milliseconds",
        }
    }
}

impl Hash {
    fn words(self) -> &'static str {
        match self {
            Self::Sha3 => "SHA3-256 instead of SHA-256",
            Self::Sha256 => "SHA-256 instead of SHA3-256",
            Self::Sha512 => "SHA-512",
            Self::Sha3512 => "SHA3-512",
            Self::Keccak => "Keccak-256, as some libraries have it in the place of SHA-3",
            Self::Sha1 => "SHA-1",
            Self::Exchanged => "an HMAC with key and message exchanged",
            Self::KeyThenBody => "a plain hash of the key and what is signed instead of an HMAC",
            Self::BodyThenKey => "a plain hash of what is signed and the key instead of an HMAC",
            Self::NoKey => "a plain hash without the key instead of an HMAC",
        }
    }
}
