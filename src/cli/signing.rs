//! What `sign`, `verify` and `listen` share: where keys and bodies come from.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::endpoint::{BasicAuth, TextEncoding};
use crate::secret::Secret;
use crate::vendor::{KeyError, hotjar, signature, standard};

use super::{Failure, output};

/// The environment variable that a key is taken from.
pub const KEY_VARIABLE: &str = "REDELIVER_KEY";

/// Whose way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scheme {
    /// HMAC-SHA3-256 of the body, in the header com-hotjar-signature
    Hotjar,
    /// Standard Webhooks: HMAC-SHA256 of id, timestamp and body
    Standard,
}

/// How a key's text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyEncoding {
    /// The text's own bytes
    Utf8,
    /// Hexadecimal
    Hex,
    /// Base64
    Base64,
}

/// How a signature becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignatureEncoding {
    /// Lower-case hexadecimal
    Hex,
    /// Base64
    Base64,
}

/// What is signed, with what, and how.
#[derive(Debug, Args)]
pub struct Input {
    /// Whose way of signing
    #[arg(long, value_enum)]
    pub scheme: Scheme,

    /// File with the signing key; one newline at its end, if there is one, is not part of the key.
    /// Without this option the key is taken from the environment variable REDELIVER_KEY, whole
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// How the key's text becomes bytes (scheme hotjar; a standard secret is always base64)
    #[arg(long, value_enum, default_value = "utf8", value_name = "ENCODING")]
    pub key_encoding: KeyEncoding,

    /// How the signature is written (scheme hotjar; standard is always base64)
    #[arg(long, value_enum, default_value = "hex", value_name = "ENCODING")]
    pub signature_encoding: SignatureEncoding,

    /// The message's id, as in the header webhook-id (scheme standard)
    #[arg(long, required_if_eq("scheme", "standard"), value_name = "ID")]
    pub id: Option<String>,

    /// Unix seconds, as in the header webhook-timestamp (scheme standard)
    #[arg(
        long,
        required_if_eq("scheme", "standard"),
        allow_negative_numbers = true,
        value_name = "SECONDS"
    )]
    pub timestamp: Option<i64>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// The body, byte for byte as it is sent; standard input if left out or `-`
    #[arg(value_name = "FILE")]
    pub body: Option<PathBuf>,
}

impl Input {
    /// The key, from where the arguments say.
    pub fn key(&self) -> Result<Secret, Failure> {
        signing_key(self.key_file.as_deref())
    }

    /// The body's bytes, unchanged.
    pub fn read_body(&self) -> Result<Vec<u8>, Failure> {
        match self.body.as_deref() {
            Some(path) if path != Path::new("-") => std::fs::read(path).map_err(|error| {
                Failure::Usage(format!(
                    "cannot read the body from {}: {error}",
                    path.display()
                ))
            }),
            _ => {
                let mut body = Vec::new();
                std::io::stdin()
                    .lock()
                    .read_to_end(&mut body)
                    .map_err(|error| {
                        Failure::Environment(format!("cannot read standard input: {error}"))
                    })?;
                Ok(body)
            }
        }
    }

    /// The signature of `body` under `key`.
    pub fn sign(&self, key: &Secret, body: &[u8]) -> Result<String, Failure> {
        let text = match self.scheme {
            Scheme::Hotjar => self
                .hotjar_key(key)
                .and_then(|key| hotjar::sign(&key, body, self.signature_encoding.into())),
            Scheme::Standard => standard::sign(key.expose(), self.id(), self.seconds(), body),
        };
        text.map_err(bad_key)
    }

    /// The key's bytes under scheme hotjar.
    pub fn hotjar_key(&self, key: &Secret) -> Result<Vec<u8>, KeyError> {
        signature::key_bytes(key.expose(), self.key_encoding.into())
    }

    /// The message's id; clap has made sure of it where it is needed.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The message's time; clap has made sure of it where it is needed.
    pub fn seconds(&self) -> i64 {
        self.timestamp.unwrap_or_default()
    }
}

impl From<KeyEncoding> for TextEncoding {
    fn from(encoding: KeyEncoding) -> Self {
        match encoding {
            KeyEncoding::Utf8 => Self::Utf8,
            KeyEncoding::Hex => Self::Hex,
            KeyEncoding::Base64 => Self::Base64,
        }
    }
}

impl From<SignatureEncoding> for TextEncoding {
    fn from(encoding: SignatureEncoding) -> Self {
        match encoding {
            SignatureEncoding::Hex => Self::Hex,
            SignatureEncoding::Base64 => Self::Base64,
        }
    }
}

/// A key that cannot be used, with where to mend it.
pub fn bad_key(error: KeyError) -> Failure {
    Failure::Usage(format!("{error} (from --key-file or {KEY_VARIABLE})"))
}

/// The key in `file`, else in the environment variable.
pub fn signing_key(file: Option<&Path>) -> Result<Secret, Failure> {
    key_from(file, std::env::var(KEY_VARIABLE).ok())
}

fn key_from(file: Option<&Path>, variable: Option<String>) -> Result<Secret, Failure> {
    match (file, variable) {
        (Some(path), _) => secret_file(path),
        (None, Some(text)) => Ok(Secret::new(text)),
        (None, None) => Err(Failure::Usage(format!(
            "no signing key: give --key-file FILE or set {KEY_VARIABLE}"
        ))),
    }
}

/// The secret in a file, without the one newline that editors and `echo` put at its end.
pub fn secret_file(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::Usage(format!(
            "cannot read the secret in {}: {error}",
            path.display()
        ))
    })?;
    let trimmed = match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => &text,
    };
    Ok(Secret::new(trimmed))
}

/// A secret given as `env:NAME`, `file:PATH`, or, with a warning, as itself.
pub fn secret_argument(option: &str, given: &str) -> Result<Secret, Failure> {
    if let Some(name) = given.strip_prefix("env:") {
        return std::env::var(name).map(Secret::new).map_err(|_| {
            Failure::Usage(format!(
                "{option}: the environment variable {name} is not set"
            ))
        });
    }
    if let Some(path) = given.strip_prefix("file:") {
        return secret_file(Path::new(path));
    }
    output::warning(&format!(
        "{option} is visible to everybody on this machine; use env:NAME or file:PATH"
    ));
    Ok(Secret::new(given))
}

/// A login and its password, given as `user:env:NAME` or `user:file:PATH`, as `env:NAME` or
/// `file:PATH` that holds both, or, with a warning, as `user:password`.
pub fn basic_argument(option: &str, text: &str) -> Result<BasicAuth, Failure> {
    let form = || {
        Failure::Usage(format!(
            "{option}: write the user name, a colon and env:NAME or file:PATH"
        ))
    };
    let login = |user: &str, password: Secret| BasicAuth {
        user: user.to_owned(),
        password,
    };
    if text.starts_with("env:") || text.starts_with("file:") {
        let both = secret_argument(option, text)?;
        let (user, password) = both.expose().split_once(':').ok_or_else(form)?;
        return Ok(login(user, Secret::new(password)));
    }
    let (user, password) = text.split_once(':').ok_or_else(form)?;
    Ok(login(user, secret_argument(option, password)?))
}

/// Prints a line on standard output. A reader that has gone away must not change the exit code:
/// it says whether the signature is right.
pub fn print(line: &str) -> Result<(), Failure> {
    match output::line(line) {
        Err(Failure::Closed) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn exactly_one_newline_at_the_end_of_a_key_file_is_dropped() {
        for (content, key) in [
            ("k", "k"),
            ("k\n", "k"),
            ("k\r\n", "k"),
            ("k\n\n", "k\n"),
            (" k \n", " k "),
            ("k\r", "k\r"),
            ("\n", ""),
        ] {
            let secret = secret_file(file(content).path()).unwrap();
            assert_eq!(secret.expose(), key, "{content:?}");
        }
    }

    #[test]
    fn a_key_file_goes_before_the_variable_which_is_taken_whole() {
        let file = file("from file\n");
        let both = key_from(Some(file.path()), Some("from variable".into())).unwrap();
        assert_eq!(both.expose(), "from file");
        let variable = key_from(None, Some("from variable\n".into())).unwrap();
        assert_eq!(variable.expose(), "from variable\n");
        assert!(matches!(key_from(None, None), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_secret_argument_names_a_file_or_a_variable() {
        let file = file("s3cret\n");
        let from_file = secret_argument("--basic", &format!("file:{}", file.path().display()));
        assert_eq!(from_file.unwrap().expose(), "s3cret");
        let unset = secret_argument("--basic", "env:REDELIVER_TEST_SURELY_UNSET").unwrap_err();
        assert_eq!(
            unset.to_string(),
            "--basic: the environment variable REDELIVER_TEST_SURELY_UNSET is not set"
        );
    }
}
