//! What `sign`, `verify` and `check` share: where keys and bodies come from.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::endpoint::TextEncoding;
use crate::secret::Secret;
use crate::vendor::{KeyError, hotjar, signature, standard};

use super::secrets::secret_file;
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
    /// Whether everything that is given is a part of what is signed: else a wrong signature would be
    /// taken for one of it.
    pub fn check(&self) -> Result<(), Failure> {
        let foreign = match self.scheme {
            Scheme::Standard => None,
            Scheme::Hotjar if self.id.is_some() => Some("--id"),
            Scheme::Hotjar => self.timestamp.and(Some("--timestamp")),
        };
        foreign.map_or(Ok(()), |option| {
            Err(Failure::Usage(format!(
                "{option}: Hotjar signs the body alone; leave it out, or write --scheme standard"
            )))
        })
    }

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
    fn a_key_file_goes_before_the_variable_which_is_taken_whole() {
        let file = file("from file\n");
        let both = key_from(Some(file.path()), Some("from variable".into())).unwrap();
        assert_eq!(both.expose(), "from file");
        let variable = key_from(None, Some("from variable\n".into())).unwrap();
        assert_eq!(variable.expose(), "from variable\n");
        assert!(matches!(key_from(None, None), Err(Failure::Usage(_))));
    }
}
