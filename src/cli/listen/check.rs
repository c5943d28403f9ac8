//! What the receiver makes of a request's signature and credentials. Pure.

use hyper::header::{AUTHORIZATION, HeaderMap};

use crate::clock::Timestamp;
use crate::endpoint::{BasicAuth, TextEncoding};
use crate::secret::Secret;
use crate::vendor::{KeyError, VerifyError, basic_matches, hotjar, signature, standard};

/// What requests must carry.
#[derive(Debug, Default)]
pub struct Checks {
    /// A site's signing keys, of which one suffices; their UTF-8 bytes are used (A-08).
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
                    return Verdict::Wrong(format!("{what}: {error}{mend}"));
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
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::vendor::basic_authorization;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const BODY: &[u8] = br#"{"timestamp":1699999999}"#;

    fn headers(pairs: &[(&str, String)]) -> HeaderMap {
        let pair = |(name, value): &(&str, String)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn both() -> Checks {
        Checks {
            hotjar_keys: vec![Secret::new("k")],
            standard_secrets: vec![Secret::new("whsec_a2V5")],
            ..Checks::default()
        }
    }

    fn hotjar_header(body: &[u8]) -> (&'static str, String) {
        let text = hotjar::sign(b"k", body, TextEncoding::Hex).unwrap();
        (hotjar::SIGNATURE_HEADER, text)
    }

    #[test]
    fn hot_34_a_right_signature_is_right_and_a_forged_or_missing_one_is_wrong() {
        let good = headers(&[hotjar_header(BODY)]);
        assert_eq!(both().verdict(&good, BODY, NOW), Verdict::Right("hotjar"));
        assert_eq!(both().verdict(&good, b"{}", NOW).word(), "wrong");
        assert_eq!(both().verdict(&headers(&[]), BODY, NOW).word(), "wrong");
        let nothing = Checks::default();
        assert_eq!(nothing.verdict(&good, BODY, NOW), Verdict::Unchecked);
    }

    #[test]
    fn while_a_key_is_replaced_a_signature_by_either_is_right_and_by_neither_is_wrong() {
        let good = headers(&[hotjar_header(BODY)]);
        let with = |keys: &[&str]| Checks {
            hotjar_keys: keys.iter().map(|key| Secret::new(*key)).collect(),
            ..Checks::default()
        };
        for keys in [&["k"][..], &["new", "k"], &["k", "old"]] {
            let verdict = with(keys).verdict(&good, BODY, NOW);
            assert_eq!(verdict, Verdict::Right("hotjar"), "{keys:?}");
        }
        assert_eq!(
            with(&["new", "old"]).verdict(&good, BODY, NOW).word(),
            "wrong"
        );
        let signature = standard::sign("whsec_b2xk", "m", 1_700_000_000, BODY).unwrap();
        let signed = headers(&[
            (standard::ID_HEADER, "m".to_owned()),
            (standard::TIMESTAMP_HEADER, "1700000000".to_owned()),
            (standard::SIGNATURE_HEADER, signature),
        ]);
        let mut checks = Checks {
            standard_secrets: vec![Secret::new("whsec_bmV3")],
            ..Checks::default()
        };
        assert_eq!(checks.verdict(&signed, BODY, NOW).word(), "wrong");
        checks.standard_secrets.push(Secret::new("whsec_b2xk"));
        assert_eq!(
            checks.verdict(&signed, BODY, NOW),
            Verdict::Right("standard")
        );
    }

    #[test]
    fn a_right_signature_of_one_kind_does_not_excuse_a_forged_one_of_the_other() {
        let signature = standard::sign("whsec_a2V5", "m", 1_700_000_000, BODY).unwrap();
        let mut pairs = vec![
            (standard::ID_HEADER, "m".to_owned()),
            (standard::TIMESTAMP_HEADER, "1700000000".to_owned()),
            (standard::SIGNATURE_HEADER, signature),
        ];
        let verdict = both().verdict(&headers(&pairs), BODY, NOW);
        assert_eq!(verdict, Verdict::Right("standard"));
        pairs.push((hotjar::SIGNATURE_HEADER, "00".repeat(32)));
        assert_eq!(both().verdict(&headers(&pairs), BODY, NOW).word(), "wrong");
    }

    #[test]
    fn hot_35_an_old_timestamp_is_wrong_unless_any_age_will_do() {
        let later = Timestamp::from_millis(1_700_000_400_000);
        let good = headers(&[hotjar_header(BODY)]);
        let strict = both().verdict(&good, BODY, later).text();
        assert!(strict.contains("--any-age"), "{strict}");
        let lenient = Checks {
            any_age: true,
            ..both()
        };
        assert_eq!(lenient.verdict(&good, BODY, later).word(), "right");
    }

    #[test]
    fn esp_04_credentials_are_needed_beside_a_right_signature() {
        let checks = Checks {
            basic: Some(BasicAuth {
                user: "u".into(),
                password: Secret::new("p"),
            }),
            ..both()
        };
        let signed = [hotjar_header(BODY)];
        assert_eq!(checks.verdict(&headers(&signed), BODY, NOW).word(), "wrong");
        let [signature] = signed;
        let all = headers(&[signature, ("authorization", basic_authorization("u", "p"))]);
        assert_eq!(checks.verdict(&all, BODY, NOW).word(), "right");
    }
}
