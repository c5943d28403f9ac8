//! Where secrets come from: `env:NAME`, `file:PATH`, or, with a warning, the file itself.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::report::Report;
use super::section::Section;
use crate::endpoint::validate::{check_password, check_user};
use crate::endpoint::{BasicAuth, TextEncoding};
use crate::secret::Secret;
use crate::words::quoted;

/// The environment and the folder that secrets and certificates are read from.
pub(super) struct Outside<'a> {
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Paths in the file are relative to it.
    pub folder: PathBuf,
}

/// The keys of a `basic_auth` table.
pub(super) const LOGIN_KEYS: &[&str] = &["user", "password"];

/// The largest secret or certificate file: a path that points to something else is a mistake.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

impl Outside<'_> {
    /// The text of a file of the operator's, or what is wrong, without its content.
    pub(super) fn read_file(&self, path: &str) -> Result<String, String> {
        let shown = quoted(path);
        let full = self.folder.join(path);
        let unreadable = |error: std::io::Error| {
            format!("file {shown} cannot be read: {error}; mend the path or its permissions")
        };
        let metadata = std::fs::metadata(&full).map_err(unreadable)?;
        // Reading a pipe or a device could wait for ever.
        if !metadata.is_file() || metadata.len() > FILE_MAX_BYTES {
            return Err(format!(
                "file {shown} is no ordinary file of at most 1 MiB; give another path"
            ));
        }
        std::fs::read_to_string(&full).map_err(unreadable)
    }

    /// The secret that `key` names.
    pub(super) fn secret(
        &self,
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
    ) -> Option<Secret> {
        let value = section.table.get(key)?;
        self.resolve(report, key, value)
    }

    /// The secrets of the array that `key` names.
    pub(super) fn secrets(
        &self,
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
    ) -> Vec<Secret> {
        let wanted = "an array such as [\"env:NAME\"]";
        let values = section.array(report, key, wanted).unwrap_or_default();
        let found = values.into_iter();
        found
            .filter_map(|value| self.resolve(report, key, value))
            .collect()
    }

    pub(super) fn required_secret(
        &self,
        report: &mut Report,
        section: &Section<'_>,
        key: &str,
    ) -> Option<Secret> {
        let mend = format!("add {key} = \"env:NAME\" or \"file:PATH\"");
        section.require(report, key, &mend);
        self.secret(report, section, key)
    }

    pub(super) fn resolve(
        &self,
        report: &mut Report,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Secret> {
        let at = value.span().start;
        let found = match value.get_ref().as_str() {
            None => Err(format!(
                "{key} is not a text; write \"env:NAME\" or \"file:PATH\""
            )),
            Some(text) => {
                if let Some(name) = text.strip_prefix("env:") {
                    self.read_env(key, name)
                } else if let Some(path) = text.strip_prefix("file:") {
                    self.read_secret_file(key, path)
                } else if text.is_empty() {
                    Err(format!(
                        "{key} is empty; write \"env:NAME\" or \"file:PATH\""
                    ))
                } else {
                    report.warn(at, format!("{key} is written out in this file; use \"env:NAME\" or \"file:PATH\" instead"));
                    Ok(text.to_owned())
                }
            }
        };
        match found {
            Ok(secret) => Some(Secret::new(secret)),
            Err(detail) => {
                report.error(at, detail);
                None
            }
        }
    }

    fn read_env(&self, key: &str, name: &str) -> Result<String, String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        // What is no name may be the secret itself.
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!(
                "{key} has no variable name after env:; write \"env:NAME\" with letters, digits and underscores"
            ));
        }
        match (self.env)(name) {
            None => Err(format!(
                "environment variable {name} is not set; export it or use file:PATH"
            )),
            Some(value) if value.is_empty() => Err(format!(
                "environment variable {name} is empty; give it a value or use file:PATH"
            )),
            Some(value) => Ok(value),
        }
    }

    fn read_secret_file(&self, key: &str, path: &str) -> Result<String, String> {
        if path.is_empty() {
            return Err(format!(
                "{key} has no path after file:; write \"file:PATH\""
            ));
        }
        let text = self.read_file(path)?;
        // Editors end files with one; a second one would be part of the secret.
        let trimmed = text.strip_suffix('\n').unwrap_or(&text);
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Err(format!(
                "file {} is empty; put the secret into it",
                quoted(path)
            ));
        }
        Ok(trimmed.to_owned())
    }

    /// The `basic_auth` table of `section`.
    pub(super) fn basic_auth(
        &self,
        report: &mut Report,
        section: &Section<'_>,
    ) -> Option<BasicAuth> {
        if !section.table.get("basic_auth")?.get_ref().is_table() {
            section.mistyped(
                report,
                "basic_auth",
                "{ user = \"…\", password = \"env:NAME\" }",
            );
            return None;
        }
        let table = section.subsection(report, "basic_auth")?;
        table.refuse_unknown(report, LOGIN_KEYS);
        let user = table.required_text(report, "user");
        let password = self.required_secret(report, &table, "password");
        let auth = BasicAuth {
            user: user?.to_owned(),
            password: password?,
        };
        let mut right = true;
        for (key, checked) in [
            ("user", check_user(&auth.user)),
            ("password", check_password(&auth.password)),
        ] {
            if let Err(detail) = checked {
                report.error(table.place(key), detail);
                right = false;
            }
        }
        right.then_some(auth)
    }
}

pub(super) const KEY_ENCODINGS: &[(&str, TextEncoding)] = &[
    ("utf8", TextEncoding::Utf8),
    ("hex", TextEncoding::Hex),
    ("base64", TextEncoding::Base64),
];

/// Refuses tokens that no request can bring.
pub(super) fn check_carried<'a>(
    report: &mut Report,
    section: &Section<'_>,
    key: &str,
    tokens: impl Iterator<Item = &'a Secret>,
) {
    let carried = |token: &Secret| token.expose().bytes().all(|b| b.is_ascii_graphic());
    if !tokens.into_iter().all(carried) {
        report.error(
            section.place(key),
            format!("{key} has a space or another character that no header carries; use letters, digits and punctuation"),
        );
    }
}
