//! A signature as text: how it may be spelled, and which bytes a text may stand for.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE};
use base64::{Engine, alphabet};

use crate::endpoint::TextEncoding;
use crate::vendor::Profile;

/// What some vendors put before a signature, and others do not.
const PREFIXES: [&str; 6] = [
    "v1,",
    "v1=",
    "sha256=",
    "sha3-256=",
    "sha3=",
    "hmac-sha256=",
];

/// Longer than any signature: what a stranger sends is not read without end.
const TEXT_MAX: usize = 4096;

/// More signatures than any header has beside one another.
const TEXTS_MAX: usize = 16;

/// Whatever stands at the end: padding is a matter of taste.
const LOOSE: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LOOSE);
const ANY_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LOOSE);

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As the vendor does it.
    Right,
    /// In hexadecimal, where base64 is right.
    Hex,
    /// In base64, where hexadecimal is right.
    Base64,
    /// In the alphabet of base64 that is meant for URLs.
    UrlBase64,
    /// The base64 of the hexadecimal digits.
    Base64OfHex,
    /// In hexadecimal, of capital letters.
    UpperHex,
    /// Without the `v1,` of Standard Webhooks.
    NoPrefix,
    /// As `Hex` and `NoPrefix`.
    BareHex,
    /// With a prefix that the vendor does not write.
    Prefix,
}

impl Spelling {
    /// The ways in which it may be spelled otherwise under `profile`.
    pub(super) fn all(profile: Profile, encoding: TextEncoding) -> &'static [Self] {
        match (profile, encoding) {
            (Profile::Standard, _) => &[Self::NoPrefix, Self::BareHex, Self::Hex, Self::UrlBase64],
            (_, TextEncoding::Base64) => &[Self::Hex, Self::UrlBase64, Self::Prefix],
            _ => &[
                Self::Base64,
                Self::UrlBase64,
                Self::UpperHex,
                Self::Prefix,
                Self::Base64OfHex,
            ],
        }
    }

    /// The header's text for this signature.
    pub(super) fn text(self, mac: &[u8], profile: Profile, encoding: TextEncoding) -> String {
        let is_standard = profile == Profile::Standard;
        let right = match is_standard || encoding == TextEncoding::Base64 {
            true => STANDARD.encode(mac),
            false => hex::encode(mac),
        };
        let text = match self {
            Self::Right | Self::NoPrefix | Self::Prefix => right,
            Self::Hex | Self::BareHex => hex::encode(mac),
            Self::Base64 => STANDARD.encode(mac),
            Self::UrlBase64 => URL_SAFE.encode(mac),
            Self::Base64OfHex => STANDARD.encode(hex::encode(mac)),
            Self::UpperHex => hex::encode_upper(mac),
        };
        match self {
            Self::NoPrefix | Self::BareHex => text,
            Self::Prefix => format!("sha3-256={text}"),
            _ if is_standard => format!("v1,{text}"),
            _ => text,
        }
    }

    /// As in "it is right for …"; none where it is as it should be.
    pub(super) fn words(self) -> Option<String> {
        let words = match self {
            Self::Right => return None,
            Self::Hex => "a signature in hexadecimal instead of base64",
            Self::Base64 => "a signature in base64 instead of hexadecimal",
            Self::UrlBase64 => "a signature in base64 as URLs have it (- and _)",
            Self::Base64OfHex => "the base64 of the hexadecimal digits",
            Self::UpperHex => "a signature in capital letters",
            Self::NoPrefix => "a signature without `v1,` before it",
            Self::BareHex => {
                "a signature in hexadecimal instead of base64, without `v1,` before it"
            }
            Self::Prefix => "a signature with a prefix before it",
        };
        Some(words.to_owned())
    }

    /// What to do instead.
    pub(super) fn mend(self) -> Option<&'static str> {
        match self {
            Self::Right => None,
            Self::Hex | Self::UrlBase64 => {
                Some("write the signature's bytes in standard base64, with padding")
            }
            Self::Base64 | Self::Base64OfHex | Self::UpperHex => {
                Some("write the signature's bytes in lower-case hexadecimal")
            }
            Self::BareHex => Some("write `v1,` and the signature's bytes in standard base64"),
            Self::NoPrefix => Some("split the header at its spaces, and take what follows `v1,`"),
            Self::Prefix => Some("the header is the signature and nothing else"),
        }
    }
}

/// What `given` may stand for: each way to read it, the right one first.
pub(super) fn readings(
    given: &str,
    profile: Profile,
    encoding: TextEncoding,
) -> Vec<(Spelling, Vec<u8>)> {
    let is_standard = profile == Profile::Standard;
    let is_base64 = is_standard || encoding == TextEncoding::Base64;
    let mut all = Vec::new();
    let texts = given.split(' ').take(TEXTS_MAX);
    for text in texts.filter(|text| text.len() <= TEXT_MAX) {
        let prefix = PREFIXES.iter().find(|prefix| text.starts_with(**prefix));
        let bare = &text[prefix.map_or(0, |prefix| prefix.len())..];
        let has_right_prefix = prefix.copied() == is_standard.then_some("v1,");
        let respelled = match (is_standard, prefix) {
            _ if has_right_prefix => Spelling::Right,
            (true, None) => Spelling::NoPrefix,
            _ => Spelling::Prefix,
        };
        // The wrong alphabet says more than what stands before it.
        let (hex_word, base64_word) = match (is_base64, respelled) {
            (true, Spelling::NoPrefix) => (Spelling::BareHex, respelled),
            (true, _) => (Spelling::Hex, respelled),
            (false, _) => (respelled, Spelling::Base64),
        };
        let hexadecimal = hex::decode(bare).ok();
        let base64 = ANY_STANDARD.decode(bare).ok();
        let of_hex = base64.as_deref().and_then(|text| hex::decode(text).ok());
        let urls = ANY_URL_SAFE.decode(bare).ok();
        for (spelling, bytes) in [
            (hex_word, hexadecimal),
            (base64_word, base64),
            (Spelling::Base64OfHex, of_hex),
            (Spelling::UrlBase64, urls),
        ] {
            all.extend(bytes.map(|bytes| (spelling, bytes)));
        }
    }
    all.sort_by_key(|(spelling, _)| *spelling != Spelling::Right);
    all
}
