//! The rules for single settings of an endpoint, for the configuration file and the API alike.
//! No message shows a key, a password or a header's value.

use std::collections::BTreeSet;

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use hyper::header::{HeaderName, HeaderValue};

use super::headers::{Headers, is_reserved};
use super::{BasicAuth, TextEncoding};
use crate::policy::KeyForm;
use crate::secret::Secret;
use crate::words::quoted;

/// The most attempts at once that one endpoint may ask for.
pub const CONCURRENCY_MAX: u32 = 512;
/// The longest that one attempt may take: a lease outlives an attempt, and a crash holds its
/// deliveries back for as long as the lease.
pub const TIMEOUT_MAX: std::time::Duration = std::time::Duration::from_secs(600);
const EVENTS_MAX: usize = 100;
/// As long as an event's type may be.
const EVENT_MAX_CHARS: usize = 255;
const HEADERS_MAX: usize = 32;
const HEADER_VALUE_MAX_BYTES: usize = 4096;
const BASIC_MAX_BYTES: usize = 1024;
const PEM_MAX_BYTES: usize = 256 * 1024;
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// What is wrong with one field, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What is wrong; how to mend it.
    pub detail: String,
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Findings(pub Vec<FieldError>);

impl Findings {
    pub(super) fn add(&mut self, at: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError {
            at: at.into(),
            detail: detail.into(),
        });
    }

    pub(super) fn refuse(&mut self, at: &str, result: Result<(), String>) {
        if let Err(detail) = result {
            self.add(at, detail);
        }
    }
}

/// A key as one part of a JSON pointer.
pub(crate) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The rule for names of endpoints, sources and policies.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(allowed) {
        return Err(format!(
            "name {} is not 1 to 64 letters, digits, dots, dashes and underscores; choose another",
            quoted(name)
        ));
    }
    // A path segment that is a dot or two is eaten by clients.
    if name.starts_with("ep_") || matches!(name, "." | "..") {
        return Err(format!(
            "name {} could be taken for an id or a path; choose another",
            quoted(name)
        ));
    }
    Ok(())
}

/// Checks the patterns of an endpoint's `events`.
pub(super) fn check_events(found: &mut Findings, patterns: &[String]) {
    if patterns.is_empty() || patterns.len() > EVENTS_MAX {
        let detail = if patterns.is_empty() {
            "events is empty and would match nothing; leave it out for all".to_owned()
        } else {
            format!("events has more than {EVENTS_MAX} patterns; use prefixes such as \"order.*\"")
        };
        return found.add("/events", detail);
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let at = format!("/events/{i}");
        let stem = pattern.strip_suffix(".*").unwrap_or(pattern);
        if pattern.is_empty() || pattern.chars().count() > EVENT_MAX_CHARS {
            found.add(
                at,
                format!(
                    "event {} is not 1 to {EVENT_MAX_CHARS} characters; give an event type",
                    quoted(pattern)
                ),
            );
        } else if pattern != "*" && (stem.contains('*') || stem.is_empty()) {
            found.add(at, format!("event {} has a star in a place where none can stand; use \"*\", a prefix such as \"order.*\" or an exact type", quoted(pattern)));
        }
    }
}

/// Checks further request headers.
pub(super) fn check_headers(found: &mut Findings, headers: &Headers, has_basic_auth: bool) {
    if headers.0.len() > HEADERS_MAX {
        return found.add(
            "/headers",
            format!("headers has more than {HEADERS_MAX} entries; take some out"),
        );
    }
    let mut seen = BTreeSet::new();
    for (name, value) in &headers.0 {
        let at = format!("/headers/{}", pointer_part(name));
        let shown = quoted(name);
        let lower = name.to_ascii_lowercase();
        if name.len() > 128 || HeaderName::from_bytes(name.as_bytes()).is_err() {
            found.add(at.clone(), format!("header name {shown} is not a valid HTTP header name; use letters, digits and dashes"));
        } else if is_reserved(&lower) {
            found.add(
                at.clone(),
                format!("header {shown} is set by redeliver itself; take it out"),
            );
        } else if lower == "authorization" && has_basic_auth {
            found.add(
                at.clone(),
                format!("header {shown} clashes with basic_auth; keep one of the two"),
            );
        } else if !seen.insert(lower) {
            found.add(
                at.clone(),
                format!("header {shown} is given twice; keep one of the two"),
            );
        }
        if value.len() > HEADER_VALUE_MAX_BYTES {
            found.add(at, format!("the value of header {shown} is longer than {HEADER_VALUE_MAX_BYTES} bytes; shorten it"));
        } else if !value.is_ascii()
            || HeaderValue::from_str(value).is_err()
            || value.trim() != value
        {
            found.add(at, format!("the value of header {shown} has characters that no header can carry; use plain ASCII without line breaks, and no space at either end"));
        }
    }
}

/// Checks user name and password (RFC 7617).
pub(super) fn check_basic_auth(found: &mut Findings, auth: &BasicAuth) {
    found.refuse("/basic_auth/user", check_user(&auth.user));
    found.refuse("/basic_auth/password", check_password(&auth.password));
}

/// The rule for user names of HTTP Basic authentication.
pub(crate) fn check_user(user: &str) -> Result<(), String> {
    if user.is_empty() || user.len() > BASIC_MAX_BYTES {
        Err(format!(
            "user is not 1 to {BASIC_MAX_BYTES} bytes; give the login"
        ))
    } else if user.contains(':') {
        Err("user has a colon, which HTTP Basic cannot carry; choose another login".into())
    } else if user.chars().any(char::is_control) {
        Err("user has a control character; take it out".into())
    } else {
        Ok(())
    }
}

/// The rule for passwords of HTTP Basic authentication.
pub(crate) fn check_password(password: &Secret) -> Result<(), String> {
    if password.expose().len() > BASIC_MAX_BYTES {
        Err(format!(
            "password is longer than {BASIC_MAX_BYTES} bytes; choose a shorter one"
        ))
    } else if password.expose().chars().any(char::is_control) {
        Err("password has a control character, perhaps a line break; take it out".into())
    } else {
        Ok(())
    }
}

/// The rule for keys: that they are there, and in the form that the policy wants or, where that is
/// a text, in the encoding that is claimed.
pub(crate) fn check_key(
    what: &str,
    key: &Secret,
    form: KeyForm,
    encoding: TextEncoding,
) -> Result<(), String> {
    let text = key.expose();
    if text.is_empty() {
        return Err(format!("{what} is empty; give a key, or leave it out"));
    }
    if text.len() > 4096 {
        return Err(format!(
            "{what} is longer than 4096 bytes; give a shorter key"
        ));
    }
    if form == KeyForm::StandardSecret {
        let is_secret = |key: &str| {
            let base64 = key.strip_prefix("whsec_").unwrap_or(key);
            decode_base64(base64).is_some_and(|bytes| !bytes.is_empty())
        };
        let mut keys = text.split_ascii_whitespace().peekable();
        return match keys.peek().is_some() && keys.all(is_secret) {
            true => Ok(()),
            false => Err(format!(
                "{what} is no Standard Webhooks secret; give whsec_ followed by base64, or several of them with spaces between"
            )),
        };
    }
    let decoded = match encoding {
        TextEncoding::Utf8 => return Ok(()),
        TextEncoding::Hex => hex::decode(text).is_ok(),
        TextEncoding::Base64 => decode_base64(text).is_some(),
    };
    let name = if encoding == TextEncoding::Hex {
        "hex"
    } else {
        "base64"
    };
    if decoded {
        Ok(())
    } else {
        Err(format!(
            "{what} is not {name}, which key_encoding says; mend the key, or leave key_encoding out to use the text as it is"
        ))
    }
}

/// How many bytes the shortest key in a Standard Webhooks secret has; none if it is no such secret.
pub(crate) fn standard_key_bytes(secret: &Secret) -> Option<usize> {
    let keys = secret.expose().split_ascii_whitespace();
    let keys = keys.map(|key| decode_base64(key.strip_prefix("whsec_").unwrap_or(key)));
    keys.map(|key| key.map_or(0, |key| key.len())).min()
}

/// Secrets are copied about by hand and lose their padding on the way.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 with or without its padding.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

/// The rule for how a signature is written.
pub(crate) fn check_signature_encoding(encoding: TextEncoding) -> Result<(), String> {
    if encoding == TextEncoding::Utf8 {
        Err("signature_encoding \"utf8\" is for keys only; use \"hex\" or \"base64\"".into())
    } else {
        Ok(())
    }
}

/// The rule for certificate authorities.
pub(crate) fn check_pem(pem: &str) -> Result<(), String> {
    if pem.len() > PEM_MAX_BYTES {
        Err(
            "the CA bundle is larger than 256 KiB; keep the certificates that the receiver needs"
                .into(),
        )
    } else if !pem.contains(PEM_BEGIN) {
        Err(format!(
            "the CA bundle holds no certificate; give PEM text with {PEM_BEGIN}"
        ))
    } else if pem.contains("PRIVATE KEY-----") {
        Err("the CA bundle holds a private key; give the certificates alone".into())
    } else {
        Ok(())
    }
}
