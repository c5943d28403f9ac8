//! What the receiver makes of a request's signature and credentials. Pure.

use hyper::header::{AUTHORIZATION, HeaderMap};

use crate::clock::Timestamp;
use crate::endpoint::{BasicAuth, TextEncoding};
use crate::secret::Secret;
use crate::vendor::mistakes::{Material, Mistake};
use crate::vendor::{KeyError, Profile, VerifyError, basic_matches, hotjar, signature, standard};

/// Bytes of a body above which no mistake is looked for: each of hundreds of tries hashes all of it,
/// for whoever sends it.
const EXPLAINED_MAX_BYTES: usize = 64 * 1024;

/// What requests must carry.
#[derive(Debug, Default)]
pub struct Checks {
    /// A site's signing keys, of which one suffices; their UTF-8 bytes are used.
    pub hotjar_keys: Vec<Secret>,
    /// Secrets, of which one suffices; each may be several with spaces between.
    pub standard_secrets: Vec<Secret>,
    /// Credentials of HTTP Basic.
    pub basic: Option<BasicAuth>,
    /// Whether a timestamp may be of any age: for senders on a virtual clock.
    pub any_age: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was to be checked.
    Unchecked,
    /// Right.
    Right(&'static str),
    /// Wrong, and why.
    Wrong(String),
}

impl Verdict {
    /// One word for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Right(_) => "right",
            Self::Wrong(_) => "wrong",
        }
    }

    /// In words for people.
    pub fn text(&self) -> String {
        match self {
            Self::Unchecked => "not checked".to_owned(),
            Self::Right(what) => format!("{what} right"),
            Self::Wrong(why) => format!("wrong: {why}"),
        }
    }
}

impl Checks {
    /// Whether the keys can be used at all.
    pub fn validate(&self) -> Result<(), KeyError> {
        for key in &self.hotjar_keys {
            signature::key_bytes(key.expose(), TextEncoding::Utf8)?;
        }
        for secret in &self.standard_secrets {
            standard::secret_keys(secret.expose())?;
        }
        Ok(())
    }

    /// Credentials are always needed where they are set. Of the two kinds of signature one
    /// suffices, so that one receiver can stand behind endpoints of both; none that is there may
    /// be wrong.
    pub fn verdict(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Verdict {
        if let Some(basic) = &self.basic {
            let given = text(headers, AUTHORIZATION.as_str());
            if !basic_matches(given, &basic.user, basic.password.expose()) {
                return Verdict::Wrong("Basic credentials missing or wrong".to_owned());
            }
        }
        let mut right = None;
        let mut missing = None;
        let found = [
            ("hotjar", self.hotjar(headers, body, now)),
            ("standard", self.standard(headers, body, now)),
        ];
        for (what, found) in found {
            let mistake = match &found {
                Some(Err(VerifyError::Mismatch | VerifyError::Malformed { .. })) => {
                    self.mistake(what, headers, body)
                }
                _ => None,
            };
            match found {
                None => {}
                Some(Ok(())) => right = Some(what),
                Some(Err(VerifyError::Missing)) => missing = Some(what),
                Some(Err(error)) => {
                    let mend = match error {
                        VerifyError::Stale { .. } | VerifyError::Future { .. } => {
                            " (a sender on a virtual clock? add --any-age)"
                        }
                        _ => "",
                    };
                    let mistake = mistake.map(|mistake| format!("; {mistake}"));
                    let mistake = mistake.unwrap_or_default();
                    return Verdict::Wrong(format!("{what}: {error}{mend}{mistake}"));
                }
            }
        }
        match (right, missing, &self.basic) {
            (Some(what), _, _) => Verdict::Right(what),
            (None, Some(what), _) => Verdict::Wrong(format!("{what}: {}", VerifyError::Missing)),
            (None, None, Some(_)) => Verdict::Right("basic"),
            (None, None, None) => Verdict::Unchecked,
        }
    }

    /// The usual mistake that explains a wrong signature, with whichever key.
    fn mistake(&self, what: &str, headers: &HeaderMap, body: &[u8]) -> Option<Mistake> {
        if body.len() > EXPLAINED_MAX_BYTES {
            return None;
        }
        let header = |name| text(headers, name);
        let (profile, keys, given) = match what {
            "hotjar" => (
                Profile::Hotjar,
                &self.hotjar_keys,
                header(hotjar::SIGNATURE_HEADER),
            ),
            _ => (
                Profile::Standard,
                &self.standard_secrets,
                header(standard::SIGNATURE_HEADER),
            ),
        };
        keys.iter().find_map(|key| {
            let material = Material {
                profile,
                key: key.expose(),
                key_encoding: TextEncoding::Utf8,
                signature_encoding: TextEncoding::Hex,
                id: header(standard::ID_HEADER),
                timestamp: header(standard::TIMESTAMP_HEADER),
                body,
            };
            material.explain(given.trim())
        })
    }

    fn hotjar(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Result<(), VerifyError>> {
        let given = text(headers, hotjar::SIGNATURE_HEADER);
        // HOT-35: the signature first; until then the timestamp is a stranger's claim.
        let checked = by_one_of(&self.hotjar_keys, |key| {
            hotjar::verify(key.expose().as_bytes(), body, given, TextEncoding::Hex)
        })?;
        Some(match checked {
            Ok(()) if !self.any_age => hotjar::check_age(body, now),
            checked => checked,
        })
    }

    fn standard(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Result<(), VerifyError>> {
        let header = |name| text(headers, name);
        let checked = by_one_of(&self.standard_secrets, |secret| {
            standard::verify_signature(
                secret.expose(),
                header(standard::ID_HEADER),
                header(standard::TIMESTAMP_HEADER),
                header(standard::SIGNATURE_HEADER),
                body,
            )
        })?;
        Some(match checked {
            Ok(made) if !self.any_age => standard::check_age(made, now),
            checked => checked.map(drop),
        })
    }
}

/// What the first key says that finds the signature right, or else the first one; none where there
/// is no key.
pub fn by_one_of<T>(
    keys: &[Secret],
    mut verify: impl FnMut(&Secret) -> Result<T, VerifyError>,
) -> Option<Result<T, VerifyError>> {
    let (first, others) = keys.split_first()?;
    let found = verify(first);
    if found.is_ok() {
        return Some(found);
    }
    let other = others.iter().find_map(|key| verify(key).ok());
    Some(other.map_or(found, Ok))
}

/// A header's value; empty if it is absent or not ASCII.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
